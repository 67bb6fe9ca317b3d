package upstream

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"

	"parley/server/agent"
	"parley/server/agent/realtime"
	"parley/server/leg"
	"parley/shared/rest"
	"parley/shared/wire"
)

// The steps of a check.
const (
	stepExchange   = "exchange"    // the request and its answer
	stepConnection = "connection"  // ICE and DTLS
	stepChannel    = "channel"     // the data channel of events
	stepFirstEvent = "first_event" // session.created
	stepAudioOut   = "audio_out"   // to the service
	stepAudioIn    = "audio_in"    // from it
	stepHangUp     = "hang_up"
)

const (
	// maxCheck bounds a check up to its hang-up: an admin waits for it. The exchange and
	// the connection may take 10 s each, what comes after as long again.
	maxCheck = 40 * time.Second
	// frameEach is the length of the frames that a check sends.
	frameEach = 20 * time.Millisecond
	// anyReference stands for a call where only the dialect matters.
	anyReference = "any"
)

// silentFrame is an Opus packet of 20 ms of digital silence (RFC 6716 §3.1: CELT,
// fullband, one frame), as encoders write it.
func silentFrame() []byte { return []byte{0xf8, 0xff, 0xfe} }

// check is a trial call and what was found so far.
type check struct {
	agent *Agent
	trial *trial
	leg   *upstreamLeg // nil: no call came about
	began time.Time
	steps []rest.AgentCheckStep
	// isOver is set once the call can't go on.
	isOver bool
}

// Check implements agent.Checker: it calls the service as a caller would who says
// nothing and asks it to speak, and hangs up. The call takes one of max_calls, and is
// on disk until it is hung up; what it uses is logged, and counts to no user.
func (a *Agent) Check(ctx context.Context) rest.AgentCheck {
	c := &check{agent: a, trial: newTrial(), began: time.Now()}
	session := "check_" + strings.ToLower(rand.Text())
	calling, cancel := context.WithTimeout(ctx, maxCheck)
	defer cancel()
	c.call(calling, session)
	c.hangUp()
	result := rest.AgentCheck{Agent: a.cfg.Name, Result: worst(c.steps), Steps: c.steps}
	used := c.trial.usage()
	a.log.Info("agent checked", "session", session, "event", "agent_check", "agent", a.cfg.Name, "cause", string(result.Result),
		"took", time.Since(c.began), "tokens", used.Tokens.Sum(), "cost_micros", used.CostMicros, "currency", used.Currency)
	return result
}

// worst is the result of all steps.
func worst(steps []rest.AgentCheckStep) rest.CheckResult {
	result := rest.CheckOK
	for _, s := range steps {
		switch {
		case s.Result == rest.CheckFailed:
			return rest.CheckFailed
		case s.Result == rest.CheckMissing:
			result = rest.CheckMissing
		}
	}
	return result
}

// call goes through the steps up to the hang-up. The leg itself bounds the exchange and
// the connection.
func (c *check) call(ctx context.Context, session string) {
	t := c.trial
	c.open(ctx, session)
	exchanged := c.step(ctx, stepExchange, t.exchanged, c.began, nil)
	connected := c.step(ctx, stepConnection, t.connected, exchanged, nil)
	if c.isOver {
		c.skip(stepChannel, stepFirstEvent, stepAudioOut, stepAudioIn)
		return
	}
	stop := c.sendSilence(ctx)
	defer stop()
	c.tryEvents(ctx, connected)
	c.leg.toAgent(realtime.AskForSpeech())
	t.ask()
	asked := time.Now()
	c.step(ctx, stepAudioOut, t.reported, connected, missingError("the service doesn't report whether the audio that it is sent arrives"))
	c.step(ctx, stepAudioIn, t.heard, asked, errors.New("asked by response.create to speak, the service sends no audio; look at model and voice"))
}

// open begins the call.
func (c *check) open(ctx context.Context, session string) {
	t := c.trial
	l, err := c.agent.open(ctx, agent.Call{Session: session, User: session, Audio: t, Messages: t, Measures: t}, t, t)
	if err != nil {
		t.answered(err)
		t.hangUpTried(errNothingOpen)
		return
	}
	c.leg = l
}

