package admin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// person is whom a revocation is about.
func (r *rig) person(sub, org string) rest.Revocation {
	return rest.Revocation{User: sub, UserKey: r.mask.UserKey(sub), Org: org}
}

// Who administers one organization ends and refuses what belongs to it, and
// nobody who administers the server.
func TestRevokingAUser(t *testing.T) {
	for name, c := range map[string]struct {
		sub, org string
		block    bool
		ended    []int // of the calls below
	}{
		"everywhere":                              {"ada", "", false, []int{0, 1}},
		"in one organization":                     {"ada", "acme", false, []int{0}},
		"where they are not":                      {"ada", "zeta", false, nil},
		"blocked":                                 {"ada", "", true, []int{0, 1}},
		"an admin of the server, everywhere":      {"root", "", false, []int{3}},
		"an admin of the server, in organization": {"root", "acme", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			calls := []*session.Session{r.call("ada", "acme"), r.call("ada", "other"), r.call("bob", "acme"), r.call("root", "acme")}
			who := r.person(c.sub, c.org)
			who.Block, who.Reason = c.block, "asked by +1 415 555 2671"
			got, err := r.RevokeUser(t.Context(), who, root())
			if err != nil || got.Ended != len(c.ended) || got.ID == 0 || got.Block != c.block || time.Since(got.RefusedBefore) > time.Minute {
				t.Fatalf("%+v, %v", got, err)
			}
			after := r.copyOf()
			for i, s := range calls {
				want := wire.EndCause("")
				for _, ended := range c.ended {
					if i == ended {
						want = wire.Revoked
					}
				}
				if causeOf(s) != want {
					t.Errorf("call %d ended by %q, want %q", i, causeOf(s), want)
				}
				if kept, err := after.Session(t.Context(), s.ID()); want != "" && (err != nil || kept.EndCause != want) {
					t.Errorf("after a kill the record of call %d says %+v, %v", i, kept, err)
				}
			}
			kept, err := after.RevocationsInForce(t.Context())
			if err != nil || len(kept) != 1 {
				t.Fatalf("on disk %+v, %v", kept, err)
			}
			want := rest.Revocation{
				ID: got.ID, User: c.sub, Org: c.org, Block: c.block, Since: got.RefusedBefore.Truncate(time.Millisecond),
				By: "root", Reason: r.mask.Text(who.Reason), UserKey: who.UserKey,
			}
			inMemory := r.revoked[[2]string{c.org, who.UserKey}]
			inMemory.Since = inMemory.Since.Truncate(time.Millisecond)
			if kept[0] != want || inMemory != want || strings.Contains(want.Reason, "5552671") {
				t.Errorf("on disk %+v, in memory %+v, want %+v", kept[0], inMemory, want)
			}
		})
	}
}

func TestTakingARevocationBack(t *testing.T) {
	r := newRig(t)
	done, err := r.RevokeUser(t.Context(), r.person("ada", "acme"), root())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id  int64
		org string
	}{"of another organization": {done.ID, "zeta"}, "that there never was": {done.ID + 1, ""}} {
		if err := r.RestoreUser(t.Context(), c.id, c.org, root()); !errors.Is(err, fault.NotFound) {
			t.Errorf("one %s: %v", name, err)
		}
	}
	if len(r.revoked) != 1 || len(r.lines()) != 1 {
		t.Errorf("in force %v, on record %+v", r.revoked, r.lines())
	}
	if err := r.RestoreUser(t.Context(), done.ID, "acme", root()); err != nil {
		t.Fatal(err)
	}
	if kept, err := r.store.RevocationsInForce(t.Context()); err != nil || len(kept) != 0 || len(r.revoked) != 0 {
		t.Errorf("on disk %+v, in memory %v, %v", kept, r.revoked, err)
	}
	if line := r.lines()[0]; line.Action != rest.AuditRestore || line.Actor != "root" {
		t.Errorf("%+v", line)
	}
	if err := r.RestoreUser(t.Context(), done.ID, "acme", root()); !errors.Is(err, fault.NotFound) {
		t.Errorf("twice: %v", err)
	}
}

func TestRevealingAPerson(t *testing.T) {
	r := newRig(t)
	s, over := r.call("ada@example.org", "acme"), r.call("bob", "acme")
	over.End(wire.CallerLeft, "")
	for name, c := range map[string]struct{ id, org string }{
		"ended": {over.ID(), ""}, "unknown": {"sess_none", ""}, "of another organization": {s.ID(), "zeta"},
	} {
		if got, err := r.RevealPerson(t.Context(), c.id, c.org, "x", root()); !errors.Is(err, fault.NotFound) || got != (rest.Person{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if len(r.lines()) != 0 {
		t.Errorf("on record: %+v", r.lines())
	}
	got, err := r.RevealPerson(t.Context(), s.ID(), "acme", "call +1 415 555 2671", root())
	want := rest.Person{
		Subject: "ada@example.org", Name: "Name of ada@example.org", Phone: "+15550100", Email: "a@b.example", Remote: "192.0.2.7", Org: "acme",
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	line := r.lines()[0]
	if line.Action != rest.AuditReveal || line.Target != s.ID() || line.Org != "acme" || line.Reason != r.mask.Text("call +1 415 555 2671") {
		t.Errorf("%+v", line)
	}
}
