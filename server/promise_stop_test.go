package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// SIGTERM, with everybody there who might hold a server up: a call that nobody
// ends, a caller and an admin who read nothing, half a request.
func stopIsOverInTime(t *testing.T) {
	dir := t.TempDir()
	// Less than media may take to connect, which would end bob's call before the stop does.
	const drain = 20 * time.Second
	p := spawnIn(t, dir, "--drain-timeout="+drain.String())
	admin, late := p.token(t, "demo-admin"), p.token(t, "late")
	k := p.talking(t, "ann", "echo")
	s, _ := p.open(t, p.token(t, "bob"))
	if err := s.call(anOffer()); err != nil {
		t.Fatal(err)
	}
	deaf, _ := p.open(t, p.token(t, "deaf"))
	deaf.say(wire.Offer{SDP: anOffer()}) // and reads no more
	read, unread := p.opened(t, admin), p.follow(t, admin, nil)
	defer unread.close()
	go p.sendPart(t, "GET / HTTP/1.1\r\nHost: localhost\r\n", 0, time.Minute)

	p.terminate(t)
	began := time.Now()
	eventually(t, "it says so", func() bool {
		return p.ask(t, "", http.MethodGet, rest.PathReady, nil, nil) == http.StatusServiceUnavailable
	})
	_, res, err := p.knock(late)
	refusedWithATime(t, res, err)
	eventually(t, "the caller is warned", func() bool { return k.warned(wire.WarnDraining) })

	code := make(chan wire.CloseCode, 1)
	go func() { code <- s.closes(time.Minute) }()
	read.ends(t, 2*drain)
	streams := time.Since(began)
	if exit := p.exitWithin(t, drain-time.Since(began)); exit != 0 {
		t.Errorf("it exited with %d", exit)
	}
	t.Logf("streams ended after %v, the process after %v", streams.Round(10*time.Millisecond), time.Since(began).Round(10*time.Millisecond))
	if got := <-code; got != wire.CloseServiceRestart {
		t.Errorf("bob's socket was closed with %d, want 1012", got)
	}
	if end := k.over(t); end.Ended.Cause != wire.ServerShutdown {
		t.Errorf("ann's call ended by %s, want server_shutdown", end.Ended.Cause)
	}
	p.tellsOfItsEnd(t, events[peer.CallAccepted](k)[0].Hello.SessionID)
}

// tellsOfItsEnd looks at what a server left on the disk: the chain is whole,
// and what ended with it is on record.
func (c *child) tellsOfItsEnd(t *testing.T, session string) {
	t.Helper()
	verify(t, c.dir)
	again := spawnIn(t, c.dir)
	var kept rest.Page[rest.SessionRecord]
	again.ask(t, "demo-admin", http.MethodGet, rest.PathSessions, nil, &kept)
	found := false
	for _, s := range kept.Items {
		found = found || s.ID == session && s.EndCause == wire.ServerShutdown
	}
	if !found {
		t.Errorf("the call isn't on record as ended by server_shutdown: %+v", kept.Items)
	}
	closed := 0
	for _, e := range again.audit(t) {
		if e.Action == rest.AuditStreamClosed {
			closed++
		}
	}
	if closed != 2 {
		t.Errorf("the audit log has the end of %d streams, want 2", closed)
	}
}

// verify holds that the audit chain in a data directory is whole.
func verify(t *testing.T, dir string) {
	t.Helper()
	var said bytes.Buffer
	if err := run(t.Context(), []string{"audit", "verify", "--data-dir=" + dir}, &said, io.Discard, nil); err != nil {
		t.Errorf("parley audit verify: %v: %s", err, &said)
	}
}

// audit reads the whole audit log, as the admin.
func (p *program) audit(t *testing.T) []rest.AuditEntry {
	t.Helper()
	var all []rest.AuditEntry
	for path := rest.PathAudit + "?limit=500"; ; {
		var page rest.AuditPage
		if status := p.ask(t, "demo-admin", http.MethodGet, path, nil, &page); status != http.StatusOK {
			t.Fatalf("audit: %d", status)
		}
		if !page.Chain.Intact {
			t.Errorf("the chain is broken: %+v", page.Chain)
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all
		}
		path = rest.PathAudit + "?limit=500&cursor=" + page.NextCursor
	}
}
