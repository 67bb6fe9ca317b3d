package store_test

import (
	"fmt"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// ended is a call of a minute.
func ended(id, user, org string, at time.Time) rest.SessionRecord {
	end := at.Add(time.Minute)
	return rest.SessionRecord{ID: id, User: user, UserKey: user, Org: org, StartedAt: at, EndedAt: &end}
}

func (r *rig) totals(org string) rest.Totals {
	r.t.Helper()
	t, err := r.Totals(r.t.Context(), org, 2)
	must(r.t, err)
	return t
}

// TestTotalsCountEachCallOnce, however its end is written, and whatever is deleted later.
func TestTotalsCountEachCallOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		if empty := r.totals(""); empty.Calls != 0 || empty.Since != "" || len(empty.Days) != 0 {
			t.Errorf("of nothing: %+v", empty)
		}
		call := ended("a", "ada", "acme", noon)
		open := call
		open.EndedAt = nil
		must(t, r.SessionStarted(t.Context(), open))
		if n := r.totals("").Calls; n != 0 {
			t.Errorf("a live call is counted: %d", n)
		}
		_, err := r.AppendAudit(t.Context(), rest.AuditEntry{Action: rest.AuditEndSession}, seal, func(tx *store.Tx) error { return tx.EndSession(call) })
		must(t, err)
		call.Quality.Level = "good" // its own end, after an admin's
		must(t, r.SessionEnded(t.Context(), call))
		must(t, r.SessionEnded(t.Context(), call))
		must(t, r.SessionEnded(t.Context(), ended("b", "ada", "acme", noon.Add(time.Hour))))     // the same user
		must(t, r.SessionEnded(t.Context(), ended("c", "ada", "zeta", noon.Add(time.Hour))))     // another of that name
		must(t, r.SessionEnded(t.Context(), ended("d", "bob", "acme", noon.Add(-13*time.Hour)))) // the day before
		want := rest.Totals{Since: "2026-03-03", Calls: 4, Minutes: 4, Days: []rest.DayTotal{
			{Day: "2026-03-04", Calls: 3, Minutes: 3, Users: 2}, {Day: "2026-03-03", Calls: 1, Minutes: 1, Users: 1},
		}}
		if got := r.totals(""); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got := r.totals("zeta"); got.Calls != 1 || got.Days[0].Users != 1 {
			t.Errorf("of one organization: %+v", got)
		}
		must(t, r.SessionStarted(t.Context(), rest.SessionRecord{ID: "e", UserKey: "eve", Org: "acme", StartedAt: noon}))
		r.pass(400 * 24 * time.Hour)
		r.restart() // which ends what was left open, at its last word
		deleted, err := r.Retain(t.Context(), store.Before{Sessions: r.now().Add(-time.Hour)})
		must(t, err)
		if got := r.totals(""); got.Calls != 5 || got.Days[0].Users != 3 || deleted.Sessions != 5 {
			t.Errorf("after a restart and retention of %d sessions: %+v", deleted.Sessions, got)
		}
	})
}

// TestTotalsOfCallsThatWereThereBefore: a record that is brought to the step which
// counts has the same totals as one that counted all along.
func TestTotalsOfCallsThatWereThereBefore(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	for i, of := range []struct{ user, org string }{{"ada", "acme"}, {"ada", "acme"}, {"ada", "zeta"}, {"bob", "acme"}, {"bob", ""}} {
		must(t, s.SessionEnded(t.Context(), ended(fmt.Sprint(i), of.user, of.org, noon.Add(-time.Duration(i)*10*time.Hour))))
	}
	must(t, s.Close())
	const totals = "SELECT group_concat(day || ' ' || org || ' ' || calls || ' ' || ms || ' ' || users, '; ') FROM (SELECT * FROM day_total ORDER BY day, org)"
	before := openRaw(t, dir)
	want := before.ask(totals)
	for _, undo := range []string{"DROP TABLE day_total", "DROP TRIGGER session_ended", "DROP TRIGGER session_added_ended", "DROP TABLE node", "DROP TABLE cluster_state", "DROP TABLE permit", "ALTER TABLE upstream_call DROP COLUMN node", "DELETE FROM goose_db_version WHERE version_id >= 10"} {
		_, err := before.db.Exec(undo)
		must(t, err)
	}
	must(t, before.db.Close())
	s, err = store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	defer s.Close()
	if got := openRaw(t, dir).ask(totals); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, err := s.Totals(t.Context(), "", 1); err != nil || got.Calls != 5 {
		t.Errorf("%+v, %v", got, err)
	}
}
