package realtime

import "time"

const (
	// voicePause is the silence after which a voice has ended: those inside a word are
	// shorter.
	voicePause = 200 * time.Millisecond
	// heardWithin is how long after its newest packet a voice is still heard: three
	// packets of 20 ms may be late or lost.
	heardWithin = 60 * time.Millisecond

	// silentSize is what a packet of silence has at most where an encoder stops
	// sending (RFC 6716 §2.1.9).
	silentSize = 3
	// loudness is the level in dBov from which audio is sound.
	loudness = -50
	// learnEach is how long an agent's silence is looked at before its size is
	// believed: its voice comes sooner than the event that tells of it.
	learnEach = time.Second
	// soundFactor and soundLeast are how much more than silence, in bytes, sound takes.
	soundFactor = 1.5
	soundLeast  = 4
)

// voice is when one end speaks, by its packets.
type voice struct {
	isOn bool
	// began and last are when the first and the last of its packets came: a packet
	// comes once all that it holds was said, and is heard from then on.
	began, last time.Time
}

// take takes a packet, and reports whether the voice began or ended with it.
func (v *voice) take(at time.Time, isVoice bool) (changed bool) {
	if !isVoice {
		return v.pass(at)
	}
	changed = !v.isOn || at.Sub(v.last) >= voicePause
	if changed {
		v.isOn, v.began = true, at
	}
	v.last = at
	return changed
}

// pass lets time go on, and reports whether the voice has ended.
func (v *voice) pass(at time.Time) (ended bool) {
	ended = v.isOn && at.Sub(v.last) >= voicePause
	v.isOn = v.isOn && !ended
	return ended
}

// isHeard reports whether the voice lasts.
func (v *voice) isHeard(at time.Time) bool { return v.isOn && at.Sub(v.last) < heardWithin }

// Sound tells an agent's packets that hold sound from those that hold silence,
// without decoding. A service that sends nothing while it is silent is heard from
// its first packet on; of one that sends silence the size of that is learned. The
// zero value is ready.
type Sound struct {
	quiet    int // largest packet of silence; 0: not known
	largest  int // since learning began
	previous int // in the time before
	since    time.Time
}

// ByLevel reports whether audio of a level (RFC 6464, in dBov) is sound.
func ByLevel(dBov int) bool { return dBov >= loudness }

// BySize reports whether a packet of a size is sound. isSilent says that by its events
// the agent doesn't speak.
func (s *Sound) BySize(at time.Time, size int, isSilent bool) bool {
	s.learn(at, size, isSilent)
	return size > silentSize && (s.quiet == 0 || float64(size) > soundFactor*float64(s.quiet)+soundLeast)
}

// learn takes for silence what came in a time after which the agent still did not
// speak.
func (s *Sound) learn(at time.Time, size int, isSilent bool) {
	switch {
	case !isSilent:
		s.since = time.Time{}
	case s.since.IsZero():
		s.since, s.largest, s.previous = at, size, 0
	case at.Sub(s.since) >= learnEach:
		if s.previous > 0 {
			s.quiet = s.previous
		}
		s.since, s.previous, s.largest = at, s.largest, size
	default:
		s.largest = max(s.largest, size)
	}
}
