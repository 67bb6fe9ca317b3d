package call

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/wire"
)

// Orb is the call as one shape. Its states differ in form, not in colour
// alone; its ring follows the caller's voice and its body the agent's.
type Orb struct {
	app.Compo

	Engine *Engine
	Shape  string  // ready, connecting, listening, thinking, speaking, muted, reconnecting, over
	Voice  float64 // the agent's loudness, 0 to 1

	remove func()
}

// OnMount lets the ring follow the microphone: twenty redraws a second would be twenty
// too many.
func (o *Orb) OnMount(ctx app.Context) {
	o.remove = o.Engine.Meter(levelWriter(o.JSValue().Call("querySelector", ".orb-level")))
	o.setVoiceLevel()
}

// OnUpdate lets the body follow the agent.
func (o *Orb) OnUpdate(ctx app.Context) { o.setVoiceLevel() }

// OnDismount stops following.
func (o *Orb) OnDismount() {
	if o.remove != nil {
		o.remove()
		o.remove = nil
	}
}

func (o *Orb) setVoiceLevel() {
	if app.IsClient {
		o.JSValue().Get("style").Call("setProperty", "--voice", strconv.FormatFloat(o.Voice, 'f', 2, 64))
	}
}

// levelWriter writes a level as a custom property of what moves with it, and of nothing
// around that: the browser styles anew all that could inherit it. What it is already is
// not written.
func levelWriter(element app.Value) func(dBFS float64) {
	style, written := element.Get("style"), ""
	return func(dBFS float64) {
		if level := strconv.FormatFloat(loudness(dBFS), 'f', 2, 64); level != written {
			written = level
			style.Call("setProperty", "--level", level)
		}
	}
}

// Render draws all shapes; the style sheet shows the one that is.
func (o *Orb) Render() app.UI {
	return app.Div().Class("orb", "orb-"+o.Shape).Aria("hidden", true).Body(
		app.Span().Class("orb-glow"),
		app.Span().Class("orb-level"),
		ui.SVG("svg").Class("orb-face").Attr("viewBox", "0 0 240 240").Attr("focusable", "false").Body(
			ui.SVG("circle").Class("orb-disc").Attr("cx", 120).Attr("cy", 120).Attr("r", 78),
			ui.SVG("circle").Class("orb-ring").Attr("cx", 120).Attr("cy", 120).Attr("r", 78),
			ui.Path("orb-open", "M76 184.4A78 78 0 1 1 164 184.4"),
			ui.Path("orb-turn", "M120 42a78 78 0 0 1 78 78"),
			ui.Path("orb-arcs", "M78 132a42 42 0 0 1 84 0M100 132a20 20 0 0 1 40 0M78 150h84"),
			ui.Path("orb-waves", "M84 108v24M102 94v52M120 80v80M138 94v52M156 108v24"),
			ui.Path("orb-dots", "M92 120h.01M120 120h.01M148 120h.01"),
			ui.Path("orb-slash", "M66 66l108 108"),
			ui.Path("orb-rest", "M92 120h56"),
		),
	)
}

// orbShape is the form of a picture.
func orbShape(p Picture) string {
	switch p.Phase {
	case Ready:
		return "ready"
	case Connecting:
		return "connecting"
	case Over:
		return "over"
	}
	switch {
	case p.Talk.IsDropped():
		return "reconnecting"
	case p.Talk.Quiet():
		return "muted"
	case p.Talk.State.Agent == wire.AgentThinking, p.Talk.State.Agent == wire.AgentConnecting:
		return "thinking"
	case p.Talk.State.Agent == wire.AgentSpeaking:
		return "speaking"
	}
	return "listening"
}

func orbVoice(p Picture) float64 {
	if p.Phase != Live || p.Talk.IsDropped() || p.Talk.State.Agent != wire.AgentSpeaking {
		return 0
	}
	return loudness(p.Talk.Measured.AgentDBFS)
}
