package accesslog

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"parley/shared/rest"
)

// What of the requests without a valid token is kept line by line.
const (
	// DefaultStrangerLines is how many a second an address has lines of its own
	// for: a browser that loads the page makes about twenty requests.
	DefaultStrangerLines = 50
	// strangerWindow is how long they are counted together.
	strangerWindow = time.Second
	// maxStrangers bounds the addresses that are counted apart in one window; those
	// beyond share one count.
	maxStrangers = 10_000
	// strangerBits is how much of an IPv6 address is one subscriber (RFC 6177).
	strangerBits = 64
)

// strangerLimiter counts requests without a valid token, by address: those beyond the
// limit share one line, so that nobody fills the disk who may not even come in.
type strangerLimiter struct {
	limit int

	mu      sync.Mutex
	counts  map[netip.Addr]int
	remotes map[netip.Addr]string // as they are shown
}

func newStrangerLimiter(limit int) *strangerLimiter {
	return &strangerLimiter{limit: limit, counts: map[netip.Addr]int{}, remotes: map[netip.Addr]string{}}
}

// takeLine counts a request and reports whether it has a line of its own.
func (s *strangerLimiter) takeLine(remote, shown string) bool {
	key := prefixOf(remote)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.counts[key]; !known && len(s.counts) >= maxStrangers {
		key = netip.Addr{}
	}
	s.counts[key]++
	if s.counts[key] <= s.limit {
		return true
	}
	if s.remotes[key] = shown; key == (netip.Addr{}) {
		s.remotes[key] = "" // of many
	}
	return false
}

// prefixOf is what of an address one stranger has; all that are no address
// are one.
func prefixOf(remote string) netip.Addr {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		remote = ap.Addr().String()
	}
	ip, err := netip.ParseAddr(remote)
	if err != nil {
		return netip.Addr{}
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		prefix, _ := ip.Prefix(strangerBits) // never fails for an address without zone
		return prefix.Addr()
	}
	return ip
}

// surplusCount gives one line for each address that asked for more than has lines of
// its own, and begins to count anew.
func (s *strangerLimiter) surplusCount(now time.Time, node string) []rest.LogEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []rest.LogEntry
	for key, remote := range s.remotes {
		lines = append(lines, rest.LogEntry{
			T: now.UTC().Truncate(time.Millisecond), Kind: rest.LogCounted, Remote: remote, Node: node,
			Count: int64(s.counts[key] - s.limit),
		})
	}
	clear(s.counts)
	clear(s.remotes)
	return lines
}

// addSurplus adds the lines of strangers each window, until ctx is done, and
// once more then.
func (l *Log) addSurplus(ctx context.Context) {
	tick := time.NewTicker(strangerWindow)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.addCounted(now)
		case <-ctx.Done():
			return
		}
	}
}

func (l *Log) addCounted(now time.Time) {
	for _, line := range l.strangers.surplusCount(now, l.cfg.Node) {
		l.add(line)
	}
}
