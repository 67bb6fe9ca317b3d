package store_test

import (
	"errors"
	"testing"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

// liveOf keeps a call of a person with something of each kind, all of it marked.
func (r *rig) liveOf(mark, org string) {
	r.t.Helper()
	session := rest.SessionRecord{ID: "session-" + mark, User: mark, UserKey: "key-" + mark[:3], Org: org, Name: mark, Phone: mark, Email: mark, Remote: mark, StartedAt: r.now(), EndReason: mark}
	session.EndedAt = new(r.now())
	must(r.t, r.SessionEnded(r.t.Context(), session))
	used := used(session.ID, mark, org, "openai", "2026-03-04", 100)
	used.UserKey = session.UserKey
	must(r.t, r.AddUsage(r.t.Context(), used))
	must(r.t, r.AppendQuality(r.t.Context(), []rest.QualityChunk{newNoise(1).minute(session.ID, r.now(), 0)}))
	must(r.t, r.AppendTurns(r.t.Context(), []rest.TurnRecord{{Session: session.ID, Turn: &rest.Turn{}}}))
	must(r.t, r.AppendActivities(r.t.Context(), []rest.Activity{{At: r.now(), User: mark, Org: org, Name: mark}, {At: r.now(), User: "another", Session: session.ID, Org: org, Detail: mark}}))
	must(r.t, r.AppendLogs(r.t.Context(), []rest.LogEntry{
		{T: r.now(), User: mark, UserKey: session.UserKey, Org: org, Path: "/" + mark}, {T: r.now(), Session: session.ID, Org: org, Path: "/" + mark},
	}))
}

// erase does as an admin's act does.
func (r *rig) erase(who rest.PersonRef) (done, kept rest.Erased) {
	r.t.Helper()
	done, err := r.ErasePerson(r.t.Context(), who)
	must(r.t, err)
	_, err = r.AppendAudit(r.t.Context(), rest.AuditEntry{Action: rest.AuditErase}, seal, func(tx *store.Tx) (err error) {
		kept, err = tx.ErasePerson(who)
		return err
	})
	must(r.t, err)
	must(r.t, r.EraseDeleted(r.t.Context()))
	return done, kept
}

// TestAPersonIsErased, of one organization or of all, from the bytes of the files; what
// was used stays a sum, and others stay as they were.
func TestAPersonIsErased(t *testing.T) {
	dir := t.TempDir()
	r := openIn(t, dir)
	r.liveOf("ann-at-acme", "acme")
	r.liveOf("ann-at-zeta", "zeta")
	r.liveOf("bob-at-acme", "acme")
	done, kept := r.erase(rest.PersonRef{UserKey: "key-ann", Org: "acme", Shown: "ann-at-acme"})
	if want := (rest.Erased{Sessions: 1, Logs: 2, Quality: 1, Turns: 1, Activities: 2}); done != want || kept != (rest.Erased{Sessions: 1, Usage: 1}) {
		t.Errorf("erased %+v and %+v, want %+v", done, kept, want)
	}
	for mark, isThere := range map[string]bool{"ann-at-acme": false, "ann-at-zeta": true, "bob-at-acme": true, "key-ann": true} {
		if n := countInFiles(t, dir, mark); n > 0 != isThere {
			t.Errorf("%s stands %d times in the files", mark, n)
		}
	}
	r.erase(rest.PersonRef{UserKey: "key-ann", Shown: "ann-at-zeta"})
	for mark, isThere := range map[string]bool{"ann-at-zeta": false, "key-ann": false, "bob-at-acme": true} {
		if n := countInFiles(t, dir, mark); n > 0 != isThere {
			t.Errorf("%s stands %d times in the files, erased everywhere", mark, n)
		}
	}
	rows, _, err := r.Usage(t.Context(), rest.UsageQuery{Group: rest.UsageGroup(rest.UsageByDay)})
	must(t, err)
	if len(rows) != 1 || rows[0].Usage.CostMicros != 300 || rows[0].Sessions != 3 {
		t.Errorf("of what was used is kept: %+v", rows)
	}
	if done, kept := r.erase(rest.PersonRef{UserKey: "key-ann"}); done != (rest.Erased{}) || kept != (rest.Erased{}) {
		t.Errorf("erased again: %+v and %+v", done, kept)
	}
}

// TestSomebodyInACallIsNotErased: of a call on any node the end would be kept.
func TestSomebodyInACallIsNotErased(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		live := begun("live")
		live.Node = "n2"
		must(t, r.SessionStarted(t.Context(), live))
		for name, c := range map[string]struct {
			who  rest.PersonRef
			want bool
		}{
			"they":                     {rest.PersonRef{UserKey: live.UserKey}, true},
			"of their organization":    {rest.PersonRef{UserKey: live.UserKey, Org: live.Org}, true},
			"of another organization":  {rest.PersonRef{UserKey: live.UserKey, Org: "zeta"}, false},
			"somebody who has no call": {rest.PersonRef{UserKey: "k2"}, false},
		} {
			if is, err := r.IsInCall(t.Context(), c.who); err != nil || is != c.want {
				t.Errorf("%s: in a call %t, %v", name, is, err)
			}
		}
		erase := func() error {
			_, err := r.AppendAudit(t.Context(), rest.AuditEntry{}, seal, func(tx *store.Tx) error {
				_, err := tx.ErasePerson(rest.PersonRef{UserKey: live.UserKey})
				return err
			})
			return err
		}
		if err := erase(); !errors.Is(err, fault.Conflict) {
			t.Errorf("erased in a call: %v", err)
		}
		if _, err := r.Session(t.Context(), live.ID); err != nil {
			t.Errorf("the session: %v", err)
		}
		must(t, r.SessionEnded(t.Context(), over("live")))
		if err := erase(); err != nil {
			t.Error(err)
		}
		if _, err := r.Session(t.Context(), live.ID); !errors.Is(err, fault.NotFound) {
			t.Errorf("after it: %v", err)
		}
	})
}
