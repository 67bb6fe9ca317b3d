package alerts

import (
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

func call(start, length int, cause wire.EndCause, poor int) rest.SessionRecord {
	return rest.SessionRecord{StartedAt: time.Unix(1_700_000_000+int64(start), 0), DurationS: float64(length), EndCause: cause,
		Quality: rest.RecordQuality{Seconds: map[quality.Level]int{quality.Poor: poor}}}
}

// TestARuleIsTriedOnTheCallsThatWere: at its limits, and not on what has no history.
func TestARuleIsTriedOnTheCallsThatWere(t *testing.T) {
	h := history{limit: 2, calls: []rest.SessionRecord{
		call(0, 100, wire.CallerLeft, 0), call(50, 100, wire.CallerLeft, 31), // both from 50 to 100
		call(100, 10, wire.MediaFailed, 30),                                           // takes over as the first goes: both until 110
		call(1000, 60, wire.AgentUnavailable, 0), call(1010, 60, wire.MediaFailed, 0), // both from 1010 to 1060
	}}
	full := func(above float64, lasts, least int) rest.AlertRule {
		return rest.AlertRule{Metric: rest.AlertLiveOfCap, Above: above, ForS: lasts, AtLeast: least}
	}
	failing := func(above float64, within, least int) rest.AlertRule {
		return rest.AlertRule{Metric: rest.AlertSetupFailures, Above: above, ForS: within, AtLeast: least}
	}
	for _, test := range []struct {
		rule rest.AlertRule
		want string
	}{
		{full(1, 0, 0), "Would have fired 3 times in the last 7 days."},
		{full(1, 50, 0), "Would have fired 2 times in the last 7 days."},
		{full(1, 51, 0), "Would not have fired in the last 7 days."},
		{full(.5, 0, 3), "Would not have fired in the last 7 days."},
		{rest.AlertRule{Metric: rest.AlertPoorCall, ForS: 30}, "Would have fired once in the last 7 days."},
		{rest.AlertRule{Metric: rest.AlertPoorCall, ForS: 29}, "Would have fired 2 times in the last 7 days."},
		{failing(.3, 100, 3), "Would have fired once in the last 7 days."},
		{failing(.5, 300, 1), "Would have fired once in the last 7 days."},
		{failing(.5, 300, 3), "Would not have fired in the last 7 days."},
		{rest.AlertRule{Metric: rest.AlertAuditChain}, "No history is kept of this, so there is no preview."},
	} {
		if got := h.preview(test.rule); got != test.want {
			t.Errorf("%+v: %q, not %q", test.rule, got, test.want)
		}
	}
	h.isPart = true
	if got := h.preview(full(1, 50, 0)); got != "Would have fired at least 2 times in the last 7 days." {
		t.Errorf("of some calls: %q", got)
	}
}
