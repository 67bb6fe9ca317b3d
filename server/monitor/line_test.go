package monitor_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"parley/server/monitor"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// end is one end of a leg, counting: 50 packets a second each way.
type end struct {
	s        rtcstats.Sample
	in, out  loss // what gets lost on the way in, and out
	rtt      time.Duration
	noise    *rand.Rand // nil: none
	buffered bool       // a browser, with a jitter buffer and pings
	isMute   bool       // nothing comes in
}

// loss loses every nth packet; 0 none.
type loss struct{ every, seen int }

func (l *loss) take() (lost int64) {
	for range 50 {
		if l.seen++; l.every > 0 && l.seen%l.every == 0 {
			lost++
		}
	}
	return lost
}

func newEnd(ssrc uint32, browser bool) *end {
	e := &end{rtt: 40 * time.Millisecond, buffered: browser}
	e.s = rtcstats.Sample{
		Timestamp: 1000,
		Inbound:   &rtcstats.Inbound{ID: "in", SSRC: ssrc, Jitter: 0.003},
		Outbound:  &rtcstats.Outbound{ID: "out", SSRC: ssrc + 1},
		RemoteInbound: &rtcstats.RemoteInbound{
			ID: "rin", SSRC: ssrc + 1, Jitter: new(0.004), TotalRoundTripTime: new(0.0), RoundTripTimeMeasurements: new(int64(0)),
		},
	}
	if browser {
		in := e.s.Inbound
		in.JitterBufferDelay, in.JitterBufferEmittedCount = new(0.0), new(int64(0))
		in.TotalSamplesReceived, in.ConcealedSamples, in.ConcealmentEvents = new(int64(0)), new(int64(0)), new(int64(0))
		e.s.Ping = &rtcstats.Ping{}
		e.s.CandidatePair = &rtcstats.CandidatePair{ID: "pair"}
	}
	return e
}

func (e *end) shake(v, by float64) float64 {
	if e.noise == nil {
		return v
	}
	return max(0, v+by*e.noise.NormFloat64())
}

// second lets a second pass and gives the counters after it.
func (e *end) second() rtcstats.Sample {
	s := &e.s
	s.Timestamp += 1000
	sent := int64(50)
	if e.noise != nil && e.noise.IntN(3) == 0 {
		sent += int64(e.noise.IntN(3)) - 1
	}
	lost, rtt := e.in.take(), e.shake(e.rtt.Seconds(), 0.0015)
	if e.isMute {
		lost = sent
	} else {
		s.Inbound.PacketsLost += lost
	}
	s.Inbound.PacketsReceived += sent - lost
	s.Inbound.BytesReceived += int64(e.shake(80, 6)) * (sent - lost)
	s.Inbound.Jitter = e.shake(0.003, 0.0005)
	s.Outbound.PacketsSent += sent
	s.Outbound.BytesSent += int64(e.shake(80, 6)) * sent
	s.RemoteInbound.PacketsLost += e.out.take()
	*s.RemoteInbound.Jitter = e.shake(0.004, 0.0005)
	*s.RemoteInbound.TotalRoundTripTime += rtt
	*s.RemoteInbound.RoundTripTimeMeasurements++
	if e.buffered {
		*s.Inbound.JitterBufferDelay += 48000 * e.shake(0.05, 0.004)
		*s.Inbound.JitterBufferEmittedCount += 48000
		*s.Inbound.TotalSamplesReceived += 48000
		*s.Inbound.ConcealedSamples += 960 * lost
		*s.Inbound.ConcealmentEvents += lost
		s.Ping.RequestsSent += 2
		s.Ping.ResponsesReceived += 2
		s.Ping.TotalRoundTripTime += 2 * rtt
	}
	return copied(*s)
}

// copied gives a sample of its own: the monitor keeps what it is given.
func copied(s rtcstats.Sample) rtcstats.Sample {
	in, out, remote := *s.Inbound, *s.Outbound, *s.RemoteInbound
	remote.Jitter, remote.TotalRoundTripTime, remote.RoundTripTimeMeasurements =
		new(*remote.Jitter), new(*remote.TotalRoundTripTime), new(*remote.RoundTripTimeMeasurements)
	if in.JitterBufferDelay != nil {
		in.JitterBufferDelay, in.JitterBufferEmittedCount = new(*in.JitterBufferDelay), new(*in.JitterBufferEmittedCount)
		in.TotalSamplesReceived, in.ConcealedSamples, in.ConcealmentEvents =
			new(*in.TotalSamplesReceived), new(*in.ConcealedSamples), new(*in.ConcealmentEvents)
	}
	s.Inbound, s.Outbound, s.RemoteInbound = &in, &out, &remote
	if s.Ping != nil {
		s.Ping = new(*s.Ping)
	}
	return s
}

// call is a session whose ends are looked at.
type call struct {
	m                     *monitor.Monitor
	row                   rest.Session
	client, server, agent *end
	batch                 []rtcstats.Sample
	serverDelay           time.Duration // by which packets are late; 0: none come
}

func newCall(m *monitor.Monitor, id string) *call {
	c := &call{m: m, client: newEnd(1, true), server: newEnd(2, false), agent: newEnd(5, false), row: rest.Session{
		ID: id, User: "ada", Name: "Ada", Org: "acme", Agent: "parrot", State: "active", AgentState: "listening",
		StartedAt: time.Now().UTC(), LastActiveAt: time.Now().UTC(),
	}}
	m.SessionChanged(c.row)
	return c
}

// looks reports the caller's leg by the server now, and by the client in
// batches of five, as a socket brings them.
func (c *call) looks() {
	now := time.Now()
	if c.server != nil {
		c.m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByServer, now, c.server.second())
	}
	if c.agent != nil {
		c.m.SessionSampled(c.row.ID, rtcstats.LegAgent, rtcstats.ByServer, now, c.agent.second())
	}
	if c.client == nil {
		return
	}
	if c.batch = append(c.batch, c.client.second()); len(c.batch) < 5 {
		return
	}
	for i, s := range c.batch {
		at := now.Add(-time.Duration(len(c.batch)-1-i) * time.Second)
		c.m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByClient, at, s)
	}
	c.batch = nil
}

// talk lets a number of seconds pass.
func (c *call) talk(seconds int) {
	for range seconds {
		time.Sleep(time.Second)
		c.looks()
	}
}

func (c *call) end(cause wire.EndCause) {
	c.row.State, c.row.EndCause, c.row.EndedAt = "ended", cause, new(time.Now().UTC())
	c.m.SessionChanged(c.row)
}

// running makes a monitor that runs until the test ends.
func running(t *testing.T, cfg monitor.Config) *monitor.Monitor {
	t.Helper()
	m := monitor.New(cfg)
	done := make(chan struct{})
	go func() { defer close(done); m.Run(t.Context()) }()
	t.Cleanup(func() { <-done })
	// Half a beat off, so that looks and ticks never fall on one instant.
	time.Sleep(monitor.Tick / 2)
	return m
}
