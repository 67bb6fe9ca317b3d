package admin

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// field is a value of the interface by its path.
func field(t *testing.T, resource any, path string) any {
	t.Helper()
	text, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(path, ".") {
		of, ok := v.(map[string]any)
		if !ok || of[name] == nil {
			t.Fatalf("the interface has no %s", path)
		}
		v = of[name]
	}
	return v
}

func overRecord() rest.SessionRecord {
	end := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return rest.SessionRecord{
		ID: "sess_7q2m000000", User: "ada", Name: "Ada Kern", Agent: "parrot", StartedAt: end.Add(-252 * time.Second), EndedAt: &end, DurationS: 252, EndCause: wire.IdleTimeout,
		Quality: rest.RecordQuality{Level: quality.Fair, Summary: rest.Summary{LossRatio: &rest.Range{Avg: 0.042}, MOS: &rest.Range{Avg: 3.3}},
			Turns: rest.TurnSummary{FirstWord: rest.FirstWord{Turns: 3, P50MS: 812, P95MS: 1000}}},
	}
}

// TestEndedColumnsShowTheInterface: each column shows the field that it is of, as it is
// written for people.
func TestEndedColumnsShowTheInterface(t *testing.T) {
	r := overRecord()
	shown := map[string]string{
		"id": "sess_7q2m…", "user": `title="ada"`, "quality.level": "Fair. Estimated MOS 3.30.", "end_cause": "quiet too long", "agent": "parrot",
		"quality.turns.first_word.p50_ms": "812 ms", "quality.summary.loss_ratio.avg": "4.2 %", "duration_s": "4:12", "started_at": "2026-03-04T05:01:55Z",
	}
	columns := endedColumns()
	if len(columns) != len(shown) {
		t.Errorf("%d columns, %d are tested", len(columns), len(shown))
	}
	for _, c := range columns {
		v := field(t, r, c.field)
		html := app.HTMLString(c.cell(&r))
		plain := strings.Join(strings.Fields(stripTags(html)), " ")
		if want := shown[c.field]; !strings.Contains(html, want) && !strings.Contains(plain, want) {
			t.Errorf("%s is %v, its column shows %s", c.field, v, html)
		}
		if c.field == "id" || c.field == "user" || c.field == "quality.level" || c.field == "started_at" {
			continue
		}
		if html := app.HTMLString(c.cell(&rest.SessionRecord{})); c.field != "duration_s" && !strings.Contains(html, ui.Missing) {
			t.Errorf("%s that is missing is shown as %s", c.field, html)
		}
	}
}

// TestExtraColumnsShowTheInterface: each one the field that it is of.
func TestExtraColumnsShowTheInterface(t *testing.T) {
	r := one("a", quality.Good)
	m := rest.Metrics{DelayMS: new(120.0), JitterMS: new(7.0), BufferMS: new(44.0), ConcealedRatio: new(0.02), BitrateBPS: new(32000.0)}
	r.Metrics = map[quality.Direction]rest.Metrics{quality.ToAgent: m, quality.ToCaller: m}
	r.FirstWord, r.Remote, r.Agent, r.Node, r.StartedAt, r.Path = &rest.FirstWord{Turns: 1, P50MS: 812}, "192.0.2.•", "parrot", "eu-1", far, &rest.MediaPath{Protocol: "udp", Relay: "tls"}
	shown := map[string]string{
		"agent": "parrot", "node": "eu-1", "metrics.to_agent.delay_ms": "120 ms", "metrics.to_caller.delay_ms": "120 ms",
		"metrics.to_agent.jitter_ms": "7 ms", "metrics.to_caller.jitter_ms": "7 ms", "metrics.to_caller.buffer_ms": "44 ms",
		"metrics.to_caller.concealed_ratio": "2 %", "metrics.to_agent.bitrate_bps": "32 kbit/s", "path.relay": "relay, TLS", "remote": "192.0.2.•", "started_at": ui.Clock(far),
	}
	f := filter{}
	for _, e := range extras() {
		field(t, r, e.field)
		if got := strings.ReplaceAll(e.cell(&r), "\u00a0", " "); !strings.HasPrefix(got, shown[e.field][:1]) || shown[e.field] == "" {
			t.Errorf("%s is shown as %q, want %q", e.field, got, shown[e.field])
		}
		if got := e.cell(&rest.Session{}); e.field != "started_at" && got != ui.Missing {
			t.Errorf("%s that is missing is shown as %q", e.field, got)
		}
		f = f.toggleColumn(e.Key)
	}
	if n := len(f.allColumns()); n != len(columns())+len(extras()) || len(f.toggleColumn("agent").chosenExtras()) != len(extras())-1 {
		t.Errorf("%d columns", n)
	}
	s := sessionsPage(snap(r))
	s.filter = f
	s.arrange()
	holds(t, rendered(t, s), "192.0.2.•", "Jitter ↓", "First word", "812")
}

