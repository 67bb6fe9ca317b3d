package store_test

import (
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// TestHistoryCountsWhatWasKept: ended calls of a time and of an organization, by what
// their record says, and the requests beside them.
func TestHistoryCountsWhatWasKept(t *testing.T) {
	t.Parallel()
	r := openIn(t, t.TempDir())
	start := noon.Add(-30 * time.Minute)
	for i, s := range []rest.SessionRecord{
		{ID: "a", Org: "acme", StartedAt: start, EndedAt: new(start.Add(time.Minute)), EndCause: wire.CallerLeft, Agent: "parrot",
			Quality: rest.RecordQuality{Level: quality.Fair, Turns: rest.TurnSummary{FirstWord: rest.FirstWord{Turns: 2, P50MS: 700, P95MS: 900}}}},
		{ID: "b", StartedAt: start, EndedAt: new(start.Add(time.Second)), EndCause: wire.AgentUnavailable, Agent: "parrot", Quality: rest.RecordQuality{Level: quality.None}},
		{ID: "live", StartedAt: start, Agent: "parrot"},
	} {
		past := r.Backdated(uint16(i+1), func() time.Time { return s.StartedAt })
		put := past.SessionStarted
		if s.EndedAt != nil {
			put = past.SessionEnded
		}
		if err := put(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	past := r.Backdated(9, func() time.Time { return start })
	if err := past.AppendLogs(t.Context(), []rest.LogEntry{{T: start, Status: 200}, {T: start, Status: 503}, {T: start, Status: 401, Count: 40}}); err != nil {
		t.Fatal(err)
	}
	q := rest.HistoryQuery{From: noon.Add(-time.Hour), To: noon, StepS: 1200}
	h, err := r.History(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	b := h.Buckets[1]
	if len(h.Buckets) != 3 || b.Started != 2 || b.Failed != 1 || b.Ended != 2 || b.First == nil || b.First.P95MS != 900 || *b.Requests != 42 || *b.Errors != 1 {
		t.Errorf("%+v", h.Buckets)
	}
	if *h.Buckets[0].Requests != 0 || h.IsPartial || h.Agents["parrot"].Calls != 2 {
		t.Errorf("%+v", h)
	}
	q.Org = "acme"
	if h, err = r.History(t.Context(), q); err != nil || h.Agents["parrot"].Calls != 1 || len(h.Causes) != 1 {
		t.Errorf("of an organization: %+v, %v", h, err)
	}
}
