package ui_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
)

func nothing(app.Context, app.Event) {}

// everything is one of each element.
func everything() map[string]app.UI {
	return map[string]app.UI{
		"badge":    ui.Badge(quality.Verdict{Level: quality.Good, MOS: 3.9}, true),
		"brand":    ui.Brand(),
		"spark":    ui.Spark{Values: []float64{4, 3, 4}, Label: "MOS"}.UI(),
		"ribbon":   ui.Ribbon{Seconds: []ui.RibbonSecond{{You: .5, Level: quality.Fair}}, Span: 60, Label: "Last second"}.UI(),
		"table":    ui.Table{Label: "Sessions", Columns: []ui.Column{{Key: "id", Title: "Session", Sorts: true}}, OnSort: func(app.Context, string) {}}.UI(),
		"tile":     ui.Tile{Label: "Live", Value: "42", Href: "/admin"}.UI(),
		"banner":   ui.Banner{Tone: ui.ToneWarning, Title: "Careful", Actions: []app.UI{ui.Button(ui.Plain, ui.IconCheck, "OK")}}.UI(),
		"empty":    ui.EmptyState{Icon: ui.IconPhone, Title: "No calls yet."}.UI(),
		"error":    ui.ErrorState{Title: "We couldn't load it.", RequestID: "req_1", Retry: nothing}.UI(),
		"page":     ui.Page{Icon: ui.IconLock, Title: "Admins only"}.UI(),
		"skeleton": ui.Skeleton(ui.SkeletonRows, 3),
		"live":     ui.LivePill{State: ui.Live, OnToggle: nothing}.UI(),
		"time":     ui.ClockTime(time.Unix(1_700_000_000, 0)),
		"relative": &ui.RelTime{At: time.Now(), Suffix: " ago"},
		"copyable": &ui.Copyable{Value: "sess_1"},
		"field":    ui.Field("x", "Name", "A hint", "Too long.", app.Input().ID("x")),
		"select":   ui.Select("x", "b", []ui.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}),
		"check":    ui.Check("x", "Muted", true, nothing),
		"form": ui.Form{Fields: []ui.FormField{
			{ID: "a", Label: "Timeout", Kind: ui.InputNumber, Value: "30", Unit: "min", Hint: "1 to 240", Problem: "Use 1 to 240 minutes.", Changed: true},
			{ID: "b", Label: "Monitoring", Kind: ui.InputSwitch}, {ID: "c", Label: "Secret", Kind: ui.InputSecret},
			{ID: "d", Label: "What", Kind: ui.InputSelect, Value: "x", Options: []ui.Option{{Value: "x", Label: "X"}}},
		}}.UI(),
		"diff":       ui.Diff([]ui.Change{{Label: "Timeout", Old: "30 min"}}),
		"change bar": ui.ChangeBar{Changes: 1, OnReview: nothing, OnDiscard: nothing}.UI(),
		"confirm phrase": &ui.ConfirmWithReason{Title: "Turn it off?", Confirm: "Turn off", Phrase: "turn off privacy",
			Content: func() []app.UI { return []app.UI{ui.NoData()} }},
		"confirm":   &ui.ConfirmWithReason{Title: "End this call?", Confirm: "End call", Presets: []string{"Maintenance"}, Max: 300},
		"dialog":    &ui.Dialog{Title: "Keyboard", Content: func() []app.UI { return []app.UI{ui.Key("M")} }},
		"page head": ui.PageHead("Overview", ui.NoData(), ui.Timer(time.Minute)),
		"main":      ui.Main(ui.SkipLink()),
	}
}

// The page's policy blocks style attributes, and go-app would put "false" where
// HTML takes any value for true.
func TestElementsObeyThePolicy(t *testing.T) {
	for name, e := range everything() {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(e)
			for _, bad := range []string{" style=", `disabled="false"`, `checked="false"`, "<script", "javascript:"} {
				if strings.Contains(html, bad) {
					t.Errorf("%s in %s", bad, html)
				}
			}
		})
	}
}

// Every element mounts in go-app's engine: what can be drawn can be shown.
func TestElementsMount(t *testing.T) {
	for name, e := range everything() {
		t.Run(name, func(t *testing.T) {
			engine := app.NewTestEngine()
			if err := engine.Load(&holder{inside: e}); err != nil {
				t.Fatal(err)
			}
			engine.ConsumeAll()
		})
	}
}