// TestManyCallsAreEndedByTheirNumber: more than five ask for it to be typed.
func TestManyCallsAreEndedByTheirNumber(t *testing.T) {
	for n, phrase := range map[int]string{1: "", askNumberOver: "", askNumberOver + 1: "6"} {
		s := sessionsPage()
		for i := range n {
			s.ending.ids = append(s.ending.ids, fmt.Sprint("s", i))
		}
		d := s.bulkDialog().(*ui.ConfirmWithReason)
		if d.Phrase != phrase || d.Max != rest.MaxReason {
			t.Errorf("%d calls ask for %q", n, d.Phrase)
		}
	}
}

// TestOnlyLiveCallsArePicked, in the order of the table.
func TestOnlyLiveCallsArePicked(t *testing.T) {
	s := sessionsPage(snap(one("a", quality.Good), one("b", quality.Poor)), upsert(ended("c", "x")))
	for _, id := range []string{"a", "b", "c", "gone"} {
		s.pick(id, true)
	}
	if got := fmt.Sprint(s.picked()); got != "[b a]" {
		t.Errorf("picked %s", got)
	}
	holds(t, rendered(t, s), "2 selected", "End calls…")
}

// TestColumnsSort: up, down, and back to the worst first.
func TestColumnsSort(t *testing.T) {
	a, b := one("a", quality.Good), one("b", quality.Poor)
	a.Metrics = map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(10.0), LossRatio: new(0.1)}}
	b.Metrics = map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(90.0), LossRatio: new(0.0)}}
	a.User, b.User, a.Name, b.Name = "x", "y", "", ""
	a.EndsAt = new(far)
	s := sessionsPage(snap(a, b))
	if got := fmt.Sprint(s.order); got != "[b a]" {
		t.Errorf("at first %s", got)
	}
	for key, want := range map[string]string{"session": "[a b]", "user": "[a b]", "rtt": "[a b]", "loss": "[b a]", "quality": "[b a]", "ends": "[a b]"} {
		for _, down := range []bool{false, true} {
			s.filter.sort, s.filter.down, s.order = key, down, nil
			s.since = time.Time{}
			s.arrange()
			got := fmt.Sprint(s.order)
			if (got == want) == down {
				t.Errorf("by %s, down %t: %s", key, down, got)
			}
		}
	}
	for _, c := range columns() {
		if c.Sorts != (orders[c.Key] != nil) {
			t.Errorf("%s sorts: %t", c.Key, c.Sorts)
		}
	}
}

// stripTags leaves the text of a page.
func stripTags(html string) string {
	var out strings.Builder
	inTag := false
	for _, r := range html {
		switch {
		case r == '<':
			inTag = true
			out.WriteByte(' ')
		case r == '>':
			inTag = false
		case !inTag:
			out.WriteRune(r)
		}
	}
	return out.String()
}
