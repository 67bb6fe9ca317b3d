package relay_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"parley/server/agent"
	"parley/server/logtest"
	"parley/server/relay"
)

// TestAPathThatFailsSaysWhy in one word.
func TestAPathThatFailsSaysWhy(t *testing.T) {
	const fine, failed, closed = webrtc.ICETransportStateConnected, webrtc.ICETransportStateFailed, webrtc.ICETransportStateClosed
	for _, c := range []struct {
		ice  webrtc.ICETransportState
		dtls webrtc.DTLSTransportState
		was  bool
		want string
	}{
		{failed, webrtc.DTLSTransportStateNew, false, "no_path"},
		{failed, webrtc.DTLSTransportStateConnected, true, "consent_lost"},
		{fine, webrtc.DTLSTransportStateFailed, false, "dtls_failed"},
		{closed, webrtc.DTLSTransportStateClosed, false, "dtls_failed"},
		{fine, webrtc.DTLSTransportStateClosed, true, "closed_by_peer"},
		{closed, webrtc.DTLSTransportStateClosed, true, "closed_by_peer"},
	} {
		if got := relay.PathFailure(c.ice, c.dtls, c.was); got != c.want {
			t.Errorf("%v, %v, %v: %s, want %s", c.ice, c.dtls, c.was, got, c.want)
		}
	}
}

// TestTheLogSaysWhyAPathIsGone: of a caller who hangs up without a word to the
// socket, and of one whose certificate isn't the one it offered; once each, and
// pion's own words at debug without what secures the call.
func TestTheLogSaysWhyAPathIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(*caller, *relay.Leg)
		want string
	}{
		"closed": {func(c *caller, l *relay.Leg) {
			c.call(l)
			_ = c.pc.Close()
		}, "closed_by_peer"},
		"another certificate": {func(c *caller, l *relay.Leg) {
			answer, err := l.Offer(t.Context(), otherFingerprint(c.offer(false)))
			if err != nil {
				t.Fatal(err)
			}
			c.accept(answer)
		}, "dtls_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs := new(logtest.Buffer)
			r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true, Logger: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
				Mask: func(s string) string { return strings.ReplaceAll(s, "127.0.0.1", "masked") }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			l, _ := open(t, r, agent.Echo{})
			peer := newCaller(t, callerConfig{})
			c.call(peer, l)
			defer func() {
				if t.Failed() {
					t.Log(logs.String())
				}
			}()
			eventually(t, "the log says why", func() bool { return strings.Contains(logs.String(), "event=media cause="+c.want) })
			text := logs.String()
			if n := strings.Count(text, "event=media"); n != 1 {
				t.Errorf("%d lines:\n%s", n, text)
			}
			if !strings.Contains(text, "event=pion") || !strings.Contains(text, "masked") {
				t.Errorf("pion says nothing, or nothing is masked:\n%s", text)
			}
			for _, secret := range append(credentialsOf(peer.pc.LocalDescription().SDP), "127.0.0.1") {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		})
	}
}

// otherFingerprint turns the first byte of a certificate's fingerprint.
func otherFingerprint(description string) string {
	const name = "a=fingerprint:sha-256 "
	at := strings.Index(description, name) + len(name)
	first := "00"
	if description[at:at+2] == first {
		first = "11"
	}
	was := description[at : at+95]
	return strings.ReplaceAll(description, was, first+was[2:])
}

func credentialsOf(description string) (secrets []string) {
	for line := range strings.Lines(description) {
		for _, name := range []string{"a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 "} {
			if secret, found := strings.CutPrefix(strings.TrimSpace(line), name); found {
				secrets = append(secrets, secret)
			}
		}
	}
	return secrets
}