type holder struct {
	app.Compo
	inside app.UI
}

func (h *holder) Render() app.UI { return app.Div().Body(h.inside) }

func TestBadgeAlwaysHasItsWord(t *testing.T) {
	cases := map[quality.Level]struct {
		word string
		off  int // bars that are only outlines
	}{
		quality.Excellent: {"Excellent", 0},
		quality.Good:      {"Good", 1},
		quality.Fair:      {"Fair", 2},
		quality.Poor:      {"Poor", 3},
		quality.None:      {"No data", 4},
		"":                {"No data", 4},
	}
	for level, c := range cases {
		t.Run(c.word, func(t *testing.T) {
			html := app.HTMLString(ui.Badge(quality.Verdict{Level: level, MOS: 3.3}, true))
			if !strings.Contains(html, ">"+c.word+"<") {
				t.Errorf("no word %q in %s", c.word, html)
			}
			if class := fmt.Sprintf(`class="bars q%d"`, 4-c.off); strings.Count(html, class) != 1 || strings.Count(html, `class="bar"`) != 4 {
				t.Errorf("no four bars of class %s in %s", class, html)
			}
			if hasNumber := strings.Contains(html, "badge-number"); hasNumber != (c.off < 4) {
				t.Errorf("number shown: %v", hasNumber)
			}
		})
	}
}

func TestSpark(t *testing.T) {
	cases := map[string]struct {
		s     ui.Spark
		moves int // lines begun: one more than gaps between values
		last  bool
	}{
		"one line":             {ui.Spark{Values: []float64{1, 2, 3}}, 1, true},
		"a gap breaks it":      {ui.Spark{Values: []float64{1, math.NaN(), 3}}, 2, true},
		"zero is a value":      {ui.Spark{Values: []float64{1, 0, 3}}, 1, true},
		"zero is a gap":        {ui.Spark{Values: []float64{1, 0, 3}, ZeroIsGap: true}, 2, true},
		"gaps at both ends":    {ui.Spark{Values: []float64{0, 2, 0}, ZeroIsGap: true}, 1, true},
		"nothing was measured": {ui.Spark{Values: []float64{0, 0}, ZeroIsGap: true}, 0, false},
		"no values":            {ui.Spark{}, 0, false},
		"a flat line":          {ui.Spark{Values: []float64{2, 2}}, 1, true},
		"out of the axis":      {ui.Spark{Values: []float64{-5, 90}, Low: 1, High: 4.5}, 1, true},
		"infinite":             {ui.Spark{Values: []float64{math.Inf(1), 2}}, 1, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, x, y := ui.SparkPath(c.s)
			if got := strings.Count(d, "M"); got != c.moves {
				t.Errorf("%d lines in %q, want %d", got, d, c.moves)
			}
			if strings.ContainsAny(d, ".Nn") {
				t.Errorf("%q is not all whole numbers", d)
			}
			if (x >= 0) != c.last {
				t.Errorf("last point at %d", x)
			}
			if c.last && (x < 0 || x > 720 || y < 0 || y > 200) {
				t.Errorf("last point %d,%d is outside", x, y)
			}
		})
	}
}

func TestRibbon(t *testing.T) {
	html := app.HTMLString(ui.Ribbon{Span: 4, Label: "Last 3 seconds", Seconds: []ui.RibbonSecond{
		{You: 1, Level: quality.Excellent},
		{Waiting: true, Level: quality.Poor},
		{Agent: .5, Gap: true},
	}}.UI())
	for class, want := range map[string]bool{
		"ribbon-you": true, "ribbon-agent": true, "ribbon-wait": true, "ribbon-gap": true,
		"ribbon-line q4": true, "ribbon-line q1": true, "ribbon-line q2": false, "ribbon-line q3": false,
	} {
		if got := drawn(html, class); got != want {
			t.Errorf("%s drawn: %v, want %v", class, got, want)
		}
	}
	if muted := app.HTMLString(ui.Ribbon{Span: 1, Seconds: []ui.RibbonSecond{{Muted: true}}}.UI()); !drawn(muted, "ribbon-wait") {
		t.Error("a muted second looks like a silent one")
	}
	if !strings.Contains(html, `aria-label="Last 3 seconds"`) {
		t.Error("the ribbon has no sentence")
	}
}

