package session_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/fault"
	"parley/server/session"
	"parley/shared/wire"
)

func wireErrorOf(err error) session.RefusalCode {
	var r *session.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func caps(all, user int) func(*session.Config) {
	return func(c *session.Config) {
		c.Settings = session.DefaultSettings()
		c.Settings.MaxSessions, c.Settings.MaxPerUser = all, user
	}
}

// TestCapsCountByOrganizationAndSubject: an organization's alice has nothing to
// do with another's.
func TestCapsCountByOrganizationAndSubject(t *testing.T) {
	bubble(t, caps(9, 1), func(h *fixture) {
		of := func(org string) session.Caller {
			c := caller("alice")
			c.Org = org
			return c
		}
		s, err := h.Admit(of("acme"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Admit(of("globex")); err != nil {
			t.Errorf("another organization's alice: %v", err)
		}
		for _, org := range []string{"acme", "globex"} {
			if err := h.Check(of(org)); wireErrorOf(err) != session.UserCap {
				t.Errorf("a second call of %s's: %v", org, err)
			}
		}
		s.End(wire.CallerLeft, "")
		if err := h.Check(of("acme")); err != nil {
			t.Errorf("after the call ended: %v", err)
		}
		if err := h.Check(of("globex")); wireErrorOf(err) != session.UserCap {
			t.Errorf("another organization's end made room: %v", err)
		}
	})
}

func TestCapsAtTheirEdge(t *testing.T) {
	cases := map[string]struct {
		all, user int
		admit     []string
		want      []session.RefusalCode
	}{
		"the cap takes as many as it says": {2, 1, []string{"a", "b", "c"}, []session.RefusalCode{"", "", session.CapReached}},
		"one user takes as many as allowed": {9, 2, []string{"a", "a", "a", "b"},
			[]session.RefusalCode{"", "", session.UserCap, ""}},
		"who has a place of their own hears so, full or not": {1, 1, []string{"a", "a", "b"}, []session.RefusalCode{"", session.UserCap, session.CapReached}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, caps(c.all, c.user), func(h *fixture) {
				for i, user := range c.admit {
					_, err := h.Admit(caller(user))
					if got := wireErrorOf(err); got != c.want[i] {
						t.Errorf("%d (%s): %q, want %q", i, user, got, c.want[i])
					}
					var r *session.Refusal
					if errors.As(err, &r) && r.RetryAfter <= 0 {
						t.Error("a refusal that does not say when to try again")
					}
				}
			})
		})
	}
}

// Paused, nobody new gets a place, whatever is free; who has one keeps it, and may come
// back to it.
func TestPausedSessionsGoOn(t *testing.T) {
	bubble(t, caps(9, 2), func(h *fixture) {
		own, link := h.call("a")
		set := h.Settings()
		set.Paused = true
		h.UpdateSettings(set)
		for _, user := range []string{"a", "b"} {
			if _, err := h.Admit(caller(user)); wireErrorOf(err) != session.Paused {
				t.Errorf("%s: %v", user, err)
			}
		}
		link.Lost(time.Now())
		if cause := causeOf(own); cause != "" || !h.Resumable(caller("a")) {
			t.Errorf("the call that was on ended %q", cause)
		}
		set.Paused = false
		h.UpdateSettings(set)
		if _, err := h.Admit(caller("b")); err != nil {
			t.Errorf("resumed: %v", err)
		}
	})
}

// The place comes back whatever ends a session, attached or not.
func TestEveryEndGivesThePlaceBack(t *testing.T) {
	for _, cause := range wire.EndCauses() {
		for _, attached := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, attached %v", cause, attached), func(t *testing.T) {
				bubble(t, caps(1, 1), func(h *fixture) {
					s := h.admit(caller("a"))
					if attached {
						h.attach(s)
					}
					if err := h.End(s.ID(), cause, "why"); err != nil {
						t.Fatal(err)
					}
					if live, limit, perUser := h.Capacity(); live != 0 || limit != 1 || perUser != 1 {
						t.Errorf("lines %d of %d, %d a user", live, limit, perUser)
					}
					h.admit(caller("a"))
					if err := h.End(s.ID(), cause, ""); !errors.Is(err, fault.NotFound) {
						t.Errorf("ending it again: %v", err)
					}
				})
			})
		}
	}
}

