package certificate

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/caddyserver/certmagic"
)

// CheckDomain returns why the authority at directory can't issue for a name by
// this server; nil if it may.
func CheckDomain(name, directory string) error {
	_, notAnAddress := netip.ParseAddr(name)
	switch {
	case notAnAddress == nil:
		return fmt.Errorf("takes names, and %s is an address: have a name point at it, and write that", name)
	case strings.HasPrefix(name, "*"):
		return fmt.Errorf("takes names one by one, not %s: nobody but who runs the name's DNS can prove to have all", name)
	case strings.ContainsAny(name, ":/ ") || !certmagic.SubjectQualifiesForCert(name):
		return fmt.Errorf("takes names like voice.example.org, not %q", name)
	case directory == certmagic.LetsEncryptProductionCA && !certmagic.SubjectQualifiesForPublicCert(name):
		return fmt.Errorf("takes public names, and nobody can prove to be %s: name a private authority with --acme-ca", name)
	}
	return nil
}
