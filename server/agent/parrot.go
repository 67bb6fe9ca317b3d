package agent

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"

	"parley/server/leg"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// How a parrot takes turns.
const (
	// endSilence is the pause that ends the caller's turn: longer than those
	// inside a sentence, short enough that the answer comes within 800 ms.
	endSilence = 600 * time.Millisecond
	// leastSpeech is what a turn must hold: a cough or a click is none.
	leastSpeech = 120 * time.Millisecond
	// bargeIn is how much the caller must say, within bargeWindow, to be let in
	// while the parrot speaks: a loud packet or two may be its own voice.
	bargeIn     = 100 * time.Millisecond
	bargeWindow = 240 * time.Millisecond
	// before and after are kept around the speech, so that no sound is cut.
	before = 200 * time.Millisecond
	after  = 200 * time.Millisecond
)

// Parrot listens, and says back what was said once the caller stops. Talk over
// it, and it stops. The first 30 seconds of a turn are kept in memory, until
// they are said or the call ends.
type Parrot struct {
	Guard Guard // of what is kept
}

// parrotName is what the guard knows a parrot by.
const parrotName = "parrot"

// Open implements Agent.
func (a Parrot) Open(_ context.Context, call Call, on Events) (Leg, error) {
	if err := a.Guard.Hold(parrotName, call.Session, longestTurn); err != nil {
		return nil, err
	}
	p := &parrot{guard: a.Guard, session: call.Session, out: call.Audio, on: on, measures: call.Measures, caller: NewSpeechDetector(on, rtcstats.LegCaller), self: spoken{on: on, by: rtcstats.LegAgent}}
	p.header.SequenceNumber, p.header.Timestamp = uint16(rand.Uint32()), rand.Uint32()
	on.AgentState(wire.AgentListening)
	return p, nil
}

// parrot is one call. HandleRTP fills a buffer. step, woken by a timer, finds that a
// turn is over, and then sends each packet when it is due. Nothing runs while
// neither of the two has something to say.
type parrot struct {
	deaf
	guard    Guard
	session  string
	out      leg.RTPWriter
	on       Events
	measures Measures
	caller   *SpeechDetector // HandleRTP's alone

	self   spoken     // step's alone, as are:
	header rtp.Header // of the newest packet said
	sentAt time.Time
	sentN  uint32 // how long it plays

	mu       sync.Mutex // events are told under it, so that they come in order
	closed   bool
	timer    *time.Timer
	due      bool           // a step is scheduled
	stepping bool           // a step runs
	running  sync.WaitGroup // of both

	heard  turnBuffer    // what comes in
	voiced time.Duration // voice in this turn
	endAt  uint32        // clock time in heard of the newest voice
	lastAt time.Time     // when it came
	barge  time.Duration // voice in the window that began at bargeAt
	begun  time.Time
	since  time.Time  // of the first voice in this turn
	turn   *rest.Turn // that is being answered
	number int        // of turns

	said  turnBuffer // what goes out; empty while listening
	next  int
	start time.Time // of the answer
	stamp uint32    // RTP timestamp at start
}

// HandleRTP implements Leg.
func (p *parrot) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	n := samples(payload)
	now := time.Now()
	voiced := p.caller.Heard(payload, level, now)
	if p.take(h.Timestamp, payload, n, voiced, now) {
		// More than a turn is the guard's to decide, and for admins to know of. It
		// refuses, and the rest of the turn is not kept.
		_ = p.guard.Hold(parrotName, p.session, longestTurn+duration(n))
	}
}

// take keeps a packet and lets it count. It reports whether a turn has just
// become longer than what may be kept.
func (p *parrot) take(stamp uint32, payload []byte, n uint32, voiced bool, now time.Time) (isFull bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	isFull = p.heard.add(stamp, payload, n)
	switch {
	case voiced && p.isSpeakingLocked():
		p.interruptLocked(now, duration(n))
	case voiced:
		p.countVoiceLocked(now, duration(n), 0)
	}
	switch {
	case p.isSpeakingLocked():
		p.heard.trim(before + bargeWindow)
	case p.voiced == 0:
		p.heard.trim(before)
	}
	return isFull
}

// isSpeakingLocked reports whether an answer goes out. mu must be held.
func (p *parrot) isSpeakingLocked() bool { return len(p.said.frames) > 0 }

// countVoiceLocked counts n of the caller's voice, which began that long ago. mu must
// be held.
func (p *parrot) countVoiceLocked(now time.Time, n, ago time.Duration) {
	if p.voiced == 0 {
		p.since = now.Add(-ago)
		p.heard.keepLast(before + ago)
		p.scheduleStepLocked(endSilence)
	}
	p.voiced += n
	p.lastAt = now
	if frames := p.heard.frames; len(frames) > 0 {
		p.endAt = frames[len(frames)-1].at
	}
}

// interruptLocked stops the answer when the caller talks over it. mu must be held.
func (p *parrot) interruptLocked(now time.Time, n time.Duration) {
	if now.Sub(p.begun) > bargeWindow {
		p.begun, p.barge = now, 0
	}
	if p.barge += n; p.barge < bargeIn {
		return
	}
	barge, since := p.barge, now.Sub(p.begun)
	p.tellMeasures(nil, []rest.Interruption{{At: p.begun, SilentMS: new(milliseconds(since))}})
	p.fallSilentLocked(now, true)
	p.countVoiceLocked(now, barge, since)
}

