package privacy

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

func status() rest.Privacy {
	return rest.Privacy{PrivacyMode: true, Protection: "active", CheckedAt: time.Unix(1_700_000_000, 0), Confinement: "writes only below the data directory",
		Masking: []rest.Masked{{Kind: "ip", Before: "203.0.113.7", After: "203.0.113.•"}}, LogRetentionDays: 1, AuditRetentionDays: 365, Deletion: rest.Deletion{CheckedAt: time.Unix(1_700_000_000, 0), Lines: 312}}
}

// TestEvidenceIsTrueToTheStatus: nothing is said to hold that doesn't.
func TestEvidenceIsTrueToTheStatus(t *testing.T) {
	for name, test := range map[string]struct {
		edit  func(*rest.Privacy)
		fails string // the beginning of what doesn't hold
		says  []string
	}{
		"all well":       {func(*rest.Privacy) {}, "", []string{"203.0.113.7 → 203.0.113.•", "access log after 1 day,", "audit log after 365 days", "312 lines deleted in 24 h", "last look at ", "0 attempts, 0 stored"}},
		"off":            {func(s *rest.Privacy) { s.PrivacyMode = false }, "Addresses, e-mail and phone numbers are written as they are", nil},
		"not protected":  {func(s *rest.Privacy) { s.Protection = "failed" }, "No audio is written", nil},
		"something kept": {func(s *rest.Privacy) { s.Audio.Stored, s.Audio.Attempts = 1, 1 }, "No audio is written", []string{"1 attempt, 1 stored"}},
		"unconfined":     {func(s *rest.Privacy) { s.Confinement = "none: an old kernel" }, "The process is confined", nil},
	} {
		s := status()
		test.edit(&s)
		failing, said := []string{}, ""
		for _, e := range evidence(s) {
			if said += strings.Join(e.proofs, ",") + ","; !e.holds {
				failing = append(failing, e.what)
			}
		}
		switch {
		case test.fails == "" && len(failing) > 0, test.fails != "" && (len(failing) != 1 || !strings.HasPrefix(failing[0], test.fails)):
			t.Errorf("%s: doesn't hold: %q", name, failing)
		}
		for _, want := range test.says {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in %q", name, want, said)
			}
		}
	}
}

// TestThePageSaysWhatIsOn, and offers the other.
func TestThePageSaysWhatIsOn(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*rest.Privacy)
		says []string
	}{
		"on":      {func(*rest.Privacy) {}, []string{"Privacy mode is on", "Turn off…", "Admins, masked", "Nothing has asked to keep audio"}},
		"off":     {func(s *rest.Privacy) { s.PrivacyMode = false }, []string{"Privacy mode is off", "Turn on", "Admins, as it is"}},
		"blocked": {func(s *rest.Privacy) { s.Protection = "failed" }, []string{"Calls are blocked: privacy protection isn&#39;t active."}},
		"refused": {func(s *rest.Privacy) { s.Blocked = []rest.BlockedOperation{{Operation: "record", By: "tap"}} }, []string{"record", "tap", "refused"}},
	} {
		p := &Page{status: status()}
		test.edit(&p.status)
		html := app.HTMLString(p.content())
		for _, want := range test.says {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
	}
}