// drawn reports whether the path of that class has data.
func drawn(html, class string) bool {
	for part := range strings.SplitSeq(html, "<path") {
		tag, _, _ := strings.Cut(part, ">")
		if strings.Contains(tag, `class="`+class+`"`) {
			return strings.Contains(tag, " d=")
		}
	}
	return false
}

func TestTable(t *testing.T) {
	table := ui.Table{
		Label: "Live sessions", Sort: "age", Down: true, OnSort: func(app.Context, string) {},
		Columns: []ui.Column{
			{Key: "id", Title: "Session", Card: ui.PlaceLead},
			{Key: "age", Title: "Age", Number: true, Sorts: true, Card: ui.PlaceSide},
			{Key: "rtt", Title: "RTT", Sorts: true},
			{Key: "act", Title: "Actions", Hidden: true},
		},
		Rows: []ui.Row{{ID: "s1", Gone: true, Cells: []app.UI{app.Text("s1"), app.Text("4:12"), ui.NoData(), app.Text("")}}},
	}
	html := app.HTMLString(table.UI())
	for _, want := range []string{
		`aria-sort="descending"`, `aria-label="Live sessions"`, `data-label="RTT"`, `class="row-gone"`,
		`at-side is-num`, `aria-label="no data"`, "sr-only",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in %s", want, html)
		}
	}
	if got := strings.Count(html, "aria-sort"); got != 1 {
		t.Errorf("%d columns say that they are sorted", got)
	}
	if strings.Contains(html, `data-label="Age"`) {
		t.Error("a cell of the first line repeats its column")
	}
}

func TestRowsMayBeShort(t *testing.T) {
	table := ui.Table{Columns: []ui.Column{{Key: "a"}, {Key: "b"}}, Rows: []ui.Row{{ID: "1", Cells: []app.UI{app.Text("x")}}}}
	if html := app.HTMLString(table.UI()); strings.Contains(html, "<td") {
		t.Errorf("a cell without content was drawn: %s", html)
	}
}

func TestLivePill(t *testing.T) {
	cases := map[string]struct {
		p      ui.LivePill
		want   string
		button bool
	}{
		"live":             {ui.LivePill{State: ui.Live, OnToggle: nothing}, ">Live<", true},
		"paused":           {ui.LivePill{State: ui.Paused, Behind: 37, OnToggle: nothing}, ">Paused · 37 new<", true},
		"paused, no news":  {ui.LivePill{State: ui.Paused, OnToggle: nothing}, ">Paused<", true},
		"reconnecting":     {ui.LivePill{State: ui.Reconnecting, Retry: 4 * time.Second, OnToggle: nothing}, ">Reconnecting… 4 s<", false},
		"offline, unknown": {ui.LivePill{State: ui.Offline}, ">Offline<", false},
		"nothing to press": {ui.LivePill{State: ui.Live}, ">Live<", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(c.p.UI())
			if !strings.Contains(html, c.want) {
				t.Errorf("no %q in %s", c.want, html)
			}
			if got := strings.HasPrefix(html, "<button"); got != c.button {
				t.Errorf("a button: %v", got)
			}
		})
	}
}

func TestMissingIsNeverZero(t *testing.T) {
	nan := math.NaN()
	for name, v := range map[string]*float64{"nil": nil, "not a number": &nan} {
		t.Run(name, func(t *testing.T) {
			html := app.HTMLString(ui.Number(v, ui.Millis))
			if !strings.Contains(html, `aria-label="no data"`) || strings.Contains(html, "0 ms") {
				t.Error(html)
			}
		})
	}
}

func TestEveryIconIsDrawn(t *testing.T) {
	for name, d := range ui.Drawings {
		if d == "" || d[0] != 'M' {
			t.Errorf("%s is no path", name)
		}
	}
	if html := app.HTMLString(ui.Icon(ui.IconMic)); !strings.Contains(html, "aria-hidden") {
		t.Errorf("an icon speaks: %s", html)
	}
}
