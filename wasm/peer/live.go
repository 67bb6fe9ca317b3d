package peer

import (
	"context"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// batchSize is how many samples make a report.
const batchSize = int(wire.ReportInterval / wire.SampleInterval)

// listener brings what happens on the connection to the inbox.
type listener struct{ inbox *inbox }

// Candidate implements Listener.
func (t listener) Candidate(c wire.CandidateInit) {
	t.inbox.put(func(l *line) { l.candidate(c) })
}

// State implements Listener.
func (t listener) State(s ConnectionState) {
	t.inbox.put(func(l *line) { l.changed(s) })
}

// Pong implements Listener. The moment counts, not when the call comes to it.
func (t listener) Pong(text string) {
	at := time.Now()
	t.inbox.put(func(l *line) { l.pong(text, at) })
}

// changed follows the connection's state. Disconnected is left to the pings,
// which notice sooner.
func (l *line) changed(s ConnectionState) {
	l.state = s
	switch s {
	case ConnectionSecuring:
		l.reach(StepSecure)
	case ConnectionConnected:
		l.reach(StepAgent)
		l.up()
	case ConnectionInsecure:
		l.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: DTLSFailed})
	case ConnectionFailed:
		if !l.upOnce {
			l.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: ICEFailed})
			return
		}
		l.restart()
	}
}

// up starts the call's pulse when the connection first stands.
func (l *line) up() {
	if l.upOnce {
		return
	}
	l.upOnce = true
	l.clock.clear(alarmSetup)
	l.tick = time.Now()
	l.clock.after(alarmPing, 0)
	l.clock.after(alarmSample, 0)
	l.heard()
	l.greet()
}

func (l *line) ping() {
	now := time.Now()
	l.pinger.expire(now)
	if l.conn.Ping(l.pinger.ping(now)) != nil {
		l.pinger.unsent()
	}
	l.clock.after(alarmPing, wire.PingInterval)
}

func (l *line) pong(text string, at time.Time) {
	l.noticeGap(at)
	if l.pinger.pong(text, at) {
		l.heard()
	}
}

// noticeGap finds that the page was frozen or the device slept: pings under way
// are dropped uncounted, no silence is held against the line, and it is probed.
// The wall clock is looked at too, because others stand still in a sleep.
func (l *line) noticeGap(now time.Time) {
	const most = FreezeFactor * wire.PingInterval
	if !l.upOnce || now.Before(l.tick) {
		return
	}
	slept := now.Sub(l.tick) > most || now.Round(0).Sub(l.tick.Round(0)) > most
	l.tick = now
	if !slept {
		return
	}
	l.gap = true
	l.pinger.forget()
	l.clock.putOff(alarmAnswer, ProbeTimeout)
	l.clock.putOff(alarmHello, ProbeTimeout)
	if !l.silent {
		l.clock.after(alarmDrop, ProbeTimeout)
		l.clock.after(alarmRestart, ProbeTimeout)
	}
}

// probe asks the line for a sign of life at once, and restarts it if none comes.
func (l *line) probe() {
	if l.conn.Ping(l.pinger.ping(time.Now())) != nil {
		l.pinger.unsent()
	}
	l.clock.hasten(alarmDrop, ProbeTimeout)
	l.clock.hasten(alarmRestart, ProbeTimeout)
}

// heard notes a sign of life of the media path.
func (l *line) heard() {
	l.silent = false
	l.clock.after(alarmDrop, DropAfter)
	l.clock.after(alarmRestart, RestartAfter)
	if l.settle(); l.isDropped() {
		l.drop()
	}
}

func (l *line) fellSilent() {
	l.silent = true
	l.beginGrace()
	l.drop()
}

// restart restarts ICE, if there is a socket to do it by, and looks again later.
// A restart that is under way gets its time.
func (l *line) restart() {
	l.fellSilent()
	l.clock.after(alarmRestart, RestartEvery)
	l.negotiate()
}

// beginGrace sets when the call is given up, once for all that breaks until the
// call is whole again: the time that is left never grows.
func (l *line) beginGrace() {
	if l.until.IsZero() {
		l.until = time.Now().Add(l.grace())
		l.clock.at[alarmGrace] = l.until
	}
}

func (l *line) isDropped() bool { return l.dropped != ConnectionDropped{} }

// drop tells that the call is in pieces, and which.
func (l *line) drop() {
	if d := (ConnectionDropped{Until: l.until, HasMedia: !l.silent}); d != l.dropped {
		l.dropped = d
		l.tell(d)
	}
}

// settle ends the grace when the call is whole again.
func (l *line) settle() {
	if l.until.IsZero() || l.silent || l.link == nil || !l.link.ready {
		return
	}
	l.until = time.Time{}
	l.clock.clear(alarmGrace, alarmTell)
	if l.isDropped() {
		l.dropped = ConnectionDropped{}
		l.tell(ConnectionRecovered{})
	}
}

// sample looks at the counters, one look at a time.
func (l *line) sample() {
	l.clock.after(alarmSample, wire.SampleInterval)
	if l.sampling {
		return
	}
	l.sampling = true
	conn := l.conn
	l.do(func(ctx context.Context) letter {
		ctx, cancel := context.WithTimeout(ctx, wire.SampleInterval)
		defer cancel()
		s, err := conn.Sample(ctx)
		return letter{read: func(l *line) { l.sampled(s, err) }}
	})
}

func (l *line) sampled(s rtcstats.Sample, err error) {
	l.sampling = false
	l.noticeGap(time.Now())
	if err != nil || !l.keep(s) {
		return
	}
	if s.Inbound != nil && s.Inbound.PacketsReceived != l.packets {
		if l.packets = s.Inbound.PacketsReceived; l.packets > 0 {
			l.heard()
		}
	}
	if len(l.batch) >= batchSize {
		l.report()
	}
}

// keep adds the pings to a sample, keeps it for the report and tells it.
func (l *line) keep(s rtcstats.Sample) bool {
	figures := l.pinger.figures
	s.Ping = &figures
	if s.Check() != nil {
		return false // a browser's nonsense would make the server refuse the batch
	}
	l.batch = append(l.batch, s)
	if over := len(l.batch) - wire.MaxSamples; over > 0 {
		l.batch = l.batch[over:]
	}
	l.tell(l.meter.measure(s, l.gap))
	l.gap = false
	return true
}

// lastSample makes the books balance at the end, and leaves.
func (l *line) lastSample() {
	conn := l.conn
	l.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), FarewellTimeout)
		defer cancel()
		s, err := conn.Sample(ctx)
		l.inbox.put(func(l *line) {
			if err == nil {
				l.keep(s)
			}
			l.leave()
		})
	})
}

// report sends the samples kept. Without a socket they wait, the newest ten.
func (l *line) report() {
	if len(l.batch) > 0 && l.send(wire.Report{Samples: l.batch}) {
		l.batch = nil
	}
}
