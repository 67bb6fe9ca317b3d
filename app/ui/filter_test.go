package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// values are filters without an address.
type values map[string]string

func (v values) Get(key string) string { return v[key] }
func (v values) Set(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i]] = pairs[i+1]
	}
}

func TestChipsTogether(t *testing.T) {
	for name, c := range map[string]struct {
		kind                FilterKind
		chosen, value, want string
	}{
		"first":     {FilterMany, "", "a", "a"},
		"second":    {FilterMany, "a", "b", "a,b"},
		"off":       {FilterMany, "a,b", "a", "b"},
		"only one":  {FilterChips, "a", "b", "b"},
		"none left": {FilterChips, "a", "a", ""},
	} {
		if got := pressed(c.kind, fields(c.chosen), c.value); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFilterBarShowsWhatIsSet(t *testing.T) {
	html := app.HTMLString((&FilterBar{Label: "Filter lines", Values: values{"q": "abc", "method": "GET", "kind": "api", "from": "2026-11-21T12:00:00Z"},
		Time: &TimeRange{Values: values{"from": "2026-11-21T12:00:00Z"}, Usual: "24h"},
		Fields: []Filter{
			{Key: "q", Label: "Path, id, status…", Kind: FilterText, Max: 100},
			{Key: "method", Label: "Method", Kind: FilterSelect, Options: []Option{{"", "Any method"}, {"GET", "GET"}}},
			{Key: "kind", Label: "Kind", Kind: FilterChips, Options: []Option{{"api", "API"}, {"ws", "Call"}}},
		}}).Render())
	for _, want := range []string{`id="filter-text"`, `value="abc"`, `maxlength="100"`, "Filters · 2", `aria-pressed="false"`,
		`type="datetime-local"`, `aria-label="Method"`, "is-set"} {
		if !strings.Contains(html, want) {
			t.Errorf("the bar lacks %q:\n%s", want, html)
		}
	}
}

func TestRange(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		values   values
		from, to time.Time
	}{
		"usual":      {values{}, noon.Add(-24 * time.Hour), time.Time{}},
		"since":      {values{"since": "15m"}, noon.Add(-15 * time.Minute), time.Time{}},
		"days":       {values{"since": "30d"}, noon.Add(-30 * 24 * time.Hour), time.Time{}},
		"nonsense":   {values{"since": "soon"}, noon.Add(-24 * time.Hour), time.Time{}},
		"backwards":  {values{"since": "-1h"}, noon.Add(-24 * time.Hour), time.Time{}},
		"from":       {values{"from": "2026-11-20T00:00:00Z", "since": "1h"}, noon.Add(-36 * time.Hour), time.Time{}},
		"to":         {values{"to": "2026-11-20T00:00:00Z"}, time.Time{}, noon.Add(-36 * time.Hour)},
		"no moments": {values{"from": "yesterday"}, noon.Add(-24 * time.Hour), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := Range(c.values, "24h", noon)
			if !from.Equal(c.from) || !to.Equal(c.to) {
				t.Errorf("from %v to %v", from, to)
			}
		})
	}
}

func TestMomentsAreTheViewers(t *testing.T) {
	for _, value := range []string{"2026-11-21T12:00", "2026-11-21T12:00:30"} {
		if back := localMoment(momentOf(value)); !strings.HasPrefix(back, value) {
			t.Errorf("%s came back as %s", value, back)
		}
	}
	if momentOf("") != "" || localMoment("soon") != "" {
		t.Error("nonsense is a moment")
	}
}

func TestTimesInUTC(t *testing.T) {
	zone := viewersZone
	defer func() { viewersZone = zone; ShowUTC(false) }()
	viewersZone = time.FixedZone("", 2*60*60)
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ShowUTC(false)
	if got := Clock(at); got != "14:00:00" {
		t.Errorf("local %s", got)
	}
	ShowUTC(true)
	if got := Clock(at); got != "12:00:00" || !IsUTC() {
		t.Errorf("in UTC %s", got)
	}
}

func TestJSONFieldsKeepTheirOrder(t *testing.T) {
	got := JSONFields(struct {
		Z string         `json:"z"`
		A int            `json:"a"`
		D map[string]any `json:"d"`
	}{"x\"<y>", 7, map[string]any{"k": []int{1}}})
	want := []JSONField{{"z", "x\"<y>"}, {"a", "7"}, {"d", `{"k":[1]}`}}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if JSONFields(3) != nil || JSONFields(make(chan int)) != nil {
		t.Error("what is no object has fields")
	}
}

func TestJSONViewShowsTheWholeValue(t *testing.T) {
	text := IndentJSON(map[string]any{"path": "/a?b=<c>", "n": 1})
	if text != "{\n  \"n\": 1,\n  \"path\": \"/a?b=<c>\"\n}" {
		t.Errorf("%s", text)
	}
	html := app.HTMLString(JSONView{Value: map[string]any{"path": "/a"}, Label: "line"}.UI())
	for _, want := range []string{"json-name", "&#34;path&#34;", "JSON of the line", "Copy JSON"} {
		if !strings.Contains(html, want) {
			t.Errorf("the view lacks %q:\n%s", want, html)
		}
	}
}

func TestTableOpensARow(t *testing.T) {
	table := Table{Label: "Lines", Columns: []Column{{Title: "Time"}, {Title: "Status"}}, OnOpen: func(app.Context, string) {},
		Rows: []Row{{ID: "a", Name: "GET /", Cells: []app.UI{app.Text("12:00"), app.Text("200")}, Open: true, Detail: app.P().Text("all of it")},
			{ID: "b", Name: "GET /b", Cells: []app.UI{app.Text("12:01"), app.Text("404")}}}}
	html := app.HTMLString(table.UI())
	for _, want := range []string{"Details of GET /b", `colspan="2"`, "all of it"} {
		if !strings.Contains(html, want) {
			t.Errorf("the table lacks %q:\n%s", want, html)
		}
	}
	// go-app writes "true" as the name alone when it prerenders.
	if strings.Count(html, "row-detail") != 1 || strings.Count(html, "aria-expanded") != 2 || strings.Count(html, `aria-expanded="false"`) != 1 {
		t.Errorf("one row is open:\n%s", html)
	}
}

func TestTableFootCounts(t *testing.T) {
	more := app.HTMLString(TableFoot{Name: "requests", Shown: 100, More: true, Size: 100}.UI())
	all := app.HTMLString(TableFoot{Name: "requests", Shown: 7, Size: 50}.UI())
	if !strings.Contains(more, "Load 100 more") || !strings.Contains(more, "100 requests shown.") {
		t.Errorf("more:\n%s", more)
	}
	if strings.Contains(all, "Load") || !strings.Contains(all, "All 7 requests shown.") {
		t.Errorf("all:\n%s", all)
	}
}

func TestCurlHoldsNoSecret(t *testing.T) {
	if got := Curl("https://calls.example", "/api/v1/me?a=b"); got != `curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" 'https://calls.example/api/v1/me?a=b'` {
		t.Error(got)
	}
}
