package peer

import (
	"context"
	"time"

	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// channelRetry is how soon a first ping is tried again while the channel isn't open yet:
// from the first answer on, silence is noticed within a second.
const channelRetry = 100 * time.Millisecond

// listener brings what happens on the connection to the inbox.
type listener struct{ inbox *inbox }

// Candidate implements Listener.
func (t listener) Candidate(c wire.CandidateInit) {
	t.inbox.put(func(cs *callState) { cs.handleLocalCandidate(c) })
}

// State implements Listener.
func (t listener) State(s ConnectionState) {
	t.inbox.put(func(cs *callState) { cs.handleConnectionState(s) })
}

// Pong implements Listener. The moment counts, not when the call comes to it.
func (t listener) Pong(text string) {
	at := time.Now()
	t.inbox.put(func(cs *callState) { cs.handlePong(text, at) })
}

// AgentEvent implements Listener. Of all events a call tells only what was said.
func (t listener) AgentEvent(text string) {
	if caption, ok := ReadCaption(text); ok {
		t.inbox.put(func(cs *callState) { cs.emit(caption) })
	}
}

// handleConnectionState follows the connection's state. Disconnected is left to the pings,
// which notice sooner.
func (cs *callState) handleConnectionState(s ConnectionState) {
	cs.state = s
	switch s {
	case ConnectionSecuring:
		cs.tellStepsUpTo(StepSecure)
	case ConnectionConnected:
		cs.tellStepsUpTo(StepAgent)
		cs.handleFirstConnected()
	case ConnectionInsecure:
		cs.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: DTLSFailed})
	case ConnectionFailed:
		if !cs.everConnected {
			cs.end(CallEnded{Ended: wire.Ended{Cause: wire.MediaFailed}, Failure: ICEFailed})
			return
		}
		cs.restartICE()
	}
}

// handleFirstConnected starts the call's pulse when the connection first stands.
func (cs *callState) handleFirstConnected() {
	if cs.everConnected {
		return
	}
	cs.everConnected = true
	cs.deadlines.clear(deadlineSetup)
	cs.lastTick = time.Now()
	cs.deadlines.set(deadlinePing, 0)
	cs.deadlines.set(deadlineSample, 0)
	cs.noteSignOfLife()
	cs.tellConnected()
}

func (cs *callState) sendPing() {
	cs.pinger.expire(time.Now())
	next := wire.PingInterval
	if !cs.pingPath() && !cs.hasPinged {
		next = channelRetry
	}
	cs.deadlines.set(deadlinePing, next)
}

// pingPath reports whether the ping channel took a ping.
func (cs *callState) pingPath() bool {
	if cs.conn.Ping(cs.pinger.newPing(time.Now())) != nil {
		cs.pinger.unsent()
		return false
	}
	cs.hasPinged = true
	return true
}

func (cs *callState) handlePong(text string, at time.Time) {
	cs.detectFreeze(at)
	if cs.pinger.countPong(text, at) {
		cs.noteSignOfLife()
	}
}

// detectFreeze finds that the page was frozen or the device slept: pings under way
// are dropped uncounted, no silence is held against the line, and it is probed.
// The wall deadlines is looked at too, because others stand still in a sleep.
func (cs *callState) detectFreeze(now time.Time) {
	const most = FreezeFactor * wire.PingInterval
	if !cs.everConnected || now.Before(cs.lastTick) {
		return
	}
	slept := now.Sub(cs.lastTick) > most || now.Round(0).Sub(cs.lastTick.Round(0)) > most
	cs.lastTick = now
	if !slept {
		return
	}
	cs.hasGap = true
	cs.pinger.forget()
	cs.deadlines.postpone(deadlineAnswer, ProbeTimeout)
	cs.deadlines.postpone(deadlineHello, ProbeTimeout)
	if !cs.isSilent {
		cs.deadlines.set(deadlineDrop, ProbeTimeout)
		cs.deadlines.set(deadlineRestart, ProbeTimeout)
	}
}

// probePath asks the line for a sign of life at once, and restarts it if none comes.
func (cs *callState) probePath() {
	cs.pingPath()
	cs.probeSocket()
	cs.deadlines.pullIn(deadlineDrop, ProbeTimeout)
	cs.deadlines.pullIn(deadlineRestart, ProbeTimeout)
}

