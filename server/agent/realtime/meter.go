package realtime

import (
	"time"

	"parley/shared/rest"
)

// Meter adds up what one call uses. It is not safe for use by several goroutines.
type Meter struct {
	prices Prices
	used   Usage
	// open are the answers that began and did not end, counted those whose usage is
	// added: an answer that is told twice is paid once.
	open, counted map[string]bool
	responses     int64
	unconfirmed   int64
}

// maxResponses bounds what a Meter remembers of answers: an hour of one a second.
// Answers beyond that are added without a look whether they were told before.
const maxResponses = 3600

// NewMeter makes the meter of a call.
func NewMeter(p Prices) *Meter {
	return &Meter{prices: p, open: map[string]bool{}, counted: map[string]bool{}}
}

// Observe takes what an event says of usage, and reports whether the total
// changed.
func (m *Meter) Observe(e *Event) bool {
	switch e.Type {
	case ResponseCreated:
		if len(m.open) < maxResponses && !m.counted["r "+e.ResponseID] {
			m.open[e.ResponseID] = true
		}
		return false
	case ResponseDone:
		delete(m.open, e.ResponseID)
		if !m.isNew("r " + e.ResponseID) {
			return false
		}
		m.responses++
		if e.Usage == nil {
			m.unconfirmed++
			return true
		}
		m.used.Add(*e.Usage)
		return true
	case TranscriptionCompleted:
		if e.Usage == nil || !m.isNew("i "+e.ItemID) {
			return false
		}
		m.used.Add(*e.Usage)
		return true
	}
	return false
}

// billedEach is the step in which a call's length is counted: the vendor that bills by
// it charges the first 15 s at once.
const billedEach = 15 * time.Second

// Connected takes how long the call has lasted, and reports whether the total changed:
// it does where calls are billed by their length, once a step that has begun.
func (m *Meter) Connected(d time.Duration) bool {
	billed := d.Truncate(billedEach) + billedEach
	if m.prices.CallMinute == 0 || billed <= m.used.Connected {
		return false
	}
	m.used.Connected = billed
	return true
}

func (m *Meter) isNew(id string) bool {
	if m.counted[id] {
		return false
	}
	if len(m.counted) < maxResponses {
		m.counted[id] = true
	}
	return true
}

// Total is what was used so far. Answers that are not over count as unconfirmed:
// when the call ends, nobody will tell what they used.
func (m *Meter) Total() rest.Usage {
	open := int64(len(m.open))
	return rest.Usage{
		Tokens: m.used.Tokens, TranscribedMS: m.used.Transcribed.Milliseconds(),
		Responses: m.responses + open, Unconfirmed: m.unconfirmed + open,
		CostMicros: int64(m.prices.Cost(m.used)), Currency: m.prices.Currency,
	}
}
