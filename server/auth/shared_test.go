package auth_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

// sharedRecord is what two servers have in common.
type sharedRecord struct {
	people []rest.Revocation
	tokens map[string]time.Time
	during func() // once, while it is read
}

func (r *sharedRecord) RevocationsInForce(context.Context) ([]rest.Revocation, error) {
	found := slices.Clone(r.people)
	if during := r.during; during != nil {
		r.during = nil
		during()
	}
	return found, nil
}

func (r *sharedRecord) RevokedTokens(context.Context) (map[string]time.Time, error) {
	return r.tokens, nil
}

func TestWhatAnotherServerRevokedHoldsHere(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	a := newAuth(t, l.holding(nil))
	token := sign(header, payload(""))
	id, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	record := &sharedRecord{people: []rest.Revocation{{UserKey: "key of alice", Block: true}}, tokens: map[string]time.Time{"other": id.ExpiresAt.Add(auth.Leeway)}}
	fresh, err := a.RefreshRevocations(t.Context(), record)
	if err != nil || len(fresh.People) != 1 || !slices.Equal(fresh.Tokens, []string{"other"}) {
		t.Fatalf("new: %+v, %v", fresh, err)
	}
	if _, err := a.Verify(token); err == nil {
		t.Error("a person who was blocked elsewhere gets in")
	}
	if fresh, _ = a.RefreshRevocations(t.Context(), record); len(fresh.People)+len(fresh.Tokens) != 0 {
		t.Errorf("new twice: %+v", fresh)
	}
	record.people = nil
	if _, err := a.RefreshRevocations(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verify(token); err != nil {
		t.Errorf("taken back elsewhere, and yet %v", err)
	}
}

func TestARevocationWhileTheRecordIsReadStays(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	a := newAuth(t, l.holding(nil))
	token := sign(header, payload(""))
	block := rest.Revocation{UserKey: "key of alice", Block: true}
	record := &sharedRecord{}
	record.during = func() { record.people = append(record.people, block); a.PutRevocation(block) }
	if _, err := a.RefreshRevocations(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Verify(token); err == nil {
		t.Error("what was read before took back what came after")
	}
}

// sharedSignIns are those that another server kept.
type sharedSignIns struct {
	of    *memoryStore
	asked int
}

func (s *sharedSignIns) SignIn(_ context.Context, hash string) (userKey, sealed string, expires time.Time, ok bool, err error) {
	s.asked++
	for _, in := range s.of.signIns {
		if in.hash == hash {
			return in.userKey, in.sealed, in.expires, true, nil
		}
	}
	return "", "", time.Time{}, false, nil
}

func TestASignInOfAnotherServerHoldsHere(t *testing.T) {
	l := &memoryStore{tokens: map[string]time.Time{}}
	shared := &sharedSignIns{of: l}
	there := newAuth(t, l.holding(nil))
	here := newAuth(t, func(c *auth.Config) {
		(&memoryStore{tokens: map[string]time.Time{}}).holding(nil)(c)
		c.SharedSignIns = shared
	})
	id, err := there.Verify(sign(header, payload("")))
	if err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "http://parley.test/", nil)
	if err := there.StartSession(w, r, id); err != nil {
		t.Fatal(err)
	}
	r = httptest.NewRequest("GET", "http://parley.test/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	for range 3 {
		if got, err := here.Authenticate(r); err != nil || got.Subject != id.Subject {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if shared.asked != 1 {
		t.Errorf("the record was asked %d times", shared.asked)
	}
}