// noteSignOfLife notes a sign of life of the media path.
func (cs *callState) noteSignOfLife() {
	if cs.isSilent {
		cs.hurrySocket()
	}
	cs.isSilent, cs.isRestartDue, cs.doubtedFrom = false, false, time.Time{}
	cs.deadlines.set(deadlineDrop, DropAfter)
	cs.deadlines.set(deadlineRestart, RestartAfter)
	if cs.recoverIfWhole(); cs.isDropped() {
		cs.tellDropped()
	}
}

func (cs *callState) handleSilence() {
	cs.isSilent = true
	cs.beginGrace()
	cs.tellDropped()
	cs.probeSocket()
}

// restartICE restarts ICE, if there is a socket to do it by, and looks again later.
// A restart that is under way gets its time. An offer waits for a sign of the socket:
// one that is sent into a cut is delivered by TCP when the path is back, and breaks it
// again, for nobody is left to take the answer.
func (cs *callState) restartICE() {
	cs.handleSilence()
	cs.deadlines.set(deadlineRestart, RestartEvery)
	cs.isRestartDue = cs.link != nil && cs.link.heard.Before(cs.doubtedFrom)
	if !cs.isRestartDue {
		cs.negotiate()
	}
}

// restartSoon restarts ICE unless the path gives a sign at once: what brought the socket
// back may have brought the path, which a restart would only hold up.
func (cs *callState) restartSoon() {
	cs.pingPath()
	cs.deadlines.set(deadlineRestart, wire.PingInterval)
}

// beginGrace sets when the call is given up, once for all that breaks until the
// call is whole again: the time that is left never grows.
func (cs *callState) beginGrace() {
	if cs.until.IsZero() {
		cs.keepPlaceUntil(time.Now().Add(cs.grace()))
	}
}

func (cs *callState) keepPlaceUntil(t time.Time) {
	cs.until = t
	cs.deadlines.at[deadlineGrace] = t
}

func (cs *callState) endGrace() {
	cs.until = time.Time{}
	cs.deadlines.clear(deadlineGrace, deadlineTellDrop)
}

func (cs *callState) isDropped() bool { return cs.dropped != ConnectionDropped{} }

// tellDropped tells that the call is in pieces, and which.
func (cs *callState) tellDropped() {
	if d := (ConnectionDropped{Until: cs.until, HasMedia: !cs.isSilent}); d != cs.dropped {
		cs.dropped = d
		cs.emit(d)
	}
}

// recoverIfWhole ends the grace when the call is whole again: there are signs of the
// path, and of the socket since the path was silent.
func (cs *callState) recoverIfWhole() {
	if cs.until.IsZero() || cs.isSilent || cs.link == nil || !cs.link.ready || cs.deadlines.isSet(deadlineSocketSign) {
		return
	}
	cs.endGrace()
	if cs.isDropped() {
		cs.dropped = ConnectionDropped{}
		cs.emit(ConnectionRecovered{})
	}
}

// takeSample looks at the counters, one look at a time.
func (cs *callState) takeSample() {
	cs.deadlines.set(deadlineSample, wire.SampleInterval)
	if cs.isSampling {
		return
	}
	cs.isSampling = true
	conn := cs.conn
	cs.runAsync(func(ctx context.Context) command {
		ctx, cancel := context.WithTimeout(ctx, wire.SampleInterval)
		defer cancel()
		s, err := conn.Sample(ctx)
		return command{run: func(cs *callState) { cs.handleSample(s, err) }}
	})
}

func (cs *callState) handleSample(s rtcstats.Sample, err error) {
	cs.isSampling = false
	cs.detectFreeze(time.Now())
	if err != nil || !cs.keepSample(s) {
		return
	}
	if s.Inbound != nil && s.Inbound.PacketsReceived != cs.packets {
		if cs.packets = s.Inbound.PacketsReceived; cs.packets > 0 {
			cs.noteSignOfLife()
		}
	}
	if len(cs.batch) >= batchSize || !cs.hasReport {
		cs.sendReport()
	}
}

// takeLastSample makes the books balance at the end, and leaves.
func (cs *callState) takeLastSample() {
	conn := cs.conn
	cs.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cs.ctx), FarewellTimeout)
		defer cancel()
		s, err := conn.Sample(ctx)
		cs.inbox.put(func(cs *callState) {
			if err == nil {
				cs.keepSample(s)
			}
			cs.leave()
		})
	})
}
