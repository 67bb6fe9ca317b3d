package bridge_test

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"parley/server/session"
	"parley/shared/wire"
)

// TestACallerComesBackAnew loses a page in mid-call and resumes from another, which
// has another connection: the session and its agent are the ones from before, and
// the agent hears the new page.
func TestACallerComesBackAnew(t *testing.T) {
	r := newRig(t, nil)
	l := r.ring("ada", "")
	hello := next[wire.Hello](t, l)
	r.connect(l)
	isActive := func() bool {
		s, ok := r.Sessions().Snapshot(hello.SessionID)
		return ok && s.State == wire.StateActive
	}
	until(t, "the session is active", isActive)

	l.Lost(time.Now())
	again, err := r.Sessions().Resume(session.Caller{User: "ada", Org: "acme", TokenExpires: time.Now().Add(time.Hour)}, hello.SessionID, hello.ResumeToken)
	if err != nil {
		t.Fatal(err)
	}
	if l, err = again.Attach(); err != nil {
		t.Fatal(err)
	}
	if got := next[wire.Hello](t, l); got.SessionID != hello.SessionID {
		t.Errorf("it is session %s, want %s", got.SessionID, hello.SessionID)
	}
	voice := r.connect(l)
	until(t, "it is active again", isActive)
	packet := rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{0x78, 1, 2, 3, 4}}
	until(t, "the agent hears the new page", func() bool {
		packet.SequenceNumber++
		packet.Timestamp += 960
		if err := voice.WriteRTP(&packet); err != nil {
			t.Error(err)
		}
		s, ok := r.Sessions().Snapshot(hello.SessionID)
		return ok && s.LastActiveAt.After(s.StartedAt)
	})
}
