package store_test

import (
	"fmt"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// exported restarts the store as one whose logs are handed on.
func (r *rig) exported() {
	r.t.Helper()
	r.stop()
	s, err := r.open(store.Options{Node: "n1", NodeID: 7, Now: r.now, Mask: dotted{}, IsExported: true})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Store = s
}

// dotted masks every person as a reader sees them.
type dotted struct{}

func (dotted) Address(string) string { return "•" }
func (dotted) Phone(string) string   { return "•" }
func (dotted) Email(string) string   { return "•" }
func (dotted) Path(s string) string  { return s }
func (dotted) Text(s string) string {
	if s == "ada@example.org" {
		return "a•••"
	}
	return s
}

func (r *rig) lost() (access, audit int64) {
	r.t.Helper()
	access, audit, err := r.LostLines(r.t.Context())
	must(r.t, err)
	return access, audit
}

// Lines come oldest first and masked, until a collector has them; a restart forgets
// nothing, and a confirmation that comes late takes nothing back.
func TestLinesWaitUntilTheyAreSent(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.exported()
		for i := range 5 {
			r.pass(time.Second)
			r.logs(rest.LogEntry{Path: fmt.Sprint("/", i), User: "ada@example.org", Remote: "192.0.2.1"})
			_, err := r.AppendAudit(t.Context(), rest.AuditEntry{Actor: "ada@example.org", Target: fmt.Sprint(i)}, seal, nil)
			must(t, err)
		}
		lines, err := r.UnsentLogs(t.Context(), 3)
		must(t, err)
		if len(lines) != 3 || lines[0].Path != "/0" || lines[2].Path != "/2" || lines[0].User != "a•••" || lines[0].Remote != "•" {
			t.Errorf("%+v", lines)
		}
		must(t, r.LogsSent(t.Context(), lines[1].ID))
		must(t, r.LogsSent(t.Context(), lines[0].ID))
		must(t, r.AuditSent(t.Context(), 4))
		r.exported()
		if lines, err = r.UnsentLogs(t.Context(), 9); err != nil || len(lines) != 3 || lines[0].Path != "/2" {
			t.Errorf("%+v, %v", lines, err)
		}
		if audit, err := r.UnsentAudit(t.Context(), 9); err != nil || len(audit) != 1 || audit[0].Seq != 5 || audit[0].Actor != "a•••" {
			t.Errorf("%+v, %v", audit, err)
		}
		if access, audit := r.lost(); access != 0 || audit != 0 {
			t.Errorf("%d and %d lost", access, audit)
		}
	})
}

// What retention deletes before a collector has it is counted, once.
func TestDeletedLinesThatWereNotSentAreCounted(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.exported()
		for range 10 {
			r.pass(time.Second)
			r.logs(rest.LogEntry{})
			_, err := r.AppendAudit(t.Context(), rest.AuditEntry{}, seal, nil)
			must(t, err)
		}
		lines, err := r.UnsentLogs(t.Context(), 4)
		must(t, err)
		must(t, r.LogsSent(t.Context(), lines[3].ID))
		must(t, r.AuditSent(t.Context(), 2))
		for range 2 { // the second finds nothing more
			_, err = r.Retain(t.Context(), store.Before{Logs: noon.Add(8 * time.Second)})
			must(t, err)
			_, err = r.RetainAudit(t.Context(), noon.Add(8*time.Second), rest.AuditEntry{}, seal)
			must(t, err)
			if access, audit := r.lost(); access != 3 || audit != 5 {
				t.Errorf("%d and %d lost", access, audit)
			}
		}
		if lines, err = r.UnsentLogs(t.Context(), 20); err != nil || len(lines) != 3 {
			t.Errorf("%d lines wait, %v", len(lines), err)
		}
		if audit, err := r.UnsentAudit(t.Context(), 20); err != nil || len(audit) != 4 || audit[0].Seq != 8 { // the fourth tells of the deletion
			t.Errorf("%+v, %v", audit, err)
		}
	})
}

// A server whose logs nobody takes loses nothing by deleting them.
func TestNothingIsLostWhereNothingIsExported(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.logs(rest.LogEntry{}, rest.LogEntry{})
		r.pass(time.Hour)
		_, err := r.Retain(t.Context(), store.Before{Logs: r.now()})
		must(t, err)
		if access, audit := r.lost(); access != 0 || audit != 0 {
			t.Errorf("%d and %d lost", access, audit)
		}
	})
}

// Where a power cut took lines that a collector has, new ones are numbered above them.
func TestNumbersGoOnAboveWhatWasSent(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.exported()
		r.pass(time.Hour)
		kept := r.logs(rest.LogEntry{})[0]
		must(t, r.LogsSent(t.Context(), kept.ID))
		must(t, r.Write(t.Context(), true, "DELETE FROM log"))
		r.set(noon)
		r.exported()
		if next := r.logs(rest.LogEntry{})[0]; next.ID <= kept.ID {
			t.Errorf("%d comes after %d", next.ID, kept.ID)
		}
	})
}
