package certificate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

func refusal(kind, detail string) error {
	return fmt.Errorf("[a.example] Obtain: %w", acme.Problem{Type: acme.ProblemTypeNamespace + kind, Detail: detail})
}

func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	for kind, want := range map[string]string{
		"connection": "open ports 443 and 80", "dns": "make an A or AAAA record", "unauthorized": "point at this machine alone",
		"incorrectResponse": "point at this machine alone", "tls": "without ending TLS", "caa": "CAA record", "rateLimited": "staging",
		"rejectedIdentifier": "--domain", "unsupportedIdentifier": "--domain", "invalidContact": "--acme-email", "unsupportedContact": "--acme-email",
		"externalAccountRequired": "--acme-ca", "serverInternal": "asks again", "invalidProfile": "--acme-profile", "badCSR": "(badCSR)",
	} {
		got := explain("https://ca.example/dir", false, refusal(kind, "The detail."))
		if !strings.Contains(got, want) || !strings.HasPrefix(got, "https://ca.example/dir refuses: The detail") {
			t.Errorf("%s: %q lacks %q", kind, got, want)
		}
	}
	network := fmt.Errorf("performing request: %w", &net.OpError{Op: "dial", Err: errors.New("refused")})
	if got := explain("https://ca.example/dir", false, network); !strings.Contains(got, "can't be reached from this machine") {
		t.Errorf("network: %q", got)
	}
	if got := explain("https://ca.example/dir", false, errors.New("disk full")); got != "disk full" {
		t.Errorf("another: %q", got)
	}
}

// A fault is said once an hour, however its wrapping and its details differ.
func TestAFaultIsSaidOnceAnHour(t *testing.T) {
	f := newFaultLog("https://ca.example/dir", false, slog.New(slog.DiscardHandler))
	begun := time.Now()
	for i, step := range []struct {
		err   error
		after time.Duration
		isDue bool
	}{
		{refusal("connection", "token one"), 0, true},
		{refusal("connection", "token two"), time.Minute, false},
		{refusal("caa", "forbidden"), time.Minute, true},
		{errors.New("job: " + refusal("caa", "forbidden").Error()), time.Minute, false},
		{errors.New("disk full"), time.Minute, true},
		{errors.New("saving: disk full"), time.Minute, false},
		{context.Canceled, time.Minute, false},
		{refusal("connection", "token three"), repeatInterval - 1, false},
		{refusal("connection", "token four"), repeatInterval, true},
	} {
		if _, isDue := f.next(step.err, begun.Add(step.after)); isDue != step.isDue {
			t.Errorf("step %d, %v: due %v, want %v", i, step.err, isDue, step.isDue)
		}
	}
	_ = f.observe(t.Context(), "cert_obtained", map[string]any{"identifier": "a.example"})
	if _, isDue := f.next(refusal("connection", "again"), begun.Add(repeatInterval+1)); !isDue {
		t.Error("after a success, a new fault is not said")
	}
}

// What the library logs as an error is told as one; all else is detail.
func TestOnlyErrorsOfTheLibraryAreTold(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	logger := zap.New(&zapCore{faults: newFaultLog("https://ca.example/dir", false, log), log: log}).With(zap.String("name", "a.example"))
	logger.Info("starting", zap.Error(errors.New("no matter")))
	logger.Error("could not", zap.String("problem", "none"))
	if out.Len() != 0 {
		t.Errorf("told: %s", &out)
	}
	logger.Error("could not", zap.Error(errors.New("disk full")))
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `err="disk full"`) {
		t.Errorf("told: %s", got)
	}
}
