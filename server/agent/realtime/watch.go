package realtime

import (
	"slices"
	"time"
)

// Stuck is a way in which an agent's side stops while its connection stands.
type Stuck string

// Ways to be stuck.
const (
	// StuckSilentStart: the channel is open and the agent has said nothing on it.
	StuckSilentStart Stuck = "no_first_event"
	// StuckNoMedia: the agent says that it speaks, and no packet comes.
	StuckNoMedia Stuck = "no_media"
	// StuckNoEvents: the caller speaks and speaks, and the agent notices nothing.
	StuckNoEvents Stuck = "no_events"
	// StuckNoEnd: an answer began, and neither goes on nor ends.
	StuckNoEnd Stuck = "response_without_end"
	// StuckGone: the connection to the agent is interrupted.
	StuckGone Stuck = "upstream_gone"
)

// Patience is how long one way to be stuck is borne.
type Patience struct{ Warn, End time.Duration }

// WatchLimits is how long each way to be stuck is borne.
type WatchLimits map[Stuck]Patience

// DefaultWatchLimits are the defaults, and why.
func DefaultWatchLimits() WatchLimits {
	return WatchLimits{
		StuckSilentStart: {5 * time.Second, 15 * time.Second},  // providers take under 2 s
		StuckNoMedia:     {3 * time.Second, 15 * time.Second},  // packets come each 20 ms while it speaks
		StuckNoEvents:    {10 * time.Second, 30 * time.Second}, // of the caller's speech, pauses aside
		StuckNoEnd:       {20 * time.Second, 60 * time.Second}, // since its last event; words come many a second
		StuckGone:        {2 * time.Second, 15 * time.Second},  // ICE mends itself in less
	}
}

// Alarm says that an agent is stuck.
type Alarm struct {
	Stuck Stuck
	Since time.Time
	// EndsAt is when the call is to be ended if nothing changes; IsDue, that it is.
	EndsAt time.Time
	IsDue  bool
}

// Watch reckons when an agent counts as stuck. It is not safe for use by several
// goroutines.
type Watch struct {
	limits  WatchLimits
	since   map[Stuck]time.Time // of what is being waited for
	warned  map[Stuck]bool
	due     map[Stuck]bool
	open    map[string]bool // responses
	voiced  time.Duration   // of the caller, since the last event
	voice   time.Time       // when they began to speak; zero: silent
	manual  bool            // no turn detection: the agent need not notice speech
	playing bool
}

// NewWatch makes the watch of a call whose channel opened at a time.
func NewWatch(limits WatchLimits, opened time.Time) *Watch {
	w := &Watch{limits: limits, since: map[Stuck]time.Time{}, warned: map[Stuck]bool{}, due: map[Stuck]bool{}, open: map[string]bool{}}
	w.since[StuckSilentStart] = opened
	return w
}

// Media takes that a packet of the agent came.
func (w *Watch) Media(at time.Time) {
	if w.playing {
		w.restart(StuckNoMedia, at)
	}
}

// CallerVoice takes when the caller's packets begin or cease to hold speech.
func (w *Watch) CallerVoice(at time.Time, speaks bool) {
	switch {
	case speaks && w.voice.IsZero() && !w.manual:
		w.voice = at
		// As if they had begun that much earlier: pauses don't count.
		w.since[StuckNoEvents] = at.Add(-w.voiced)
	case !speaks && !w.voice.IsZero():
		w.voiced += at.Sub(w.voice)
		w.voice = time.Time{}
		delete(w.since, StuckNoEvents)
	}
}

// Connected takes that the connection to the agent is up, or interrupted.
func (w *Watch) Connected(at time.Time, is bool) {
	if _, gone := w.since[StuckGone]; is {
		w.clear(StuckGone)
	} else if !gone {
		w.since[StuckGone] = at
	}
}

// Observe takes an event of the agent that came at a time.
func (w *Watch) Observe(at time.Time, e *Event) {
	w.clear(StuckSilentStart)
	w.clear(StuckNoEvents)
	w.voiced = 0
	if !w.voice.IsZero() {
		w.voice = at
		w.since[StuckNoEvents] = at
	}
	switch e.Type {
	case SessionCreated, SessionUpdated:
		if w.manual = e.Session != nil && e.Session.TurnDetection == ""; w.manual {
			w.voice = time.Time{}
			delete(w.since, StuckNoEvents)
		}
	case ResponseCreated:
		if len(w.open) < maxResponses {
			w.open[e.ResponseID] = true
		}
	case ResponseDone:
		delete(w.open, e.ResponseID)
	case OutputStarted:
		w.playing = true
		w.since[StuckNoMedia] = at
	case OutputStopped, OutputCleared:
		w.playing = false
		w.clear(StuckNoMedia)
	}
	switch {
	case len(w.open) == 0:
		w.clear(StuckNoEnd)
	case w.open[e.ResponseID]:
		w.restart(StuckNoEnd, at)
	}
}

// clear forgets a wait: what was waited for came.
func (w *Watch) clear(s Stuck) {
	delete(w.since, s)
	delete(w.warned, s)
	delete(w.due, s)
}

// restart begins a wait anew.
func (w *Watch) restart(s Stuck, at time.Time) {
	w.clear(s)
	w.since[s] = at
}

// Next returns when Check has something to say if nothing comes before; zero:
// never.
func (w *Watch) Next() (next time.Time) {
	for s, since := range w.since {
		at := since.Add(w.limits[s].Warn)
		switch {
		case w.due[s] || w.limits[s].End == 0:
			continue
		case w.warned[s]:
			at = since.Add(w.limits[s].End)
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// Check returns what is newly stuck: a warning first, and the end when it is due,
// each once while it lasts.
func (w *Watch) Check(now time.Time) (alarms []Alarm) {
	for _, a := range w.Stuck(now) {
		switch {
		case a.IsDue && !w.due[a.Stuck]:
			w.warned[a.Stuck], w.due[a.Stuck] = true, true
		case !w.warned[a.Stuck]:
			w.warned[a.Stuck] = true
		default:
			continue
		}
		alarms = append(alarms, a)
	}
	return alarms
}

// Stuck returns all that is stuck now, for those who look.
func (w *Watch) Stuck(now time.Time) (alarms []Alarm) {
	for s, since := range w.since {
		limit := w.limits[s]
		if limit.End == 0 || now.Before(since.Add(limit.Warn)) {
			continue
		}
		ends := since.Add(limit.End)
		alarms = append(alarms, Alarm{Stuck: s, Since: since, EndsAt: ends, IsDue: !now.Before(ends)})
	}
	slices.SortFunc(alarms, func(a, b Alarm) int { return a.EndsAt.Compare(b.EndsAt) })
	return alarms
}
