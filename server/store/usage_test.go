package store_test

import (
	"errors"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

func used(session, user, org, agent, day string, micros int64) rest.UsageEntry {
	return rest.UsageEntry{
		Session: session, UserKey: "key of " + user, User: user, Org: org, Agent: agent, Day: day,
		Usage: rest.Usage{
			Tokens: rest.Tokens{
				InputText: 1, InputTextCached: 2, InputAudio: 3, InputAudioCached: 4, InputImage: 5, InputImageCached: 6, InputOther: 7,
				OutputText: 8, OutputAudio: 9, OutputOther: 10, Transcription: 11,
			},
			TranscribedMS: 12, Responses: 13, Unconfirmed: 14, CostMicros: micros, Currency: "USD",
		},
	}
}

// fillUsage keeps the usage of three users at two agents on two days.
func fillUsage(t *testing.T, r *rig) {
	t.Helper()
	for _, e := range []rest.UsageEntry{
		used("s1", "ada", "acme", "openai", "2026-11-24", 100),
		used("s1", "ada", "acme", "openai", "2026-11-24", 20), // more of the same
		used("s1", "ada", "acme", "openai", "2026-11-25", 3),  // after midnight
		used("s2", "ada", "acme", "local", "2026-11-25", 1000),
		used("s3", "bob", "acme", "openai", "2026-11-25", 40_000),
		used("s4", "eve", "other", "openai", "2026-11-25", 500_000),
	} {
		must(t, r.AddUsage(t.Context(), e))
	}
}

func TestUsageIsAddedUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		fillUsage(t, r)
		r.restart()
		for name, test := range map[string]struct {
			query rest.UsageQuery
			want  []rest.UsageRow // without tokens
		}{
			"all": {rest.UsageQuery{}, []rest.UsageRow{{Sessions: 4, Usage: rest.Usage{CostMicros: 541_123}}}},
			"by day": {rest.UsageQuery{Group: "day"}, []rest.UsageRow{
				{Day: "2026-11-25", Sessions: 4, Usage: rest.Usage{CostMicros: 541_003}},
				{Day: "2026-11-24", Sessions: 1, Usage: rest.Usage{CostMicros: 120}},
			}},
			"by user, of an organization": {rest.UsageQuery{Org: "acme", Group: "user"}, []rest.UsageRow{
				{User: "bob", Sessions: 1, Usage: rest.Usage{CostMicros: 40_000}},
				{User: "ada", Sessions: 2, Usage: rest.Usage{CostMicros: 1123}},
			}},
			"by user and agent, of a day": {
				rest.UsageQuery{Org: "acme", Group: "user,agent", From: day(25), To: day(26)},
				[]rest.UsageRow{
					{User: "bob", Agent: "openai", Sessions: 1, Usage: rest.Usage{CostMicros: 40_000}},
					{User: "ada", Agent: "local", Sessions: 1, Usage: rest.Usage{CostMicros: 1000}},
					{User: "ada", Agent: "openai", Sessions: 1, Usage: rest.Usage{CostMicros: 3}},
				},
			},
			"of an agent": {rest.UsageQuery{Agent: "local", Group: "agent"}, []rest.UsageRow{
				{Agent: "local", Sessions: 1, Usage: rest.Usage{CostMicros: 1000}},
			}},
			"from a day on": {rest.UsageQuery{From: day(25).Add(13 * time.Hour)}, []rest.UsageRow{{Sessions: 4, Usage: rest.Usage{CostMicros: 541_003}}}},
			"before a day":  {rest.UsageQuery{To: day(25)}, []rest.UsageRow{{Sessions: 1, Usage: rest.Usage{CostMicros: 120}}}},
			"of nobody":     {rest.UsageQuery{Org: "nobody"}, nil},
		} {
			got, next, err := r.Usage(t.Context(), test.query)
			if err != nil || next != "" || len(got) != len(test.want) {
				t.Errorf("%s: %+v, %q, %v", name, got, next, err)
				continue
			}
			for i, row := range got {
				row.Usage = rest.Usage{CostMicros: row.Usage.CostMicros}
				if row != test.want[i] {
					t.Errorf("%s: row %d is %+v, want %+v", name, i, row, test.want[i])
				}
			}
		}
	})
}

func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }

func TestEachKindOfTokenIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		want := used("s", "ada", "", "openai", "2026-11-25", 15)
		must(t, r.AddUsage(t.Context(), want))
		got, _, err := r.Usage(t.Context(), rest.UsageQuery{})
		if err != nil || len(got) != 1 || got[0].Usage != want.Usage {
			t.Errorf("kept %+v, %v", got, err)
		}
	})
}

func TestUsageComesInPages(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		fillUsage(t, r)
		q := rest.UsageQuery{Group: "day,user,agent", Limit: 2}
		var costs []int64
		for page := 0; ; page++ {
			got, next, err := r.Usage(t.Context(), q)
			if err != nil || len(got) > 2 || page > 3 {
				t.Fatalf("page %d: %+v, %v", page, got, err)
			}
			for _, row := range got {
				costs = append(costs, row.Usage.CostMicros)
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
		want := []int64{500_000, 40_000, 1000, 3, 120}
		if len(costs) != len(want) {
			t.Fatalf("%v, want %v", costs, want)
		}
		for i := range want {
			if costs[i] != want[i] {
				t.Errorf("%v, want %v", costs, want)
			}
		}
		if _, _, err := r.Usage(t.Context(), rest.UsageQuery{Cursor: "!"}); !errors.Is(err, fault.BadCursor) {
			t.Errorf("a cursor of nobody's: %v", err)
		}
	})
}

func TestMoneyOfTwoCurrenciesIsNotAddedUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		euros := used("s2", "ada", "", "openai", "2026-11-25", 7)
		euros.Currency = "EUR"
		must(t, r.AddUsage(t.Context(), used("s1", "ada", "", "openai", "2026-11-25", 5)))
		must(t, r.AddUsage(t.Context(), euros))
		got, _, err := r.Usage(t.Context(), rest.UsageQuery{})
		if err != nil || len(got) != 2 || got[0].Usage.CostMicros != 7 || got[1].Usage.CostMicros != 5 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestWhatWasSpentSurvivesARestart(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		fillUsage(t, r)
		r.restart()
		for name, test := range map[string]struct {
			user, org, agent, day string
			want                  int64
		}{
			"today":                {"key of ada", "acme", "openai", "2026-11-25", 3},
			"the day before":       {"key of ada", "acme", "openai", "2026-11-24", 120},
			"another agent":        {"key of ada", "acme", "local", "2026-11-25", 1000},
			"another organization": {"key of ada", "other", "openai", "2026-11-25", 0},
			"nobody":               {"key of nobody", "acme", "openai", "2026-11-25", 0},
		} {
			if got, err := r.SpentOn(t.Context(), test.user, test.org, test.agent, test.day); err != nil || got != test.want {
				t.Errorf("%s: %d, %v", name, got, err)
			}
		}
	})
}

func TestUsageIsForgottenWithItsSessions(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		fillUsage(t, r)
		if got, err := r.Retain(t.Context(), store.Before{Sessions: noon.Add(time.Hour)}); err != nil || got.Usage != 5 {
			t.Errorf("deleted %+v, %v", got, err)
		}
		if got, _, err := r.Usage(t.Context(), rest.UsageQuery{}); err != nil || len(got) != 0 {
			t.Errorf("left %+v, %v", got, err)
		}
	})
}
