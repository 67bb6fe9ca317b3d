package rest_test

import (
	"reflect"
	"testing"
	"time"

	"parley/shared/rest"
)

// tokens counts first of the first kind, and one more of each that follows.
func tokens(first int64) (t rest.Tokens) {
	v := reflect.ValueOf(&t).Elem()
	for i := range v.NumField() {
		v.Field(i).SetInt(first + int64(i))
	}
	return t
}

func usage(first int64) rest.Usage {
	return rest.Usage{Tokens: tokens(first), TranscribedMS: 100 * first, Responses: 3 * first, Unconfirmed: first, CostMicros: 7 * first, Currency: "EUR"}
}

// usageGoldens are what calls used, and what their agents called.
func usageGoldens() map[string]any {
	return map[string]any{
		"usage": rest.Page[rest.UsageRow]{
			Items: []rest.UsageRow{{Day: "2026-03-04", User: "a•••@example.org", Agent: "concierge", Sessions: 2, Usage: usage(1)}}, NextCursor: "c_6",
		},
		"agents": rest.Page[rest.AgentStatus]{Items: []rest.AgentStatus{{
			Agent: rest.Agent{Name: "concierge", Title: "Concierge", About: "Knows the house."}, Calls: 3,
			Failures:  []rest.AgentFailure{{At: at(9), Detail: "The service answered 429: raise its limit."}},
			FirstWord: rest.FirstWord{Turns: 40, P50MS: 780, P95MS: 1410.5},
			Refused:   []rest.RefusedEvent{{Direction: "from_browser", Type: "conversation.item.delete", Reason: "not_allowed", Count: 2}},
		}}},
		"agent-check": rest.AgentCheck{Agent: "concierge", Result: rest.CheckMissing, Steps: []rest.AgentCheckStep{
			{Name: "exchange", Result: rest.CheckOK, TookMS: 210.5}, {Name: "hang_up", Result: rest.CheckMissing, TookMS: 80, Detail: "its dialect has none"},
		}},
		"tool-use": rest.ToolUse{
			At: at(8), Session: "s_1", Tool: "opening_hours", Result: "ok", TookMS: 41.5, ArgumentBytes: 17, ResultBytes: 120, RequestSHA256: "00ff",
		},
	}
}

func TestUsageAddsUpKindByKind(t *testing.T) {
	sum := usage(1)
	sum.Add(usage(10))
	for i, v := 0, reflect.ValueOf(sum.Tokens); i < v.NumField(); i++ {
		if got, want := v.Field(i).Int(), int64(11+2*i); got != want {
			t.Errorf("%s is %d, want %d", v.Type().Field(i).Name, got, want)
		}
	}
	if got, want := sum.Tokens.Sum(), usage(1).Tokens.Sum()+usage(10).Tokens.Sum(); got != want {
		t.Errorf("%d tokens in all, want %d", got, want)
	}
	if got := sum.Less(usage(10)); got != usage(1) {
		t.Errorf("what was added, taken away again: %+v", got)
	}
	if got := sum.Less(sum); got != (rest.Usage{Currency: "EUR"}) {
		t.Errorf("all taken away: %+v", got)
	}
}

func TestUsageHasTheFirstCurrencyThatIsNamed(t *testing.T) {
	var sum rest.Usage
	for _, currency := range []string{"", "EUR", "USD", ""} {
		sum.Add(rest.Usage{Currency: currency})
	}
	if sum.Currency != "EUR" {
		t.Errorf("it is %q", sum.Currency)
	}
}

func TestUsageCountsForTheDayInUTC(t *testing.T) {
	for written, want := range map[string]string{
		"2026-03-04T00:00:00Z":      "2026-03-04",
		"2026-03-04T23:59:59Z":      "2026-03-04",
		"2026-03-05T00:59:59+01:00": "2026-03-04",
		"2026-03-05T01:00:00+01:00": "2026-03-05",
		"2026-03-04T18:59:59-05:00": "2026-03-04",
		"2026-03-04T19:00:00-05:00": "2026-03-05",
	} {
		day, err := time.Parse(time.RFC3339, written)
		if err != nil {
			t.Fatal(err)
		}
		if got := rest.DayOf(day); got != want {
			t.Errorf("%s counts for %s, want %s", written, got, want)
		}
	}
}

// TestAGroupHasItsParts, by whole words, and nothing of what it doesn't name.
func TestAGroupHasItsParts(t *testing.T) {
	for group, want := range map[rest.UsageGroup]string{
		"": "---", "day": "d--", "user": "-u-", "agent": "--a", "day,user": "du-", "agent,day": "d-a", "agent,user,day": "dua",
		"user,user": "-u-", "days": "---", "day user": "---", "Day": "---", "superuser,day": "d--", ",": "---",
	} {
		got := ""
		for _, part := range []struct {
			by     rest.UsageGroup
			letter string
		}{{rest.UsageByDay, "d"}, {rest.UsageByUser, "u"}, {rest.UsageByAgent, "a"}} {
			if group.Has(part.by) {
				got += part.letter
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("%q has %s, want %s", group, got, want)
		}
	}
}

// TestLessOfWhatIsNotThere goes below zero, and is made good by adding it again: what
// came out of order is neither lost nor counted twice.
func TestLessOfWhatIsNotThere(t *testing.T) {
	below := rest.Usage{Currency: "EUR"}.Less(usage(4))
	if below.Tokens.Sum() >= 0 || below.CostMicros != -28 || below.Responses != -12 || below.Unconfirmed != -4 || below.TranscribedMS != -400 {
		t.Errorf("less of nothing: %+v", below)
	}
	below.Add(usage(4))
	if below != (rest.Usage{Currency: "EUR"}) {
		t.Errorf("added again: %+v", below)
	}
}
