package store_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"parley/server/privacy"
	"parley/server/store"
	"parley/shared/rest"
)

// Rows of a time when privacy mode was off are masked when they are read; the
// chain of the audit log is read as it was written.
func TestRowsOfATimeWithoutPrivacyAreMaskedWhenRead(t *testing.T) {
	guard, err := privacy.New(privacy.Config{})
	must(t, err)
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{Mask: guard})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	const who, where, all = "ada@example.com", "203.0.113.77", "ada@example.com +905551234534 203.0.113.77"
	now := time.Now().UTC()
	must(t, s.AppendLogs(t.Context(), []rest.LogEntry{{T: now, User: who, Org: who, Path: "/users/ada%2540example.com/x", Remote: where, Session: who, UserAgent: all}}))
	must(t, s.SessionEnded(t.Context(), rest.SessionRecord{ID: "one", User: who, Name: all, Org: who, Phone: "+905551234534", Email: who, Remote: where, EndReason: all, StartedAt: now, EndedAt: &now}))
	must(t, s.AppendActivities(t.Context(), []rest.Activity{{At: now, User: who, Name: all, Phone: "+905551234534", Email: who, Remote: where, Org: who, Detail: all}}))
	must(t, s.PutAlert(t.Context(), rest.Alert{ID: "a", State: "firing", RaisedAt: now, Detail: all, AcknowledgedBy: who}))
	_, err = s.AppendAudit(t.Context(), rest.AuditEntry{T: now, Actor: who, ActorOrg: who, Org: who, Remote: where, Target: "/users/" + who, Reason: all,
		Details: map[string]any{"ids": []any{who}, who: map[string]any{"q": all}, "anchor_hash": strings.Repeat("9f86d081", 8)}},
		func(string, rest.AuditEntry) string { return "sealed" }, nil)
	must(t, err)
	read := func() string {
		var all []any
		keep := func(rows any, _ string, err error) { must(t, err); all = append(all, rows) }
		logs, next, err := s.Logs(t.Context(), rest.LogQuery{})
		keep(logs, next, err)
		sessions, next, err := s.Sessions(t.Context(), rest.SessionQuery{})
		keep(sessions, next, err)
		activities, next, err := s.Activities(t.Context(), rest.ActivityQuery{})
		keep(activities, next, err)
		alerts, next, err := s.Alerts(t.Context(), rest.AlertQuery{})
		keep(alerts, next, err)
		audit, next, err := s.Audit(t.Context(), rest.AuditQuery{})
		keep(audit, next, err)
		text, err := json.Marshal(all)
		must(t, err)
		return string(text)
	}
	if off := read(); strings.Count(off, who) < 14 {
		t.Fatalf("with the mode off it is read as %s", off)
	}
	guard.Set(true)
	on := read()
	for _, secret := range []string{"da@example", "ada%", "5551234", where} {
		if strings.Contains(on, secret) {
			t.Errorf("%q is read: %s", secret, on)
		}
	}
	if !strings.Contains(on, strings.Repeat("9f86d081", 8)) {
		t.Error("the hash of the anchor is masked")
	}
	must(t, s.AuditAll(t.Context(), 1, func(e rest.AuditEntry) error {
		if e.Actor != who {
			t.Errorf("the chain is checked on %q", e.Actor)
		}
		return nil
	}))
}

// TestASearchIsNoOracle: who searches finds what they may see, and nothing by a
// part of what is masked; rows that aren't shown take no room in a page.
func TestASearchIsNoOracle(t *testing.T) {
	guard, err := privacy.New(privacy.Config{})
	must(t, err)
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{Mask: guard})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	begun := time.Now().UTC()
	var lines []rest.LogEntry
	for i := range 40 { // of every four, one is readable
		e := rest.LogEntry{T: begun.Add(time.Duration(i) * time.Millisecond), Path: "/users/ada@example.com", Remote: "203.0.113.77", User: "ada@example.com", UserAgent: "phone +905551234534"}
		if i%4 == 0 {
			e = rest.LogEntry{T: e.T, Path: "/users/adamant", Remote: "ada's"}
		}
		lines = append(lines, e)
	}
	must(t, s.AppendLogs(t.Context(), lines))
	search := func(q rest.LogQuery) (found int) {
		for pages := 0; ; pages++ {
			q.Limit = 3
			page, next, err := s.Logs(t.Context(), q)
			must(t, err)
			found += len(page)
			if next == "" || pages > 40 {
				return found
			}
			q.Cursor = next
		}
	}
	for _, test := range []struct {
		q       rest.LogQuery
		off, on int
	}{
		{rest.LogQuery{Q: "ada"}, 40, 10},
		{rest.LogQuery{Q: "DA@EX"}, 30, 0},
		{rest.LogQuery{Q: "5551234"}, 30, 0},
		{rest.LogQuery{Q: "203.0.113.77"}, 30, 0},
		{rest.LogQuery{Q: "203.0.113."}, 30, 30},
		{rest.LogQuery{Q: "a•••@example.com"}, 0, 30},
		{rest.LogQuery{Path: "/users/ada*"}, 40, 10},
		{rest.LogQuery{Path: "/users/ada@*"}, 30, 0},
		{rest.LogQuery{Path: "/users/ada@example.com"}, 30, 0},
		{rest.LogQuery{Path: "/users/a•••@*"}, 0, 30},
		{rest.LogQuery{Path: "/users/a•••@example.com"}, 0, 30},
		{rest.LogQuery{Path: "/users/adamant"}, 10, 10},
	} {
		guard.Set(false)
		off := search(test.q)
		guard.Set(true)
		if on := search(test.q); off != test.off || on != test.on {
			t.Errorf("q %q path %q: %d and, masked, %d; want %d and %d", test.q.Q, test.q.Path, off, on, test.off, test.on)
		}
	}
}
