package auth

import (
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"parley/shared/rest"
)

// Limits of tickets.
const (
	// TicketLife is enough to open a socket on a slow line.
	TicketLife = 30 * time.Second
	// MaxTickets may be open at once, of all users. At 60 unsafe requests a minute
	// a user has 30 at most: these are 300 users who do nothing else.
	MaxTickets = 10_000
)

// ErrTooManyTickets says that MaxTickets are open.
var ErrTooManyTickets = errors.New("too many tickets are open")

// tickets open one socket each. They are in memory: none outlives its server.
type tickets struct {
	now func() time.Time

	mu      sync.Mutex
	unused  map[string]ticket // by what the user was given
	sweptAt time.Time
}

// sweepEach is how often what has expired is looked for among all that are open: at each
// issue, ten thousand would make it dear. When there is no room it is looked for at once.
const sweepEach = time.Second

type ticket struct {
	id    Identity
	until time.Time
}

func newTickets(now func() time.Time) *tickets {
	return &tickets{now: now, unused: make(map[string]ticket)}
}

// IssueTicket gives a ticket for one socket, in place of the token that id came
// with, and says until when.
func (a *Auth) IssueTicket(id Identity) (value string, expires time.Time, err error) {
	t := a.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.unused) >= MaxTickets || now.Sub(t.sweptAt) >= sweepEach {
		maps.DeleteFunc(t.unused, func(_ string, k ticket) bool { return !now.Before(k.until) })
		t.sweptAt = now
	}
	if len(t.unused) >= MaxTickets {
		return "", time.Time{}, ErrTooManyTickets
	}
	value, expires = rand.Text(), now.Add(TicketLife)
	t.unused[value] = ticket{id, expires}
	return value, expires, nil
}

// ticketOf finds the ticket of a request for a socket, if it has one.
func ticketOf(r *http.Request) (value string, ok bool) {
	if !isUpgrade(r) {
		return "", false
	}
	for _, line := range r.Header.Values("Sec-Websocket-Protocol") {
		for protocol := range strings.SplitSeq(line, ",") {
			if value, ok = strings.CutPrefix(strings.Trim(protocol, " \t"), rest.TicketProtocol); ok {
				return value, true
			}
		}
	}
	return "", false
}

// authenticateTicket spends a ticket. It is worth what its token is worth by now.
func (a *Auth) authenticateTicket(value string) (Identity, error) {
	t := a.tickets
	t.mu.Lock()
	found, ok := t.unused[value]
	delete(t.unused, value)
	t.mu.Unlock()
	if !ok || !t.now().Before(found.until) {
		return Identity{}, newRefusal("unknown_ticket")
	}
	return a.recheckIdentity(found.id)
}
