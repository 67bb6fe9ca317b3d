package logs

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/rest"
)

// missed is what the stream didn't tell the feed: the server counts all that happens, so
// what the count grew by beyond what came was missed.
type missed struct {
	n         int64
	isUnknown bool  // some were missed, and nobody knows how many
	counted   int64 // by the server, with what came last; 0 before that

	isReconnected bool // the stream was opened again since what came last
	wasApart      bool // what was missed was so while there was no stream
}

// count takes what came, and what the server counted with it.
func (m *missed) count(counted int64, came int) {
	if more := counted - m.counted - int64(came); m.counted > 0 && more > 0 {
		m.n += more
		m.wasApart = m.isReconnected
	}
	m.counted, m.isReconnected = counted, false
}

// compare takes a whole picture. From another start of the server, only a gap tells that
// something was missed.
func (m *missed) compare(kept []rest.Activity, s client.Snapshot) {
	if s.IsAnew {
		if n := len(kept); n > 0 && len(s.Activities) > 0 && s.Activities[0].At.After(kept[n-1].At) {
			m.isUnknown, m.wasApart = true, true
		}
		m.counted = 0
	}
	known := make(map[rest.Activity]bool, len(kept))
	for _, one := range kept {
		known[one] = true
	}
	came := 0
	for _, one := range s.Activities {
		if !known[one] {
			came++
		}
	}
	m.count(s.ActivityCount, came)
}

// banner says how many were missed, and why; nil for none.
func (m *missed) banner() app.UI {
	text := ""
	switch {
	case m.isUnknown:
		text = "Some events were not shown"
	case m.n == 1:
		text = "1 event was not shown"
	case m.n > 1:
		text = ui.Count(m.n) + " events were not shown"
	default:
		return nil
	}
	switch {
	case m.wasApart:
		text += " because this page was not connected."
	case m.n == 1:
		text += " because it arrived too fast."
	default:
		text += " because they arrived too fast."
	}
	if m.n == 1 && !m.isUnknown {
		return ui.Banner{Tone: ui.ToneWarning, Text: text + " It is in the access logs."}.UI()
	}
	return ui.Banner{Tone: ui.ToneWarning, Text: text + " They are in the access logs."}.UI()
}