// tryEvents holds that the service has a channel of events, and begins to use it.
func (c *check) tryEvents(ctx context.Context, connected time.Time) {
	opened := c.step(ctx, stepChannel, c.trial.opened, connected, errors.New("the data channel "+wire.EventChannel+" doesn't open; look at dialect and url"))
	if last := c.steps[len(c.steps)-1]; last.Result != rest.CheckOK {
		c.skip(stepFirstEvent)
		return
	}
	c.step(ctx, stepFirstEvent, c.trial.told, opened, errors.New("no event comes; look at dialect and model"))
}

// sendSilence sends a caller's audio in real time, until the returned func is called.
func (c *check) sendSilence(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(frameEach)
		defer tick.Stop()
		h := rtp.Header{Version: 2, SSRC: 1}
		level := rtp.AudioLevelExtension{Level: 127} // RFC 6464 §3: digital silence
		for ctx.Err() == nil {
			c.leg.HandleRTP(&h, silentFrame(), &level)
			h.SequenceNumber++
			h.Timestamp += uint32(frameEach * leg.ClockRate / time.Second)
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() { cancel(); running.Wait() }
}

// step waits until the call gets to m, notes how long that took from a time on, and
// returns when it was. late is what it means that m isn't reached in time, if that is
// bounded here: the call goes on then. Without it, what isn't reached ends the call.
func (c *check) step(ctx context.Context, name string, m *milestone, from time.Time, late error) time.Time {
	if c.isOver {
		c.skip(name)
		return from
	}
	err := c.reach(ctx, m, from, late)
	at := time.Now()
	if m.isReached() {
		at = m.at
	}
	c.note(name, at.Sub(from), err)
	return at
}

// reach waits for a milestone, and returns why it can't be gone on from. An error that
// isn't late, nor the milestone's own, means that the call is over.
func (c *check) reach(ctx context.Context, m *milestone, from time.Time, late error) error {
	var isLate <-chan time.Time
	if late != nil {
		timer := time.NewTimer(max(0, c.agent.cfg.Timeouts.Check-time.Since(from)))
		defer timer.Stop()
		isLate = timer.C
	}
	select {
	case <-m.done:
	case <-isLate:
	case <-c.trial.left.done:
	case <-ctx.Done():
	}
	switch { // several may have come at once
	case m.isReached() && m.err == nil:
		return nil
	case ctx.Err() != nil:
		c.isOver = true
		return errors.New("the check was broken off, or took longer than " + maxCheck.String())
	case m.isReached():
		c.isOver = late == nil
		return m.err
	case c.trial.left.isReached():
		c.isOver = true
		return c.trial.left.err
	}
	return late
}

// hangUp ends the call, and waits until the service confirms that.
func (c *check) hangUp() {
	began := time.Now()
	if c.leg != nil {
		_ = c.leg.Close() // it has no error
	}
	m := c.trial.hungUp
	timer := time.NewTimer(c.agent.cfg.Timeouts.Check)
	defer timer.Stop()
	select {
	case <-m.done:
		c.noteHangUp(m.at.Sub(began), m.err)
	case <-timer.C:
		c.note(stepHangUp, time.Since(began), errors.New("the service doesn't confirm that the call is over; it is asked again meanwhile"))
	}
}

// noteHangUp notes what came of the first request to hang up.
func (c *check) noteHangUp(took time.Duration, err error) {
	switch {
	case !errors.Is(err, errNothingOpen):
	case c.steps[0].Result != rest.CheckOK:
		c.skip(stepHangUp)
		return
	case c.agent.canHangUp(anyReference):
		err = missingError("the service told no Location to hang up by; the call ends with its connection")
	default:
		err = missingError("the dialect has no hang-up; the call ends with its connection")
	}
	c.note(stepHangUp, took, err)
}

// note notes a step that was tried.
func (c *check) note(name string, took time.Duration, err error) {
	s := rest.AgentCheckStep{Name: name, Result: rest.CheckOK, TookMS: max(0, float64(took.Microseconds())/1000)}
	var missing missingError
	var problem *Problem
	switch {
	case err == nil:
	case errors.As(err, &missing):
		s.Result, s.Detail = rest.CheckMissing, missing.Error()
	case errors.As(err, &problem):
		s.Result, s.Detail = rest.CheckFailed, string(problem.Kind)+": "+problem.Detail
	default:
		s.Result, s.Detail = rest.CheckFailed, err.Error()
	}
	c.steps = append(c.steps, s)
}

// skip notes steps that can't be tried any more.
func (c *check) skip(names ...string) {
	for _, name := range names {
		c.steps = append(c.steps, rest.AgentCheckStep{Name: name, Result: rest.CheckUntried})
	}
}
