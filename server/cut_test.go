package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// cutSocket is a signaling socket on a network that may be cut: what is under way then
// is lost, and the socket with it.
type cutSocket struct {
	peer.Socket
	isCut  *atomic.Bool
	isDead atomic.Bool
}

func (s *cutSocket) dies() bool {
	if s.isCut.Load() {
		s.isDead.Store(true)
	}
	return s.isDead.Load()
}

func (s *cutSocket) Send(ctx context.Context, frame []byte) error {
	if s.dies() {
		return nil
	}
	return s.Socket.Send(ctx, frame)
}

func (s *cutSocket) Receive(ctx context.Context) ([]byte, error) {
	for {
		frame, err := s.Socket.Receive(ctx)
		if err != nil || !s.dies() {
			return frame, err
		}
	}
}

// cutDial has sockets be opened on a network that may be cut.
func cutDial(isCut *atomic.Bool) func(*peer.Config) {
	return func(cfg *peer.Config) {
		dial := cfg.Dial
		cfg.Dial = func(ctx context.Context) (peer.Socket, error) {
			if isCut.Load() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			s, err := dial(ctx)
			if err != nil {
				return nil, err
			}
			return &cutSocket{Socket: s, isCut: isCut}, nil
		}
	}
}

// cutWithin is by how many seconds a count of a cut may be wrong: each end looks once a
// second, and notices at its own moment when the cut begins and ends.
const cutWithin = 2.0

// A cut counts for its length, by the word of both ends and in both directions, however
// early in a call it comes; and it is told once.
func TestAnEarlyCutIsCountedWhole(t *testing.T) {
	t.Parallel()
	const least = 10 * time.Second
	for _, after := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			var isCut atomic.Bool
			p := start(t)
			path := func(c net.PacketConn) net.PacketConn { return &badPath{PacketConn: c, isBad: &isCut, loss: 1} }
			k := p.ringOver(t, "echo", path, cutDial(&isCut))
			k.say(t, after, false)
			cut := time.Now()
			isCut.Store(true)
			k.say(t, least, false)
			isCut.Store(false)
			lasts := time.Since(cut) // a busy machine speaks slower
			k.say(t, 6*time.Second, false)
			if drops, back := events[peer.ConnectionDropped](k), events[peer.ConnectionRecovered](k); len(back) != 1 || len(drops) == 0 {
				t.Errorf("dropped %v, recovered %d times", drops, len(back))
			}
			var c rest.Connection
			p.ask(t, "demo-admin", http.MethodGet, "/api/v1/monitoring/connection/"+k.session(), nil, &c)
			seen := 0
			for _, stream := range c.Streams {
				if stream.Leg != rtcstats.LegCaller {
					continue
				}
				seen++
				if got := float64(stream.PacketsLost) / 50; math.Abs(got-lasts.Seconds()) > cutWithin {
					t.Errorf("%s by %s: %.1f s lost, the cut took %v", stream.Direction, stream.MeasuredBy, got, lasts)
				}
			}
			if seen != 4 {
				t.Errorf("%d streams of the caller's leg", seen)
			}
		})
	}
}

// A page that counts down to its end, and the server that keeps the place, give up
// within a second of each other: both count from when they last heard the other.
func TestPageAndServerGiveUpTogether(t *testing.T) {
	t.Parallel()
	var isCut atomic.Bool
	p := start(t, "--reconnect-grace=8s")
	path := func(c net.PacketConn) net.PacketConn { return &badPath{PacketConn: c, isBad: &isCut, loss: 1} }
	k := p.ringOver(t, "echo", path, cutDial(&isCut))
	k.say(t, 2*time.Second, false)
	giving := startStopwatch(0)
	isCut.Store(true)
	if end := k.over(t); end.Ended.Cause != wire.ConnectionLost {
		t.Errorf("the page ended by %+v", end)
	}
	drops := events[peer.ConnectionDropped](k)
	if len(drops) == 0 {
		t.Fatal("no drop was told")
	}
	var record rest.SessionRecord
	eventually(t, "the session is over", func() bool {
		return p.ask(t, "ann", http.MethodGet, rest.PathOwnSessions+"/"+k.session(), nil, &record) == http.StatusOK && record.EndedAt != nil
	})
	giving.holds(t, "from the end that the page counts down to, to the server's", record.EndedAt.Sub(drops[0].Until).Abs(), time.Second)
	if record.EndCause != wire.ConnectionLost {
		t.Errorf("the server ends by %s", record.EndCause)
	}
	if session.NoticeAfter != peer.DropAfter {
		t.Errorf("the server takes a page to notice after %v, it does after %v", session.NoticeAfter, peer.DropAfter)
	}
}