// fallSilentLocked forgets the answer and listens. mu must be held.
func (p *parrot) fallSilentLocked(now time.Time, isInterrupted bool) {
	if p.turn != nil && p.measures != nil {
		p.turn.AgentSpokeMS, p.turn.IsInterrupted = new(milliseconds(now.Sub(p.start))), isInterrupted
		p.measures.TurnsEnded([]rest.Turn{*p.turn})
	}
	p.turn = nil
	p.said, p.next = turnBuffer{}, 0
	p.voiced, p.barge = 0, 0
	p.on.AgentState(wire.AgentListening)
}

// step is the timer's. It ends a turn, and says what is due.
func (p *parrot) step() {
	defer p.running.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due, p.stepping = false, true
	for !p.closed {
		now := time.Now()
		packet, wait := p.nextPacketLocked(now)
		if packet == nil {
			p.stepping = false
			if wait > 0 {
				p.scheduleStepLocked(wait)
			}
			return
		}
		p.mu.Unlock()
		p.self.now(now)
		_ = p.out.WriteRTP(&p.header, packet, nil) // it fails when the caller's leg goes, and this one with it
		p.mu.Lock()
	}
}

// nextPacketLocked returns the packet to say now, or how long to wait with the next
// look; 0 is until the caller says something. mu must be held.
func (p *parrot) nextPacketLocked(now time.Time) (packet []byte, wait time.Duration) {
	switch {
	case p.isSpeakingLocked():
		return p.takeFrameLocked(now)
	case p.voiced == 0:
		return nil, 0
	}
	if wait := endSilence - now.Sub(p.lastAt); wait > 0 {
		return nil, wait
	}
	enough := p.voiced >= leastSpeech
	p.voiced = 0
	if !enough || len(p.heard.frames) == 0 {
		return nil, 0
	}
	p.startAnswerLocked(now)
	return p.takeFrameLocked(now)
}

// startAnswerLocked begins to say back what was heard. mu must be held.
func (p *parrot) startAnswerLocked(now time.Time) {
	p.on.AgentState(wire.AgentThinking)
	p.turn = p.measureLocked(now)
	p.tellMeasures([]rest.Turn{*p.turn}, nil)
	p.said, p.heard, p.next = p.heard, turnBuffer{}, 0
	p.said.endAfter(p.endAt, after)
	p.start = now
	p.stamp = p.header.Timestamp + p.sentN
	if !p.sentAt.IsZero() { // the clock went on while the caller spoke
		p.stamp = p.header.Timestamp + max(p.sentN, ticks(now.Sub(p.sentAt)))
	}
	p.on.AgentState(wire.AgentSpeaking)
}

func (p *parrot) tellMeasures(turns []rest.Turn, interruptions []rest.Interruption) {
	if p.measures != nil {
		p.measures.TurnsMeasured(turns, interruptions)
	}
}

// measureLocked returns the turn that ends with the first packet of the answer. There is no
// network in it, and no model: what isn't the silence window is this machine's delay. mu
// must be held.
func (p *parrot) measureLocked(now time.Time) *rest.Turn {
	wait, since := now.Sub(p.lastAt), p.since
	p.number++
	return &rest.Turn{
		Number: p.number, Started: &since, SpokeMS: new(milliseconds(p.lastAt.Sub(since))),
		EndOfSpeech: p.lastAt, WaitMS: milliseconds(wait), SilenceWindowMS: milliseconds(endSilence),
		ModelMS: milliseconds(wait - endSilence), IsSpeechMeasured: true, IsAudioMeasured: true,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// takeFrameLocked takes the next packet if it is due and sets the header for it; if
// not, it says how long to wait. Times count from the answer's start, so what one
// packet is late the next is not. After the last it falls silent. mu must be held.
func (p *parrot) takeFrameLocked(now time.Time) (packet []byte, wait time.Duration) {
	frames := p.said.frames
	first := frames[0].at
	if p.next == len(frames) {
		last := frames[len(frames)-1]
		if wait = duration(last.at+last.len-first) - now.Sub(p.start); wait <= 0 {
			p.fallSilentLocked(now, false)
			return nil, 0
		}
		return nil, wait
	}
	c := frames[p.next]
	if wait = duration(c.at-first) - now.Sub(p.start); wait > 0 {
		return nil, wait
	}
	// RFC 3551 §4.1: the marker is on the first packet of a talkspurt.
	p.header.Marker = p.next == 0 || frames[p.next-1].at+frames[p.next-1].len < c.at
	p.header.SequenceNumber++
	p.header.Timestamp = p.stamp + c.at - first
	p.sentAt, p.sentN = now, c.len
	packet = p.said.packet(p.next)
	p.next++
	return packet, 0
}

// scheduleStepLocked schedules a step, in place of one that is due. mu must be held.
func (p *parrot) scheduleStepLocked(d time.Duration) {
	switch {
	case p.closed, p.stepping:
		return // a step that runs looks again itself
	case p.due && !p.timer.Stop():
		return // on its way
	case !p.due:
		p.due = true
		p.running.Add(1)
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.step)
		return
	}
	p.timer.Reset(d)
}

// Close implements Leg.
func (p *parrot) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		if p.due && p.timer.Stop() {
			p.due = false
			p.running.Done()
		}
	}
	p.mu.Unlock()
	p.running.Wait()

	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard, p.said = turnBuffer{}, turnBuffer{}
	p.guard.Release(parrotName, p.session)
	return nil
}
