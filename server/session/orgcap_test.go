package session_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"parley/server/session"
	"parley/shared/wire"
)

// member is somebody of an organization.
func member(user, org string) session.Caller {
	c := caller(user)
	c.Org = org
	return c
}

// orgCaps sets the caps of organizations: that of all, and their own.
func orgCaps(all, perOrg int, own string) func(*session.Config) {
	return func(c *session.Config) {
		caps(all, 2)(c)
		c.Settings.MaxPerOrg, c.Settings.OrgCaps = perOrg, own
	}
}

// TestAnOrganizationHasItsCap at its edge, and says whose it is; other organizations and
// callers of none are not touched.
func TestAnOrganizationHasItsCap(t *testing.T) {
	bubble(t, orgCaps(9, 2, "acme=3, free=0"), func(h *fixture) {
		fill := func(org string, n int) (last *session.Session) {
			for i := range n {
				s, err := h.Admit(member(fmt.Sprint("u", i), org))
				if err != nil {
					t.Fatalf("%s, %d: %v", org, i, err)
				}
				last = s
			}
			return last
		}
		full := func(org string, limit int) {
			t.Helper()
			var refused *session.Refusal
			if _, err := h.Admit(member("late", org)); !errors.As(err, &refused) || refused.Code != session.OrgCap || refused.Limit != limit || refused.RetryAfter <= 0 {
				t.Errorf("%s: %v (%+v), want %s of %d", org, err, refused, session.OrgCap, limit)
			}
			if live, of := h.OrgCapacity(org); live != limit || of != limit {
				t.Errorf("%s: %d of %d", org, live, of)
			}
		}
		last := fill("acme", 3)
		full("acme", 3)
		fill("globex", 2)
		full("globex", 2)
		fill("free", 3)
		fill("", 1) // the ninth line
		if _, err := h.Admit(member("late", "acme")); wireErrorOf(err) != session.CapReached {
			t.Errorf("all lines in use: %v", err)
		}
		last.End(wire.CallerLeft, "")
		if err := h.Check(member("late", "acme")); err != nil {
			t.Errorf("a place came back, and: %v", err)
		}
		if err := h.Check(member("late", "globex")); wireErrorOf(err) != session.OrgCap {
			t.Errorf("another organization's end made room: %v", err)
		}
	})
}

// TestALoweredCapOfAnOrganizationEndsNobody, and nobody comes until it is kept.
func TestALoweredCapOfAnOrganizationEndsNobody(t *testing.T) {
	bubble(t, orgCaps(9, 3, ""), func(h *fixture) {
		var live []*session.Session
		for _, user := range []string{"a", "b", "c"} {
			s := h.admit(member(user, "acme"))
			h.attach(s)
			live = append(live, s)
		}
		set := h.Settings()
		set.OrgCaps = "acme=1"
		h.UpdateSettings(set)
		for i, s := range live {
			if cause := causeOf(s); cause != "" {
				t.Errorf("%d ended: %s", i, cause)
			}
			if _, err := h.Admit(member("d", "acme")); wireErrorOf(err) != session.OrgCap {
				t.Errorf("%d left: %v", len(live)-i, err)
			}
			s.End(wire.CallerLeft, "")
		}
		if _, err := h.Admit(member("d", "acme")); err != nil {
			t.Errorf("all left: %v", err)
		}
	})
}

// TestWhoMayMoveTheirCall: a caller whose own places are taken hears of that first, for it
// helps; not while their organization is over its cap.
func TestWhoMayMoveTheirCall(t *testing.T) {
	bubble(t, orgCaps(9, 3, ""), func(h *fixture) {
		own := h.admit(member("a", "acme"))
		h.admit(member("a", "acme"))
		h.admit(member("b", "acme"))
		if err := h.Check(member("a", "acme")); wireErrorOf(err) != session.UserCap {
			t.Errorf("at the cap: %v", err)
		}
		set := h.Settings()
		set.MaxPerOrg = 2
		h.UpdateSettings(set)
		if _, err := h.TakeOver(member("a", "acme")); wireErrorOf(err) != session.OrgCap || causeOf(own) != "" {
			t.Errorf("over it: %v, the caller's own ended %q", err, causeOf(own))
		}
		set.MaxPerOrg = 3
		h.UpdateSettings(set)
		if _, err := h.TakeOver(member("a", "acme")); err != nil {
			t.Errorf("at it again: %v", err)
		}
	})
}

// TestManyOfAnOrganizationAtOnce get as many places as there are.
func TestManyOfAnOrganizationAtOnce(t *testing.T) {
	const limit, tries = 7, 60
	bubble(t, orgCaps(100, limit, ""), func(h *fixture) {
		var admitted, refused atomic.Int64
		var running sync.WaitGroup
		for i := range tries {
			running.Go(func() {
				switch _, err := h.Admit(member(fmt.Sprint("u", i), "acme")); {
				case err == nil:
					admitted.Add(1)
				case wireErrorOf(err) == session.OrgCap:
					refused.Add(1)
				}
			})
		}
		running.Wait()
		if admitted.Load() != limit || refused.Load() != tries-limit {
			t.Errorf("%d admitted, %d refused", admitted.Load(), refused.Load())
		}
	})
}
