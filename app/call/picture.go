package call

import (
	"time"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// Phase is where the caller stands.
type Phase int

// The phases. Ready, Connecting and Live share one address, so that nothing of
// the page is taken down on the way.
const (
	Ready Phase = iota
	Connecting
	Live
	Over
)

// Picture is all that the caller's pages draw. It is a value: apply makes the
// next one of it, and nobody writes into one that was handed out.
type Picture struct {
	Phase Phase
	Now   time.Time // of the newest tick or event

	Mic       MicCheck
	Speaker   SpeakerCheck
	Probe     LineCheck
	Way       Way
	Admission Admission
	Choice    Choice
	Refusal   *Refusal // why the last try got no line

	Setup Setup
	Talk  Talk
	End   End
}

// isUp reports whether a call is under way, or on its way.
func (p Picture) isUp() bool { return p.Phase == Connecting || p.Phase == Live }

// Choice is what the caller has chosen for the next call.
type Choice struct {
	Agent    string // "" is the server's default
	DeviceID string // "" is the default microphone
	Muted    bool
	// HidesCaptions: what is said isn't shown as text; ReadsCaptions: it is read
	// aloud to who uses a screen reader.
	HidesCaptions, ReadsCaptions bool

	SpeakerID string // "" is the default speaker
	SoundsOff bool   // the page's own sounds
	Volume    int    // of them, in percent; 0 is usualVolume
	// ForgetsCalls: the browser doesn't keep the last call's summary.
	ForgetsCalls bool
	KeysOff      bool // shortcuts of a single key
}

// usualVolume is that of the page's own sounds, in percent: beside a voice, not over it.
const usualVolume = 50

func (c Choice) volume() float64 {
	if c.Volume <= 0 || c.Volume > 100 {
		return usualVolume / 100.0
	}
	return float64(c.Volume) / 100
}

// MicState is how far the check of the microphone is.
type MicState int

// The states of the microphone.
const (
	MicUnasked MicState = iota
	MicAsking           // the browser asks the caller
	MicOpen
	MicFailed
)

// MicCheck is what is known of the microphone before a call.
type MicCheck struct {
	State   MicState
	Problem string // with MicFailed: a key of the copy file
	Label   string
	Devices []Device // audio inputs, once their labels are known
	NoLevel bool     // open, and the browser can't tell how loud it is
	Heard   bool     // loud enough for long enough
	Silent  bool     // open for long, and nothing was heard
}

// Admission is what the server says about starting a call now.
type Admission struct {
	Answer  *rest.Admission
	Problem *rest.Problem // why no call may start
	Offline bool          // the browser or the server can't be reached
	// ServerDown: it is the server that can't be reached.
	ServerDown bool
	// HeldSince is when the caller's call in another tab or device began; zero
	// while that isn't known.
	HeldSince time.Time
}

// Refusal is why a try to call got no line, and when the next one is made.
type Refusal struct {
	Problem rest.Problem
	RetryAt time.Time // zero: the caller decides
	OpenAt  time.Time // till then a try is sure to be refused; zero: nobody knows
}

// until is when the refusal is of the past; zero while the caller decides.
func (r *Refusal) until() time.Time {
	if r.RetryAt.IsZero() {
		return r.OpenAt
	}
	return r.RetryAt
}

// Setup is how far the call is being set up.
type Setup struct {
	Step  peer.Step
	Since time.Time // of the step
}

// slowStep is how long a step may take before the page says that it takes long.
const slowStep = 6 * time.Second

// Slow reports whether the step takes longer than usual.
func (p Picture) Slow() bool {
	return p.Phase == Connecting && p.Now.Sub(p.Setup.Since) > slowStep
}

// Talk is a call under way, from the server's hello on.
type Talk struct {
	SessionID   string
	ResumeToken string // opens the session from another socket; shown nowhere
	Agent       string
	Node        string // of a cluster, which holds the call; "" where the server is alone
	Limits      wire.Limits
	StartedAt   time.Time // audio can flow; zero before
	SetupMS     float64

	State    wire.State
	Measured peer.SampleMeasured
	// Unproven is how many samples are to come until the line is rated after an outage:
	// what both ends say until then is of the outage.
	Unproven int
	Seconds  []ui.RibbonSecond // the last ribbonSpan
	Whole    []ui.RibbonSecond // of the whole call, maxWhole at most
	Waits    []ui.RibbonWait   // for first words, by the seconds of Whole
	held     int               // seconds for which the newest one was held open
	Answers  []wire.AgentTurn  // the newest maxAnswers: how long each took to begin
	Tally    Tally

	Muted    bool // by the button
	Held     bool // the key that lets a muted caller talk
	Shouting bool // speaking while muted

	Warning  wire.Warning // the nearest end; zero EndsAt is none
	Hidden   bool         // the caller has read the warning
	Thanks   time.Time    // until then: the warning was taken back
	Until    time.Time    // the place is kept till then; zero while whole
	HasMedia bool         // while it is not: the agent can be heard
	Blocked  bool         // the browser wants a click before it plays
	MicLost  bool
	PausedAt time.Time // since when the device pauses the microphone; zero: it doesn't
	// PausedHidden: it did so when the page was in the background.
	PausedHidden bool
	Notice       Notice

	SignInEnds   time.Time // and the call with it; zero while that isn't known
	SignInHidden bool      // the caller has read the warning of it

	HasCaptions bool      // the agent sends what is said as text
	Captions    []Caption // by turn, the newest maxCaptions
}

// maxWhole is for how many seconds a call's ribbon is kept: twelve hours, which is as
// long as a call may be made to last.
const maxWhole = 12 * 60 * 60

// ribbonSpan is how many seconds the ribbon of a call shows.
const ribbonSpan = 60

// Quiet reports whether nothing of the caller's voice goes out.
func (t Talk) Quiet() bool { return t.Muted && !t.Held }

// IsDropped reports whether the call is being put together again.
func (t Talk) IsDropped() bool { return !t.Until.IsZero() }

// Verdict is the rating to show: the server's, and this end's own while the
// server has said nothing or can't be asked. While nothing comes through, a
// level from before is none.
func (t Talk) Verdict() quality.Verdict {
	own := t.Measured.Quality
	switch {
	case t.Unproven > 0 && !t.IsDropped():
		return quality.Verdict{Level: quality.None}
	case t.State.Quality != nil && !t.IsDropped() && !t.Measured.IsSilent:
		return *t.State.Quality
	case own.Level == "", t.IsDropped() && !t.HasMedia && !t.Measured.IsSilent:
		return quality.Verdict{Level: quality.None}
	}
	return own
}

// Length is how long the call has lasted, or did.
func (p Picture) Length() time.Duration {
	if p.Talk.StartedAt.IsZero() {
		return 0
	}
	if p.Phase == Over {
		return p.End.At.Sub(p.Talk.StartedAt)
	}
	return max(p.Now.Sub(p.Talk.StartedAt), 0)
}

// End is why and when a call ended.
type End struct {
	At      time.Time
	Ended   wire.Ended
	Failure peer.Failure  // a key of the copy file, when it broke before or beside the server
	Tried   time.Duration // for how long the call was being put together again
}

// Tally sums up what the page saw of a call's quality, second by second.
type Tally struct {
	Rated      int                   // seconds with a rating
	Levels     map[quality.Level]int // seconds of each
	MOSSum     float64
	MOSLowest  float64
	LossSum    map[quality.Direction]float64 // of ratios
	LossCount  map[quality.Direction]int
	DelaySum   map[quality.Direction]float64 // ms, mouth to ear
	DelayCount map[quality.Direction]int
}

// tooShort is how many rated seconds a call needs before it is summed up.
const tooShort = 10

// Level is the level of most seconds, and its share of all rated ones.
func (t Tally) Level() (level quality.Level, share float64) {
	if t.Rated < tooShort {
		return quality.None, 0
	}
	best := -1
	for _, l := range []quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor} {
		if t.Levels[l] > best {
			level, best = l, t.Levels[l]
		}
	}
	return level, float64(best) / float64(t.Rated)
}

// MOS is the mean of the rated seconds.
func (t Tally) MOS() float64 {
	if t.Rated == 0 {
		return 0
	}
	return t.MOSSum / float64(t.Rated)
}

// Loss is the mean loss ratio of a direction, nil when none was measured.
func (t Tally) Loss(d quality.Direction) *float64 {
	n := t.LossCount[d]
	if n == 0 {
		return nil
	}
	mean := t.LossSum[d] / float64(n)
	return &mean
}

// Delay is the mean delay from mouth to ear in milliseconds, nil when none was measured.
func (t Tally) Delay(d quality.Direction) *float64 {
	n := t.DelayCount[d]
	if n == 0 {
		return nil
	}
	mean := t.DelaySum[d] / float64(n)
	return &mean
}
