package detail

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// networkTab draws the way of the audio, with what each leg does to it.
func (p *Page) networkTab() app.UI {
	s := p.shown
	when := "Averages of the whole call."
	if s.isLive() {
		when = "Figures of this moment."
	}
	nodes := []app.UI{pathNode(ui.IconPhone, "Caller", orDash(s.record.Remote))}
	if path := s.quality.Path; path != nil && path.Relay != "" {
		nodes = append(nodes, app.Li().Class("path-leg path-short").Body(app.Span().Class("path-name").Text(strings.ToUpper(path.Relay))),
			pathNode(ui.IconServer, "Relay", "TURN"))
	}
	nodes = append(nodes,
		s.pathLeg(rtcstats.LegCaller, "Caller's leg"),
		pathNode(ui.IconServer, "Server", orDash(s.record.Node)),
		s.pathLeg(rtcstats.LegAgent, "Agent's leg"),
		pathNode(ui.IconSpeaker, "Agent", orDash(s.record.Agent)))
	return app.Div().Class("detail-network").Body(
		app.Ol().Class("path").Aria("label", "The way of the audio").Body(nodes...),
		app.P().Class("detail-note").Text(when+" ↑ towards the agent, ↓ towards the caller."),
		factList(
			fact{"From the caller", ui.Bytes(s.bytes(quality.ToAgent))},
			fact{"To the caller", ui.Bytes(s.bytes(quality.ToCaller))},
			fact{"ICE restarts", strconv.FormatInt(s.restarts(), 10)},
		),
		s.faultList(),
	)
}

// pathText is how the caller's packets go.
func pathText(p *rest.MediaPath) string {
	if p.Relay != "" {
		return "by a relay (" + strings.ToUpper(p.Relay) + ")"
	}
	return "direct, " + strings.ToUpper(p.Protocol)
}

func orDash(text string) string {
	if text == "" {
		return ui.Missing
	}
	return text
}

func pathNode(icon ui.IconName, name, detail string) app.UI {
	return app.Li().Class("path-node").Body(ui.Icon(icon), app.Strong().Text(name), app.Span().Class("path-detail").Text(detail))
}

// pathLeg is what is known of one leg, each way: while the call goes on what is now, as
// the verdict says it, and then what it came to.
func (p picture) pathLeg(leg rtcstats.Leg, name string) app.UI {
	if path := p.quality.Path; path != nil && leg == rtcstats.LegCaller {
		name += ", " + pathText(path)
	}
	var lines []app.UI
	rtt := ui.Missing
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		i := p.believed(leg, d)
		if i < 0 {
			continue
		}
		m := p.legFigures(&p.quality.Streams[i])
		if rtt == ui.Missing {
			rtt = orNone(m.RTTMS, 1, ui.Millis)
		}
		arrow := "↑"
		if d == quality.ToCaller {
			arrow = "↓"
		}
		lines = append(lines, app.Span().Class("num").Text(arrow+" "+orNone(m.LossRatio, 100, ui.Percent)+" lost, jitter "+orNone(m.JitterMS, 1, ui.Millis)))
	}
	head := []app.UI{app.Span().Class("path-name").Text(name)}
	if len(lines) == 0 {
		return app.Li().Class("path-leg").Body(append(head, app.Span().Class("muted").Text("not measured"))...)
	}
	return app.Li().Class("path-leg").Body(append(append(head, app.Strong().Class("num").Text("RTT "+rtt)), lines...)...)
}

// legFigures are those of a stream now, or on average.
func (p picture) legFigures(of *rest.StreamQuality) rest.Metrics {
	if p.isLive() {
		return of.Latest
	}
	average := func(r *rest.Range) *float64 {
		if r == nil {
			return nil
		}
		return &r.Avg
	}
	return rest.Metrics{RTTMS: average(of.Summary.RTTMS), LossRatio: average(of.Summary.LossRatio), JitterMS: average(of.Summary.JitterMS)}
}

func orNone(v *float64, scale float64, write func(float64) string) string {
	if v == nil {
		return ui.Missing
	}
	return write(*v * scale)
}

func (p picture) bytes(d quality.Direction) int64 {
	if p.row != nil {
		if d == quality.ToAgent {
			return p.row.BytesReceived
		}
		return p.row.BytesSent
	}
	if d == quality.ToAgent {
		return p.record.Quality.BytesReceived
	}
	return p.record.Quality.BytesSent
}

func (p picture) restarts() int64 {
	if p.row != nil {
		return p.row.ICERestarts
	}
	return p.record.Quality.ICERestarts
}

// faultList counts what went wrong, by kind.
func (p picture) faultList() app.UI {
	if len(p.quality.Errors) == 0 {
		return app.P().Class("detail-note").Text("No faults were counted.")
	}
	facts := []fact{}
	for _, e := range p.quality.Errors {
		facts = append(facts, fact{faultWord(e.Kind), strconv.FormatInt(e.Count, 10) + ", last at " + ui.Clock(e.Last)})
	}
	return factList(facts...)
}

func faultWord(kind string) string {
	switch kind {
	case "ice_restart":
		return "ICE restart"
	case "bad_report":
		return "Impossible report"
	case "media_stall":
		return "Sound stopped"
	case "reconnect":
		return "Reconnected"
	}
	return kind
}

// fact is a term and what it is.
type fact struct{ term, value string }

func factList(facts ...fact) app.UI {
	out := []app.UI{}
	for _, f := range facts {
		out = append(out, app.Div().Class("fact").Body(app.Dt().Text(f.term), app.Dd().Class("num").Title(f.value).Text(f.value)))
	}
	return app.Dl().Class("facts").Body(out...)
}