func TestParallelAdmissionsNeverExceedTheCap(t *testing.T) {
	const tries, limit = 500, 100
	all := session.New(session.Config{
		Settings: session.Settings{IdleTimeout: time.Hour, IdleWarning: time.Minute, MaxSessions: limit, MaxPerUser: 3},
		Media:    &script{},
	})
	for round := range 5 { // each round starts full circle: all places come back
		var admitted, over atomic.Int64
		var mu sync.Mutex
		var got []*session.Session
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range tries {
			wg.Go(func() {
				<-start
				s, err := all.Admit(caller(fmt.Sprint("user", i%200)))
				if live, _, _ := all.Capacity(); live > limit {
					over.Add(1)
				}
				if err == nil {
					admitted.Add(1)
					mu.Lock()
					got = append(got, s)
					mu.Unlock()
				}
			})
		}
		close(start)
		wg.Wait()
		if admitted.Load() != limit || over.Load() != 0 {
			t.Fatalf("round %d: %d admitted, the cap is %d; %d times more were live", round, admitted.Load(), limit, over.Load())
		}
		for _, s := range got {
			wg.Go(func() { s.End(wire.CallerLeft, "") })
		}
		wg.Wait()
	}
	if err := all.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneCauseExactlyOnce(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, l := h.call("a")
		var wg sync.WaitGroup
		var won atomic.Int64
		for _, cause := range wire.EndCauses() {
			wg.Go(func() {
				if s.End(cause, string(cause)) {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		end := h.seen.last(t)
		var cause *session.End
		errors.As(context.Cause(l.Context()), &cause)
		if won.Load() != 1 || cause == nil || end.Cause != cause.Cause || end.Reason != string(end.Cause) || causeOf(s) != end.Cause {
			t.Errorf("%d ends; observer %s (%s), link %v, session %s", won.Load(), end.Cause, end.Reason, cause, causeOf(s))
		}
		ended := 0
		for _, snap := range h.seen.all() {
			if snap.State == wire.StateEnded {
				ended++
			}
		}
		if ended != 1 || h.media.closes() != 1 {
			t.Errorf("told %d ends, closed the legs %d times", ended, h.media.closes())
		}
	})
}

func TestNobodyIsToldOfASessionThatNeverOpened(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		h.endsAfter(h.admit(caller("a")), wire.OfferTimeout, wire.ProtocolError)
		if got := h.seen.all(); len(got) != 0 {
			t.Errorf("told %v", got)
		}
	})
}

func TestIDsAreLongAndNew(t *testing.T) {
	bubble(t, caps(100, 100), func(h *fixture) {
		seen := make(map[string]bool)
		for range 100 {
			id := h.admit(caller("a")).ID()
			text, ok := strings.CutPrefix(id, "sess_")
			if bits := len(text) * 5; !ok || bits < 128 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") != "" || seen[id] {
				t.Fatalf("id %q", id)
			}
			seen[id] = true
		}
	})
}

func TestALongReasonIsCutBetweenCharacters(t *testing.T) {
	bubble(t, nil, func(h *fixture) {
		s, _ := h.call("a")
		s.End(wire.AdminEnded, strings.Repeat("ü", wire.MaxString))
		synctest.Wait()
		if got := h.seen.last(t).Reason; got != strings.Repeat("ü", wire.MaxString/2) {
			t.Errorf("%d bytes: …%q", len(got), got[len(got)-3:])
		}
	})
}

func TestOneGoroutineASession(t *testing.T) {
	bubble(t, caps(200, 200), func(h *fixture) {
		before := runtime.NumGoroutine()
		for range 200 {
			h.call("a")
		}
		synctest.Wait()
		// The runtime and the test have one or two of their own that come and go.
		if got := runtime.NumGoroutine() - before; got > 202 {
			t.Errorf("%d goroutines for 200 calls", got)
		}
	})
}

func TestEndWhereEndsThoseMeant(t *testing.T) {
	bubble(t, caps(10, 5), func(h *fixture) {
		mine, other := h.admit(caller("a")), h.admit(caller("b"))
		again := h.admit(caller("a"))
		if got, ok := h.Owner(other.ID()); !ok || got.User != "b" {
			t.Errorf("owner of b's session: %+v, %v", got, ok)
		}
		meant := func(c session.Caller) bool { return c.User == "a" }
		if n := h.EndWhere(meant, wire.Revoked, "stolen"); n != 2 {
			t.Errorf("ended %d, want a's two", n)
		}
		synctest.Wait()
		if causeOf(mine) != wire.Revoked || causeOf(again) != wire.Revoked || causeOf(other) != "" {
			t.Errorf("causes %q %q %q", causeOf(mine), causeOf(again), causeOf(other))
		}
		if _, ok := h.Owner(mine.ID()); ok {
			t.Error("an ended session has an owner")
		}
		if n := h.EndWhere(meant, wire.Revoked, ""); n != 0 {
			t.Errorf("ended %d more", n)
		}
	})
}
