package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// discoveryPath is where a provider describes itself (OpenID Connect Discovery §4).
const discoveryPath = "/.well-known/openid-configuration"

// signIn asks those who vouch for people.
func (x *examination) signIn(ctx context.Context) (found []Finding) {
	if x.Issuer != "" {
		found = append(found, x.provider(ctx))
	}
	if x.KeysURL != "" {
		found = append(found, keysFinding(ctx, "keys", x.KeysURL, "Look whether it is up and whether this machine may reach it, and at --jwks-url."))
	}
	return found
}

func (x *examination) provider(ctx context.Context) Finding {
	const check = "identity provider"
	var said struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	from := strings.TrimSuffix(x.Issuer, "/") + discoveryPath
	switch _, err := getJSON(ctx, newClient(&tls.Config{}), from, "", &said); {
	case err != nil:
		return Finding{check, Fault, fmt.Sprintf("%s can't be asked: %v.", from, err), "Look whether it is up and whether this machine may reach it, and at --oidc-issuer."}
	case said.Issuer != x.Issuer:
		return Finding{check, Fault, fmt.Sprintf("The provider calls itself %q, and --oidc-issuer says %q.", said.Issuer, x.Issuer), "Write --oidc-issuer as the provider does, to the last slash."}
	}
	f := keysFinding(ctx, check, said.Keys, "Nobody can sign in before the provider publishes its keys: look there.")
	if f.Result == OK {
		f.Says = fmt.Sprintf("%s answers, and has its keys where it says.", x.Issuer)
	}
	return f
}

// keysFinding looks at a JWK Set (RFC 7517 §5).
func keysFinding(ctx context.Context, check, from, act string) Finding {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	switch _, err := getJSON(ctx, newClient(&tls.Config{}), from, "", &set); {
	case err != nil:
		return Finding{check, Fault, fmt.Sprintf("The keys at %s can't be had: %v.", from, err), act}
	case len(set.Keys) == 0:
		return Finding{check, Fault, fmt.Sprintf("There are no keys at %s.", from), act}
	}
	return Finding{check, OK, fmt.Sprintf("%s has %d keys.", from, len(set.Keys)), ""}
}

// clockTold is how wrong a clock may be before it is told: an answer's Date has whole
// seconds, and comes late.
const clockTold = 5 * time.Second

// clock compares this machine's with those of servers that the operator trusts anyway:
// nobody else is asked.
func (x *examination) clock(ctx context.Context) (found []Finding) {
	sources := []string{x.Issuer, x.KeysURL}
	client := newClient(&tls.Config{})
	if len(x.Domains) > 0 {
		sources = append(sources, x.ACMECA)
	}
	sources = slices.DeleteFunc(sources, func(s string) bool { return s == "" })
	for _, from := range sources {
		if from == x.ACMECA {
			client = newClient(&tls.Config{RootCAs: x.ACMERoots})
		}
		if off, ok := clockError(ctx, client, from); ok {
			return []Finding{x.clockFinding(off, from)}
		}
	}
	if len(sources) == 0 {
		return one("clock", Untried, "No server is named that the time could be asked of (--oidc-issuer, --jwks-url or --acme-ca with --domain).", "Have the machine keep its time by NTP: timedatectl says whether it does.")
	}
	return one("clock", Untried, fmt.Sprintf("%s tells no time.", strings.Join(sources, ", ")), "Have the machine keep its time by NTP: timedatectl says whether it does.")
}

func (x *examination) clockFinding(off time.Duration, from string) Finding {
	const act = "Have the machine keep its time by NTP: timedatectl set-ntp true."
	direction := "behind"
	if off < 0 {
		direction = "ahead of"
	}
	says := fmt.Sprintf("This machine's clock is %s %s that of %s", off.Abs().Round(time.Second), direction, from)
	switch {
	case off.Abs() > x.ClockError:
		return Finding{"clock", Fault, says + ": tokens made there are refused here.", act}
	case off.Abs() > clockTold:
		return Finding{"clock", Warning, says + ".", act}
	}
	return Finding{"clock", OK, fmt.Sprintf("It agrees with that of %s.", from), ""}
}

// clockError is how far this machine's clock is behind a server's, by the Date of its
// answer (RFC 9110 §6.6.1), whatever else it answers.
func clockError(ctx context.Context, client *http.Client, from string) (off time.Duration, ok bool) {
	began := time.Now()
	header, _ := getJSON(ctx, client, from, "", nil)
	took := time.Since(began)
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return date.Add(time.Second / 2).Sub(began.Add(took / 2)), true
}
