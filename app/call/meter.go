package call

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Meter shows the microphone's level. Like the orb's ring it is moved around
// go-app; only the words for screen readers go through it, and seldom.
type Meter struct {
	app.Compo

	Engine *Engine

	remove func()
}

// meterWords is how often the level's words may change.
const meterWords = 2 * time.Second

// OnMount lets the bar follow the microphone.
func (m *Meter) OnMount(ctx app.Context) {
	element := m.JSValue()
	write := levelWriter(element.Call("querySelector", ".meter-fill"))
	said, at := "", time.Time{}
	m.remove = m.Engine.Meter(func(dBFS float64) {
		write(dBFS)
		loud := loudness(dBFS)
		word := levelWord(loud)
		if now := time.Now(); word != said && now.Sub(at) >= meterWords {
			said, at = word, now
			element.Call("setAttribute", "aria-valuetext", "Microphone level: "+word)
			element.Call("setAttribute", "aria-valuenow", strconv.Itoa(int(loud*100)))
		}
	})
}

// OnDismount stops following.
func (m *Meter) OnDismount() {
	if m.remove != nil {
		m.remove()
		m.remove = nil
	}
}

// Render draws the bar.
func (m *Meter) Render() app.UI {
	return app.Div().Class("meter").Role("meter").
		Aria("label", "Microphone level").
		Aria("valuemin", 0).Aria("valuemax", 100).Aria("valuenow", 0).
		Body(app.Span().Class("meter-fill"))
}

func levelWord(loud float64) string {
	switch {
	case loud <= 0:
		return "silent"
	case loud < 0.25:
		return "low"
	case loud < 0.95:
		return "good"
	}
	return "very loud"
}
