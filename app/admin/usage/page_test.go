package usage

import (
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

func row(day string, sessions, input, cached, output, micros int64, currency string) rest.UsageRow {
	return rest.UsageRow{Day: day, Agent: "support", User: "a•••", Sessions: sessions, Usage: rest.Usage{
		Tokens: rest.Tokens{InputAudio: input, InputTextCached: cached, OutputAudio: output}, Responses: sessions, CostMicros: micros, Currency: currency}}
}

// TestSumsAreOfEachCurrency: what was paid in two is not added up.
func TestSumsAreOfEachCurrency(t *testing.T) {
	got := sum([]rest.UsageRow{row("1", 2, 10, 1, 5, 1_500_000, "USD"), row("2", 1, 20, 2, 6, 500_000, "USD"), row("2", 1, 7, 0, 0, 0, "")})
	if len(got) != 2 || got[0].Sessions != 3 || got[0].Usage.Tokens.InputAudio != 30 || cost(got[0].Usage) != "2.00 USD" || got[1].Sessions != 1 || cost(got[1].Usage) != "" {
		t.Errorf("the sums are %+v", got)
	}
	if sum(nil) != nil {
		t.Error("nothing has a sum")
	}
	if got := cost(rest.Usage{CostMicros: 999_999, Currency: "EUR"}); got != "1.0000 EUR" {
		t.Errorf("less than one is %q", got)
	}
}

// TestColumnsAreThoseOfTheGroup, in one order, whatever the address says.
func TestColumnsAreThoseOfTheGroup(t *testing.T) {
	for group, want := range map[rest.UsageGroup][]string{
		"day": {"d"}, "user,day": {"d", "u"}, "agent": {"a"}, "day,user,agent": {"d", "a", "u"}, "": nil,
	} {
		if got := byGroup(group, "d", "a", "u"); !slices.Equal(got, want) {
			t.Errorf("by %q: %q", group, got)
		}
	}
	p := &Page{rows: []rest.UsageRow{row("2026-03-04", 2, 10_000, 100, 5, 1_500_000, "USD"), row("2026-03-03", 9, 1, 0, 0, 375_000, "USD")}, isPart: true}
	html := app.HTMLString(p.content())
	for _, want := range []string{"2026-03-04", "10\u202f000", "1.50 USD", "Total", `d="M0 4h100"`, `d="M0 4h25"`, "There is more than is shown"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}
