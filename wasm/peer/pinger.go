package peer

import (
	"strconv"
	"time"

	"parley/shared/rtcstats"
)

// pinger counts latency pings. A ping is counted once its answer came or its
// time is over, so that those under way never look lost. Answers may come in
// any order, or not at all: each ping carries its number.
type pinger struct {
	next    int64
	sent    map[int64]time.Time
	figures rtcstats.Ping
}

func newPinger() *pinger { return &pinger{sent: make(map[int64]time.Time)} }

// newPing counts a ping that goes out from now on, and returns its text.
func (p *pinger) newPing(now time.Time) string {
	p.next++
	p.sent[p.next] = now
	return strconv.FormatInt(p.next, 10)
}

// unsent takes back the newest ping: the channel wasn't open.
func (p *pinger) unsent() { delete(p.sent, p.next) }

// countPong counts an answer, unless it is none of ours, came twice or too late.
func (p *pinger) countPong(text string, now time.Time) bool {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return false
	}
	at, ok := p.sent[id]
	if !ok || now.Sub(at) > PingLifetime {
		return false
	}
	delete(p.sent, id)
	rtt := now.Sub(at).Seconds()
	p.figures.RequestsSent++
	p.figures.ResponsesReceived++
	p.figures.CurrentRoundTripTime = rtt
	p.figures.TotalRoundTripTime += rtt
	return true
}

// expire counts the pings whose time is over as lost.
func (p *pinger) expire(now time.Time) {
	for id, at := range p.sent {
		if now.Sub(at) > PingLifetime {
			delete(p.sent, id)
			p.figures.RequestsSent++
		}
	}
}

// forget drops all pings under way, uncounted: time stood still meanwhile.
func (p *pinger) forget() { clear(p.sent) }
