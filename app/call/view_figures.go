package call

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/wasm/peer"
)

// figures is the drawer of details: both directions side by side, as this page
// measures them.
func (c *Page) figures() app.UI {
	m := metricsOf(c.p.Talk.Measured)
	body := []app.UI{app.Div().Class("drawer-head").Body(
		app.H2().Class("drawer-title").Text("Details"),
		ui.IconButton(ui.IconClose, "Close details").OnClick(c.drawer),
	)}
	if len(m) == 0 {
		body = append(body, app.P().Class("drawer-text").Text(ui.Copy("no_stats").Text))
	} else {
		body = append(body, figureTable(m[quality.ToAgent], m[quality.ToCaller]))
	}
	body = append(body, c.answers(), c.facts(), c.diagnosticsButton())
	return app.Section().Class("drawer").ID("details").Aria("label", "Details").TabIndex(0).Body(body...)
}

func figureTable(out, in rest.Metrics) app.UI {
	rows := []struct {
		name    string
		out, in *float64
		write   func(float64) string
	}{
		{"Estimated MOS", out.MOS, in.MOS, ui.MOS},
		{"Lost", out.LossRatio, in.LossRatio, ui.Ratio},
		{"Jitter", out.JitterMS, in.JitterMS, ui.Millis},
		{"Round trip", out.RTTMS, in.RTTMS, ui.Millis},
		{"Mouth to ear", out.DelayMS, in.DelayMS, ui.Millis},
		{"Buffer", out.BufferMS, in.BufferMS, ui.Millis},
		{"Concealed", out.ConcealedRatio, in.ConcealedRatio, ui.Ratio},
		{"Bitrate", out.BitrateBPS, in.BitrateBPS, ui.Bitrate},
	}
	body := make([]app.UI, len(rows))
	for i, r := range rows {
		body[i] = app.Tr().Body(
			app.Th().Scope("row").Text(r.name),
			app.Td().Body(ui.Number(r.out, r.write)),
			app.Td().Body(ui.Number(r.in, r.write)),
		)
	}
	return app.Table().Class("figures").Body(
		app.THead().Body(app.Tr().Body(
			app.Th().Scope("col").Body(spoken("Figure")),
			app.Th().Scope("col").Text("You → agent"),
			app.Th().Scope("col").Text("Agent → you"),
		)),
		app.TBody().Body(body...),
	)
}

// metricsOf is what this page measured, as the server would show it.
func metricsOf(m peer.SampleMeasured) map[quality.Direction]rest.Metrics {
	all := make(map[quality.Direction]rest.Metrics, len(m.Ratings))
	for d, r := range m.Ratings {
		all[d] = rest.NewMetrics(r.Figures, r.Score)
	}
	return all
}

// pathOf is direct or relay, and the protocol up to there; both empty while there is none.
func pathOf(m peer.SampleMeasured) (path, protocol string) {
	pair := m.Sample.CandidatePair
	switch {
	case pair == nil:
		return "", ""
	case pair.LocalCandidateType == "relay" || pair.RemoteCandidateType == "relay":
		return "relay", cmp.Or(pair.RelayProtocol, pair.Protocol)
	}
	return "direct", pair.Protocol
}

// facts are what has no direction.
func (c *Page) facts() app.UI {
	t := c.p.Talk
	path := pathWord(pathOf(t.Measured))
	return app.Dl().Class("call-facts").Body(
		app.Dt().Text("Path"), app.Dd().Text(path),
		app.Dt().Text("Set up in"), app.Dd().Class("num").Text(ui.Millis(t.SetupMS)),
		app.Dt().Text("Call"), app.Dd().Body(&ui.Copyable{Value: t.SessionID, Short: ui.ShortID(t.SessionID), Label: "call id"}),
	)
}

func pathWord(path, protocol string) string {
	word := map[string]string{"direct": "Direct", "relay": "Through a relay"}[path]
	if word == "" {
		return ui.Missing
	}
	switch protocol {
	case "udp", "tcp", "tls":
		return word + ", " + strings.ToUpper(protocol)
	}
	return word
}

// diagnostics are what a caller may pass on: figures, and no address or name.
type diagnostics struct {
	At        time.Time                          `json:"at"`
	SessionID string                             `json:"session_id"`
	Seconds   int                                `json:"seconds"`
	SetupMS   float64                            `json:"setup_ms"`
	Path      string                             `json:"path,omitempty"`
	Protocol  string                             `json:"protocol,omitempty"`
	Quality   quality.Verdict                    `json:"quality"`
	Metrics   map[quality.Direction]rest.Metrics `json:"metrics,omitempty"`
	EndCause  string                             `json:"end_cause,omitempty"`
	Failure   string                             `json:"failure,omitempty"`
}

func diagnose(p Picture) string {
	t := p.Talk
	path, protocol := pathOf(t.Measured)
	text, err := json.MarshalIndent(diagnostics{
		At: p.Now.UTC(), SessionID: t.SessionID, Seconds: int(p.Length() / time.Second), SetupMS: t.SetupMS,
		Path: path, Protocol: protocol, Quality: t.Verdict(), Metrics: metricsOf(t.Measured),
		EndCause: string(p.End.Ended.Cause), Failure: string(p.End.Failure),
	}, "", "  ")
	if err != nil { // a figure that JSON can't write
		return "{}"
	}
	return string(text)
}

// diagnosticsButton copies what a caller may pass on.
func (c *Page) diagnosticsButton() app.UI {
	return &ui.CopyButton{Label: "Copy diagnostics", Said: "Diagnostics copied.", Text: func() string { return diagnose(c.p) }}
}
