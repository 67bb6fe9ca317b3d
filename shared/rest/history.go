package rest

import (
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// Limits of a history.
const (
	// HistorySteps is about how many buckets there are where nobody asks for a step:
	// as many as a chart can show.
	HistorySteps = 60
	// MaxHistorySteps bounds the buckets.
	MaxHistorySteps = 500
	// MaxHistoryCalls bounds the calls that are looked at: the newest count.
	MaxHistoryCalls = 20_000
	// MaxHistory is the longest time that one has.
	MaxHistory = 31 * 24 * time.Hour
)

// HistoryQuery asks how calls were over some time.
type HistoryQuery struct {
	From  time.Time `query:"from" doc:"RFC 3339; a day ago, if left out"`
	To    time.Time `query:"to" doc:"RFC 3339; now, if left out"`
	StepS int       `query:"step_s" minimum:"1" maximum:"86400" doc:"length of a bucket; without it, there are about 60"`

	Org string // only calls of this organization
}

// Step is the length of a bucket.
func (q HistoryQuery) Step() time.Duration {
	span := q.To.Sub(q.From)
	step := time.Duration(q.StepS) * time.Second
	if step <= 0 {
		step = max((span / HistorySteps).Truncate(time.Second), time.Second)
	}
	return max(step, span/MaxHistorySteps)
}

// History is GET …/sessions/history: how calls were over some time. It names nobody.
type History struct {
	From    time.Time                `json:"from"`
	To      time.Time                `json:"to"`
	StepS   float64                  `json:"step_s"`
	Buckets []HistoryBucket          `json:"buckets"` // oldest first
	Causes  map[wire.EndCause]int64  `json:"causes"`  // of the calls that ended in the time
	Agents  map[string]HistoryAgents `json:"agents"`
	First   *FirstWord               `json:"first_word,omitempty"` // of all calls that began in the time
	// IsPartial: there were more calls than are looked at.
	IsPartial bool `json:"is_partial,omitempty"`
}

// HistoryAgents is how an agent did.
type HistoryAgents struct {
	Calls int64 `json:"calls"`
	Poor  int64 `json:"poor"` // stood at poor longest
}

// HistoryBucket is one step.
type HistoryBucket struct {
	At time.Time `json:"at"` // its beginning
	// Calls are those that were on at its end, by the level that they stood at longest.
	Calls    map[quality.Level]int `json:"calls"`
	Started  int                   `json:"started"`   // set-ups that were begun
	Failed   int                   `json:"failed"`    // of them
	FailedBy map[wire.EndCause]int `json:"failed_by"` // why
	Ended    int                   `json:"ended"`
	First    *FirstWord            `json:"first_word,omitempty"` // of the calls that began in it
	Requests *int64                `json:"requests,omitempty"`   // answered; missing where it takes too long to count
	Errors   *int64                `json:"errors,omitempty"`     // of them, 5xx
}

// HistoryCall is what a history knows of a call.
type HistoryCall struct {
	StartedAt time.Time
	EndedAt   *time.Time
	Cause     wire.EndCause
	Level     quality.Level
	Agent     string
	FirstWord FirstWord
}

// HistoryCounter counts calls into a history. NewHistory makes one.
type HistoryCounter struct {
	History
	words []bucketWords // of the buckets
	all   bucketWords
}

// bucketWords are the waits of the calls that began in a bucket.
type bucketWords struct {
	median, slow quality.Durations
	turns        int
}

// NewHistory makes one of empty buckets.
func NewHistory(q HistoryQuery) *HistoryCounter {
	step := q.Step()
	h := &HistoryCounter{History: History{From: q.From.UTC(), To: q.To.UTC(), StepS: step.Seconds(), Buckets: []HistoryBucket{}, Causes: map[wire.EndCause]int64{}, Agents: map[string]HistoryAgents{}}}
	for at := h.From; at.Before(h.To); at = at.Add(step) {
		h.Buckets = append(h.Buckets, HistoryBucket{At: at, Calls: map[quality.Level]int{}, FailedBy: map[wire.EndCause]int{}})
	}
	h.words = make([]bucketWords, len(h.Buckets))
	return h
}

// bucketAt is the number of the bucket of a moment; false outside of the time.
func (h *HistoryCounter) bucketAt(at time.Time) (int, bool) {
	i := int(float64(at.Sub(h.From)) / (h.StepS * float64(time.Second)))
	return i, !at.Before(h.From) && i < len(h.Buckets)
}

// Add counts a call.
func (h *HistoryCounter) Add(c HistoryCall) {
	step := time.Duration(h.StepS * float64(time.Second))
	for i := range h.Buckets {
		end := h.Buckets[i].At.Add(step)
		if c.StartedAt.Before(end) && (c.EndedAt == nil || c.EndedAt.After(end)) {
			h.Buckets[i].Calls[c.Level]++
		}
	}
	if i, ok := h.bucketAt(c.StartedAt); ok {
		h.Buckets[i].begin(c)
		if c.FirstWord.Turns > 0 {
			h.Buckets[i].First = h.words[i].add(c.FirstWord)
			h.First = h.all.add(c.FirstWord)
		}
		a := h.Agents[c.Agent]
		a.Calls++
		if c.Level == quality.Poor {
			a.Poor++
		}
		h.Agents[c.Agent] = a
	}
	if c.EndedAt == nil {
		return
	}
	if i, ok := h.bucketAt(*c.EndedAt); ok {
		h.Buckets[i].Ended++
		h.Causes[c.Cause]++
	}
}

// begin counts a call that began in the bucket.
func (b *HistoryBucket) begin(c HistoryCall) {
	b.Started++
	if c.Level == quality.None && c.Cause.IsFault() {
		b.Failed++
		b.FailedBy[c.Cause]++
	}
}

// add takes how long a call's caller waited: the middle call's median counts, and the
// 95th of 100 calls' slow waits.
func (w *bucketWords) add(of FirstWord) *FirstWord {
	w.turns += of.Turns
	w.median.Add(duration(of.P50MS))
	w.slow.Add(duration(of.P95MS))
	return &FirstWord{Turns: w.turns, P50MS: milliseconds(w.median.Quantile(0.5)), P95MS: milliseconds(w.slow.Quantile(0.95))}
}
