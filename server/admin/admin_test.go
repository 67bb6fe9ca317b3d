package admin_test

import (
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/audit"
	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func root() rest.AuditEntry {
	return rest.AuditEntry{Actor: "root", Remote: "203.0.113.7", RequestID: "req_1"}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

// What was answered is so on the disk, even if the server is killed before the
// session itself says that it has ended, and whether or not its start was kept.
func TestAnEndIsOnTheDiskBeforeItIsAnswered(t *testing.T) {
	for name, startKept := range map[string]bool{"its start is kept": true, "its start still waits": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s := r.call("ada@example.org", "acme")
			if startKept {
				snap, _ := r.sessions.Snapshot(s.ID())
				if err := r.store.SessionStarted(t.Context(), r.record(snap)); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.EndSession(t.Context(), s.ID(), "", "call +1 415 555 2671 back", root()); err != nil {
				t.Fatal(err)
			}
			if got := causeOf(s); got != wire.AdminEnded {
				t.Errorf("ended by %q", got)
			}
			got, err := r.copyOf().Session(t.Context(), s.ID())
			if err != nil || got.EndCause != "admin_ended" || got.State != "ended" || got.EndedAt == nil || got.User == "ada@example.org" {
				t.Errorf("after a kill the record says %+v, %v", got, err)
			}
			if got.EndReason == "" || got.EndReason != r.mask.Text("call +1 415 555 2671 back") {
				t.Errorf("the reason is kept as %q", got.EndReason)
			}
			line := r.lines()[0]
			if line.Action != rest.AuditEndSession || line.Target != s.ID() || line.Org != "acme" || line.Outcome != audit.Done || line.Actor != "root" {
				t.Errorf("the audit line %+v", line)
			}
		})
	}
}

// The session's own end, which knows how the line was, completes the record; a
// start that waited so long says nothing anymore.
func TestTheSessionsOwnEndCompletesTheRecord(t *testing.T) {
	r := newRig(t)
	s := r.call("ada", "")
	snap, _ := r.sessions.Snapshot(s.ID())
	if err := r.EndSession(t.Context(), s.ID(), "", "maintenance", root()); err != nil {
		t.Fatal(err)
	}
	if err := r.store.SessionStarted(t.Context(), r.record(snap)); err != nil {
		t.Fatal(err)
	}
	if got := r.kept(s.ID()); got.EndedAt == nil || got.EndCause != "admin_ended" {
		t.Errorf("a late start made of it %+v", got)
	}
	own := r.record(snap)
	own.State, own.EndedAt, own.EndCause, own.EndReason = "ended", new(time.Now()), "admin_ended", "maintenance"
	own.Quality.Level = quality.Good
	if err := r.store.SessionEnded(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	if got := r.kept(s.ID()); got.Quality.Level != quality.Good || got.EndReason != "maintenance" {
		t.Errorf("the record says %+v", got)
	}
}

func TestWhatCannotBeEnded(t *testing.T) {
	r := newRig(t)
	s := r.call("ada", "acme")
	for name, c := range map[string]struct{ id, org string }{
		"nobody's":       {"sess_none", ""},
		"another's":      {s.ID(), "zeta"},
		"almost the one": {s.ID()[:len(s.ID())-1], "acme"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := r.EndSession(t.Context(), c.id, c.org, "x", root()); !errors.Is(err, fault.NotFound) {
				t.Error(err)
			}
		})
	}
	if causeOf(s) != "" || len(r.lines()) != 0 {
		t.Errorf("ended by %q, %d lines", causeOf(s), len(r.lines()))
	}
}

// What can't be recorded isn't done.
func TestNothingIsDoneThatCannotBeRecorded(t *testing.T) {
	r := newRig(t)
	s := r.call("ada", "")
	r.breakAudit()
	if err := r.EndSession(t.Context(), s.ID(), "", "x", root()); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("end: %v", err)
	}
	if _, err := r.RevokeUser(t.Context(), r.person("ada", ""), root()); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("revoke: %v", err)
	}
	if _, err := r.RevealPerson(t.Context(), s.ID(), "", "x", root()); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("reveal: %v", err)
	}
	before := lastActive(r, s.ID())
	if err := r.ExtendSession(t.Context(), s.ID(), "", root()); !errors.Is(err, fault.Unrecorded) || lastActive(r, s.ID()) != before {
		t.Errorf("extend: %v", err)
	}
	if err := r.RestoreUser(t.Context(), 1, "", root()); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("restore: %v", err)
	}
	if _, err := r.CheckTimeouts(t.Context(), root()); !errors.Is(err, fault.Unrecorded) {
		t.Errorf("check: %v", err)
	}
	if causeOf(s) != "" || len(r.revoked) != 0 {
		t.Errorf("ended by %q, revoked %v", causeOf(s), r.revoked)
	}
}

// A caller who hangs up while the end is being written was first: the answer is
// that there is none, and both lines are on record.
func TestAnEndThatComesTooLate(t *testing.T) {
	r := newRig(t)
	s := r.call("ada", "")
	r.before = func() { s.End(wire.CallerLeft, "") }
	if err := r.EndSession(t.Context(), s.ID(), "", "x", root()); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if got := causeOf(s); got != wire.CallerLeft {
		t.Errorf("ended by %q", got)
	}
	if lines := r.lines(); len(lines) != 2 || lines[0].Outcome != audit.Failed || lines[1].Outcome != audit.Done {
		t.Errorf("on record: %+v", lines)
	}
	own := rest.SessionRecord{ID: s.ID(), State: "ended", StartedAt: time.Now(), EndedAt: new(time.Now()), EndCause: "caller_left"}
	if err := r.store.SessionEnded(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	if got := r.kept(s.ID()); got.EndCause != "caller_left" {
		t.Errorf("the record says %s", got.EndCause)
	}
}

func lastActive(r *rig, id string) time.Time {
	live, _ := r.sessions.Snapshot(id)
	return live.LastActiveAt
}

func TestExtendingASession(t *testing.T) {
	r := newRig(t)
	s, over := r.call("ada", "acme"), r.call("bob", "acme")
	over.End(wire.CallerLeft, "")
	for name, c := range map[string]struct{ id, org string }{
		"ended": {over.ID(), ""}, "unknown": {"sess_none", ""}, "of another organization": {s.ID(), "zeta"},
	} {
		if err := r.ExtendSession(t.Context(), c.id, c.org, root()); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(r.lines()) != 0 {
		t.Errorf("on record: %+v", r.lines())
	}
	before := lastActive(r, s.ID())
	if err := r.ExtendSession(t.Context(), s.ID(), "acme", root()); err != nil {
		t.Error(err)
	}
	if now := lastActive(r, s.ID()); !now.After(before) {
		t.Errorf("last active at %v, before at %v", now, before)
	}
	if line := r.lines()[0]; line.Action != rest.AuditExtend || line.Target != s.ID() || line.Org != "acme" {
		t.Errorf("%+v", line)
	}
}

func TestCheckTimeouts(t *testing.T) {
	r := newRig(t)
	r.call("ada", "")
	if got, err := r.CheckTimeouts(t.Context(), root()); err != nil || !reflect.DeepEqual(got, rest.TimeoutsChecked{Checked: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
	if line := r.lines()[0]; line.Action != rest.AuditCheckTimeouts {
		t.Errorf("%+v", line)
	}
}
