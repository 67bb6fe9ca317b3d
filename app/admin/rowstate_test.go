package admin

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// drawnValues are the live values of an element as it was drawn: those that data-live
// names, in the order of the page.
func drawnValues(drawn string) (values []string) {
	for _, e := range regexp.MustCompile(`<(\w+)([^>]* data-live="([^"]*)"[^>]*)>([^<]*)`).FindAllStringSubmatch(drawn, -1) {
		for _, name := range strings.Fields(e[3]) {
			if name == ui.LiveText {
				values = append(values, html.UnescapeString(strings.TrimSpace(e[4])))
				continue
			}
			value := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(e[2])
			if value == nil {
				value = []string{"", ""}
			}
			values = append(values, value[1])
		}
	}
	return values
}

// TestLiveValuesAreThoseDrawn: what is written into a row each second goes where go-app
// drew it, in each shape that a row has.
func TestLiveValuesAreThoseDrawn(t *testing.T) {
	lost, trip, delay := 0.081, 84.0, 30.0
	soon, late, over := far.Add(time.Minute), far.Add(time.Hour), far.Add(-time.Minute)
	rich := one("rich", quality.Poor)
	rich.Quality = quality.Verdict{Level: quality.Poor, MOS: 2.61, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 8.1}
	rich.Metrics = map[quality.Direction]rest.Metrics{
		quality.ToAgent:  {LossRatio: &lost, RTTMS: &trip, DelayMS: &delay, JitterMS: &delay},
		quality.ToCaller: {DelayMS: &delay, BufferMS: &delay},
	}
	rich.MOSTrend, rich.EndsAt, rich.Agent = []float64{4.1, 0, 3.2, 2.6}, &late, "parrot"
	ending, gone, silent := rich, rich, one("silent", quality.None)
	ending.EndsAt = &soon
	gone.EndedAt, gone.State = &over, "ended"
	silent.LastActiveAt = time.Time{}
	for _, columns := range []string{"", "agent,word,delay_up,delay_down,jitter_up,buffer,remote,started"} {
		for name, r := range map[string]rest.Session{"all": rich, "ends soon": ending, "over": gone, "hardly anything": one("a", quality.None), "nothing": silent} {
			s := NewSessions(nil)
			s.filter.columns = columns
			of := session{Session: r}
			if r.EndedAt != nil {
				of.gone = noon
			}
			l := &rowState{session: of, at: far, shape: s.looks().shapeOf(&of, far)}
			want := drawnValues(app.HTMLString(s.row(l.session, l.at).UI(s.filter.allColumns())))
			got := s.looks().valuesOf(l)
			if strings.Join(got, "\n") != strings.Join(want, "\n") || len(got) < 5 {
				t.Errorf("%s, with columns %q: written\n%q, drawn\n%q", name, columns, got, want)
			}
		}
	}
}

// TestARowIsDrawnAgainForItsShape, and only then: else its values are written.
func TestARowIsDrawnAgainForItsShape(t *testing.T) {
	before := one("a", quality.Good)
	before.MOSTrend = []float64{4}
	shape := func(r rest.Session, looks rowLooks) rowShape {
		of := session{Session: r}
		if r.EndedAt != nil {
			of.gone = noon
		}
		return looks.shapeOf(&of, far)
	}
	for name, c := range map[string]struct {
		change func(*rest.Session)
		drawn  bool
	}{
		"a figure":      {func(s *rest.Session) { s.MOSTrend = []float64{4, 4.2} }, false},
		"what it does":  {func(s *rest.Session) { s.AgentState = "speaking" }, false},
		"another's row": {func(s *rest.Session) { s.ID, s.User = "b", "bob" }, false},
		"level":         {func(s *rest.Session) { s.Quality.Level = quality.Poor }, false},
		"no rating":     {func(s *rest.Session) { s.Quality.Level = quality.None }, true},
		"a cause":       {func(s *rest.Session) { s.Quality.Cause = quality.CauseLoss }, true},
		"no trend":      {func(s *rest.Session) { s.MOSTrend = nil }, true},
		"an end in sight": {func(s *rest.Session) {
			at := far.Add(time.Hour)
			s.EndsAt = &at
		}, true},
		"its end": {func(s *rest.Session) { *s = ended("a", "maintenance") }, true},
	} {
		next := before
		c.change(&next)
		if drawn := shape(next, rowLooks{}) != shape(before, rowLooks{}); drawn != c.drawn {
			t.Errorf("%s: drawn again %v", name, drawn)
		}
	}
	if shape(before, rowLooks{selected: map[string]bool{"a": true}}) == shape(before, rowLooks{}) {
		t.Error("a row that was selected is not drawn again")
	}
}
