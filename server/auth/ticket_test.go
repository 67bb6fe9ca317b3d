package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
	"parley/shared/rest"
)

// socketWith asks for a socket with these subprotocols.
func socketWith(protocols ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://parley.test/api/v1/realtime/ws", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	for _, p := range protocols {
		r.Header.Add("Sec-WebSocket-Protocol", p)
	}
	return r
}

// ticketFor gives a ticket for a token's user, and that user.
func ticketFor(t testing.TB, a *auth.Auth, token string) (string, auth.Identity) {
	t.Helper()
	id, err := a.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := a.IssueTicket(id)
	if err != nil {
		t.Fatal(err)
	}
	return value, id
}

func TestATicketOpensOneSocket(t *testing.T) {
	a := newAuth(t, nil)
	value, want := ticketFor(t, a, sign(header, payload(`,"jti":"j1","name":"Ann"`)))
	if len(value) < 26 { // of base32: 130 bits
		t.Fatalf("a ticket of %d characters", len(value))
	}
	if got, err := a.Authenticate(socketWith("parley.v1, " + rest.TicketProtocol + value)); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := a.Authenticate(socketWith("parley.v1", rest.TicketProtocol+value)); !errors.Is(err, auth.ErrUnauthorized) {
		t.Fatalf("twice: %v", err)
	}
}

func TestTicketsThatOpenNothing(t *testing.T) {
	a := newAuth(t, nil)
	token := sign(header, payload(`,"jti":"j1"`))
	session := sessionOf(t, a, token)
	for name, test := range map[string]func(value string) *http.Request{
		"made up":                func(string) *http.Request { return socketWith(rest.TicketProtocol + "x") },
		"empty":                  func(string) *http.Request { return socketWith(rest.TicketProtocol) },
		"in another case":        func(v string) *http.Request { return socketWith("Parley.ticket." + v) },
		"a token for a ticket":   func(string) *http.Request { return socketWith(rest.TicketProtocol + token) },
		"a session for a ticket": func(string) *http.Request { return socketWith(rest.TicketProtocol + session) },
		"in a query": func(v string) *http.Request {
			r := socketWith("parley.v1")
			r.URL.RawQuery = "ticket=" + v
			return r
		},
		"as a bearer": func(v string) *http.Request {
			r := socketWith("parley.v1")
			r.Header.Set("Authorization", "Bearer "+v)
			return r
		},
		"without a socket": func(v string) *http.Request {
			r := socketWith(rest.TicketProtocol + v)
			r.Header.Del("Upgrade")
			return r
		},
		"bad, beside a good cookie": func(string) *http.Request {
			r := socketWith(rest.TicketProtocol + "x")
			r.AddCookie(&http.Cookie{Name: "parley_session", Value: session})
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			value, _ := ticketFor(t, a, token)
			if id, err := a.Authenticate(test(value)); !errors.Is(err, auth.ErrUnauthorized) || !reflect.DeepEqual(id, auth.Identity{}) {
				t.Fatalf("%+v, %v", id, err)
			}
		})
	}
}

// TestATicketIsWorthItsToken: what ends the token ends its tickets.
func TestATicketIsWorthItsToken(t *testing.T) {
	for name, end := range map[string]func(*auth.Auth){
		"signed out": func(a *auth.Auth) { a.Revoke("j1", now.Add(time.Hour)) },
		"revoked":    func(a *auth.Auth) { a.RevokeUser("", "alice", now.Add(time.Second)) },
	} {
		a := newAuth(t, nil)
		value, _ := ticketFor(t, a, sign(header, payload(`,"jti":"j1"`)))
		end(a)
		if _, err := a.Authenticate(socketWith(rest.TicketProtocol + value)); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTicketLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		token, _ := a.Mint(auth.Claims{Subject: "alice"}, time.Hour)
		first, id := ticketFor(t, a, token)
		second, expires, err := a.IssueTicket(id)
		if err != nil || time.Until(expires) != 30*time.Second {
			t.Fatalf("until %s, %v", expires, err)
		}
		time.Sleep(30*time.Second - time.Nanosecond)
		if _, err := a.Authenticate(socketWith(rest.TicketProtocol + first)); err != nil {
			t.Fatalf("a nanosecond before: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := a.Authenticate(socketWith(rest.TicketProtocol + second)); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("at its end: %v", err)
		}
	})
}

func TestMaxTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		for i := range auth.MaxTickets {
			if _, _, err := a.IssueTicket(auth.Identity{Subject: fmt.Sprint(i)}); err != nil {
				t.Fatalf("ticket %d: %v", i+1, err)
			}
		}
		if _, _, err := a.IssueTicket(auth.Identity{}); !errors.Is(err, auth.ErrTooManyTickets) {
			t.Fatalf("one more: %v", err)
		}
		time.Sleep(auth.TicketLife)
		if _, _, err := a.IssueTicket(auth.Identity{}); err != nil {
			t.Fatalf("after they expired: %v", err)
		}
	})
}
