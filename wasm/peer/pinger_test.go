package peer

import (
	"testing"
	"time"
)

func TestPings(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	for name, c := range map[string]struct {
		do             func(t *testing.T, p *pinger)
		sent, answered int64
		total          float64 // s
	}{
		"answered": {func(t *testing.T, p *pinger) {
			mustCount(t, p, p.newPing(at(0)), at(20*time.Millisecond))
		}, 1, 1, .02},
		"under way: not lost yet": {func(_ *testing.T, p *pinger) {
			p.newPing(at(0))
			p.expire(at(PingLifetime))
		}, 0, 0, 0},
		"lost a moment later": {func(_ *testing.T, p *pinger) {
			p.newPing(at(0))
			p.expire(at(PingLifetime + 1))
		}, 1, 0, 0},
		"answered in any order": {func(t *testing.T, p *pinger) {
			first, second := p.newPing(at(0)), p.newPing(at(500*time.Millisecond))
			mustCount(t, p, second, at(600*time.Millisecond))
			mustCount(t, p, first, at(700*time.Millisecond))
		}, 2, 2, .8},
		"answered twice": {func(t *testing.T, p *pinger) {
			text := p.newPing(at(0))
			mustCount(t, p, text, at(time.Millisecond))
			mustNotCount(t, p, text, at(2*time.Millisecond))
		}, 1, 1, .001},
		"answered too late": {func(t *testing.T, p *pinger) {
			mustNotCount(t, p, p.newPing(at(0)), at(PingLifetime+1))
		}, 0, 0, 0},
		"none of ours": {func(t *testing.T, p *pinger) {
			p.newPing(at(0))
			for _, text := range []string{"", "2", "-1", "one", "1.0"} {
				mustNotCount(t, p, text, at(1))
			}
		}, 0, 0, 0},
		"taken back: the channel was shut": {func(_ *testing.T, p *pinger) {
			p.newPing(at(0))
			p.unsent()
			p.expire(at(time.Hour))
		}, 0, 0, 0},
		"forgotten: the page slept": {func(t *testing.T, p *pinger) {
			text := p.newPing(at(0))
			p.forget()
			mustNotCount(t, p, text, at(1))
			p.expire(at(time.Hour))
		}, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPinger()
			c.do(t, p)
			f := p.figures
			if f.RequestsSent != c.sent || f.ResponsesReceived != c.answered || f.TotalRoundTripTime < c.total-1e-9 || f.TotalRoundTripTime > c.total+1e-9 {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func mustCount(t *testing.T, p *pinger, text string, at time.Time) {
	t.Helper()
	if !p.countPong(text, at) {
		t.Errorf("the answer %q isn't counted", text)
	}
}

func mustNotCount(t *testing.T, p *pinger, text string, at time.Time) {
	t.Helper()
	if p.countPong(text, at) {
		t.Errorf("the answer %q is counted", text)
	}
}
