package admin_test

import (
	"errors"
	"testing"
	"time"

	"parley/shared/rest"
)

// An erasure is on record before it begins and when it is done; of somebody in a call it
// isn't done.
func TestErasingAPerson(t *testing.T) {
	r := newRig(t)
	who := rest.PersonRef{UserKey: r.mask.UserKey("ada"), Org: "acme", Shown: "ada"}
	keep := func(id, org string) {
		at := time.Now()
		err := r.store.SessionEnded(t.Context(), rest.SessionRecord{ID: id, User: "ada", UserKey: who.UserKey, Org: org, StartedAt: at, EndedAt: &at})
		if err != nil {
			t.Fatal(err)
		}
	}
	keep("here", "acme")
	keep("elsewhere", "zeta")
	r.call("ada", "zeta") // of no matter for acme
	done, err := r.ErasePerson(t.Context(), who, "asked by +1 415 555 2671", root())
	if err != nil || done.Sessions != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	after := r.copyOf()
	if _, err := after.Session(t.Context(), "here"); err == nil {
		t.Error("after a kill the session is there")
	}
	if _, err := after.Session(t.Context(), "elsewhere"); err != nil {
		t.Errorf("the other organization's session: %v", err)
	}
	lines := r.lines()
	if len(lines) != 2 || lines[0].Action != rest.AuditErase || lines[0].Details["stage"] != "finished" || lines[1].Details["stage"] != "begun" || lines[0].Reason == "" || lines[0].Reason == "asked by +1 415 555 2671" {
		t.Errorf("on record: %+v", lines)
	}
	who.Org = ""
	var refused *rest.Problem
	if _, err := r.ErasePerson(t.Context(), who, "", root()); !errors.As(err, &refused) || refused.Code != rest.CodeConflict {
		t.Errorf("in a call: %v", err)
	}
	if n := len(r.lines()); n != 2 {
		t.Errorf("%d lines of what wasn't done", n)
	}
}

// What can't be recorded isn't done.
func TestAnErasureThatCannotBeRecorded(t *testing.T) {
	r := newRig(t)
	at := time.Now()
	if err := r.store.SessionEnded(t.Context(), rest.SessionRecord{ID: "s", UserKey: "k", StartedAt: at, EndedAt: &at}); err != nil {
		t.Fatal(err)
	}
	kept := r.copyOf()
	r.breakAudit()
	if _, err := r.ErasePerson(t.Context(), rest.PersonRef{UserKey: "k"}, "", root()); err == nil {
		t.Error("done without a record")
	}
	if _, err := kept.Session(t.Context(), "s"); err != nil {
		t.Error(err)
	}
}
