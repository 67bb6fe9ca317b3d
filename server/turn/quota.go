package turn

import (
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What one session, and all together, may have relayed.
const (
	// maxPerSession bounds the allocations of a session. A browser makes one for each
	// URL (UDP, TCP, TLS) and network of its machine, and keeps the old ones for a
	// while when it restarts ICE.
	maxPerSession = 16
	// maxAllocations bounds those of all: each costs a goroutine and a queue.
	maxAllocations = 16_384
	// bytesPerSecond bounds what a session sends and gets together: twice Opus's
	// highest rate (64 KB/s) both ways.
	bytesPerSecond = 256 << 10
	// burst is what it may have at once: a second's worth.
	burst = bytesPerSecond
)

var errQuota = errors.New("turn: no allocation left")

// quota counts what is relayed by session.
type quota struct {
	figures *figures

	mu    sync.Mutex
	users map[string]*user
	total int
}

// user is who holds credentials: a session, or a look at the line.
type user struct {
	expires     time.Time // of the newest credentials
	allocations map[*allocation]struct{}
	bytes       *rate.Limiter
}

func newQuota(f *figures) *quota { return &quota{figures: f, users: make(map[string]*user)} }

// hasRoom reports whether a user may have one more allocation.
func (q *quota) hasRoom(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.users[id]
	ok := q.total < maxAllocations && (u == nil || len(u.allocations) < maxPerSession)
	if !ok {
		q.figures.refused(RefusedQuota)
	}
	return ok
}

// note keeps the expiry of a user's newest credentials, if the user has something.
func (q *quota) note(c claim) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if u := q.users[c.id]; u != nil && c.expires.After(u.expires) {
		u.expires = c.expires
	}
}

// open counts what make makes as the user's.
func (q *quota) open(id string, make func() (net.PacketConn, error)) (*allocation, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.users[id]
	if q.total >= maxAllocations || u != nil && len(u.allocations) >= maxPerSession {
		return nil, errQuota
	}
	conn, err := make()
	if err != nil {
		return nil, err
	}
	if u == nil {
		u = newUser()
		q.users[id] = u
	}
	a := &allocation{PacketConn: conn, quota: q, id: id, bytes: u.bytes}
	u.allocations[a] = struct{}{}
	q.total++
	q.figures.allocations.Store(int64(q.total))
	return a, nil
}

func newUser() *user {
	return &user{
		expires:     time.Now().Add(CheckLife), // noted anew with the next message
		allocations: make(map[*allocation]struct{}), bytes: rate.NewLimiter(bytesPerSecond, burst),
	}
}

func (q *quota) remove(a *allocation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.users[a.id]
	if delete(u.allocations, a); len(u.allocations) == 0 {
		delete(q.users, a.id)
	}
	q.total--
	q.figures.allocations.Store(int64(q.total))
}

// closeWhere closes the allocations of the users that are meant: pion takes each
// allocation back whose connection is closed.
func (q *quota) closeWhere(meant func(id string, expires time.Time) bool) {
	var over []*allocation
	q.mu.Lock()
	for id, u := range q.users {
		if meant(id, u.expires) {
			for a := range u.allocations {
				over = append(over, a)
			}
		}
	}
	q.mu.Unlock()
	for _, a := range over {
		a.Close()
	}
}

// allocation is a relayed address that counts what goes through it. What is over the
// session's rate is lost, as on a narrow line.
type allocation struct {
	net.PacketConn
	quota *quota
	id    string
	bytes *rate.Limiter
	once  sync.Once
}

func (a *allocation) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := a.PacketConn.ReadFrom(b)
		if err != nil || a.isAllowed(n, &a.quota.figures.sent) {
			return n, from, err
		}
	}
}

func (a *allocation) WriteTo(b []byte, to net.Addr) (int, error) {
	if !a.isAllowed(len(b), &a.quota.figures.received) {
		return len(b), nil
	}
	return a.PacketConn.WriteTo(b, to)
}

func (a *allocation) isAllowed(n int, count *counter) bool {
	if !a.bytes.AllowN(time.Now(), n) {
		a.quota.figures.dropped.Add(1)
		return false
	}
	count.Add(int64(n))
	return true
}

// Close gives the place back.
func (a *allocation) Close() error {
	a.once.Do(func() { a.quota.remove(a) })
	return a.PacketConn.Close()
}
