package anomaly_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/server/anomaly"
	"parley/shared/rest"
)

// evenHours are hours before a time that were all alike: 120 calls an hour, 2 % of which
// fail, a first word after 0.8 s, a MOS of 4.2.
func evenHours(until time.Time, n int) (out []anomaly.Hour) {
	for hour := anomaly.HourOf(until) - int64(n); hour < anomaly.HourOf(until); hour++ {
		for series, sum := range map[string]anomaly.Sum{
			rest.AnomalyFailureRate: {Weight: 120, Total: 2.4}, rest.AnomalyFirstWord: {Weight: 600, Total: 480, Squares: 420},
			rest.AnomalyMOS: {Weight: 900, Total: 3780, Squares: 15900}, rest.AnomalyRefusals: {Weight: 1, Total: 1},
			rest.AnomalySignIns: {Weight: 1, Total: 4}, rest.AnomalySignInsNetwork: {Weight: 4, Total: 4}, rest.AnomalySignInsOrg: {Weight: 4, Total: 4},
		} {
			out = append(out, anomaly.Hour{Hour: hour, Series: series, Sum: sum})
		}
	}
	return out
}

// run feeds a detector the same minute again and again.
type run struct {
	t  *testing.T
	d  *anomaly.Detector
	at time.Time
}

func newRun(t *testing.T, past []anomaly.Hour) *run {
	return &run{t: t, d: anomaly.New(past), at: monday()}
}

// minutes returns what stands after some.
func (r *run) minutes(n int, m anomaly.Minute) (all []rest.Anomaly) {
	for range n {
		r.at = r.at.Add(time.Minute)
		all = r.d.AddMinute(r.at, m)
	}
	return all
}

func quietMinute() anomaly.Minute {
	return anomaly.Minute{Ended: 2, Waits: waits(10, .8), MOS: anomaly.Sum{Weight: 15, Total: 63, Squares: 265}}
}

func slowMinute() anomaly.Minute {
	m := quietMinute()
	m.Waits = waits(10, 2.4)
	return m
}

func waits(n, each float64) anomaly.Sum {
	return anomaly.Sum{Weight: n, Total: n * each, Squares: n * each * each}
}

// TestWhatUsualIsLearnedOf: the same hour of the week as soon as there are enough of them,
// then of the day, then any; and nothing is told before.
func TestWhatUsualIsLearnedOf(t *testing.T) {
	t.Parallel()
	const day = 24
	for hours, want := range map[int]string{
		0: "", anomaly.MinHours - 1: "", anomaly.MinHours: rest.AnomalyAllHours,
		anomaly.MinDays*day - 1 - 1: rest.AnomalyAllHours, anomaly.MinDays * day: rest.AnomalyHourOfDay,
		anomaly.MinWeeks*7*day - 2: rest.AnomalyHourOfDay, anomaly.MinWeeks * 7 * day: rest.AnomalyHourOfWeek,
	} {
		r := newRun(t, evenHours(monday(), hours))
		got := ""
		if all := r.minutes(10, slowMinute()); len(all) > 0 {
			got = all[0].Basis
		}
		if got != want {
			t.Errorf("after %d hours: %q, want %q", hours, got, want)
		}
	}
}

// TestAnAnomalyIsToldOnce, since when, beside what is usual, and ends when it is over.
func TestAnAnomalyIsToldOnce(t *testing.T) {
	t.Parallel()
	r := newRun(t, evenHours(monday(), 5*7*24))
	if all := r.minutes(60, quietMinute()); len(all) != 0 || all == nil {
		t.Fatalf("an hour as usual: %+v", all)
	}
	if all := r.minutes(2*anomaly.QuickMinutes, slowMinute()); len(all) != 1 {
		t.Fatalf("slow: %+v", all)
	}
	a := r.minutes(1, slowMinute())[0]
	since := a.Since
	if a.Series != rest.AnomalyFirstWord || a.Value != 2.4 || a.Low >= .8 || a.High <= .8 || a.Unit != "s" ||
		!strings.HasPrefix(a.Text, "First word takes 2.4 s; usual at this hour: 0.8 s (0.") || !since.Before(r.at.Add(-anomaly.QuickMinutes*time.Minute)) {
		t.Errorf("told %+v", a)
	}
	// As many as usual begin to be heard in time again; it takes the quick window and
	// EndMinutes until it is over.
	for range 6 {
		r.minutes(anomaly.QuickMinutes, slowMinute())
		r.minutes(3, quietMinute())
	}
	if all := r.minutes(1, slowMinute()); len(all) != 1 || !all[0].Since.Equal(since) {
		t.Errorf("wavering: %+v", all)
	}
	if all := r.minutes(anomaly.SlowMinutes+anomaly.EndMinutes, quietMinute()); len(all) != 0 {
		t.Errorf("as usual again: %+v", all)
	}
}

// TestWhatLastsIsTheNewUsual, and what was learned before of it alone is forgotten.
func TestWhatLastsIsTheNewUsual(t *testing.T) {
	t.Parallel()
	r := newRun(t, evenHours(monday(), 5*7*24))
	r.minutes(60, quietMinute())
	r.d.TakeHours()
	lasts := int(anomaly.NewUsual / time.Minute)
	if all := r.minutes(lasts, slowMinute()); len(all) != 1 || len(r.d.TakeForgotten()) != 0 {
		t.Fatalf("just before: %+v", all)
	}
	if all := r.minutes(30, slowMinute()); len(all) != 0 {
		t.Errorf("after it: %+v", all)
	}
	want := anomaly.Forgotten{Series: rest.AnomalyFirstWord, Before: anomaly.HourOf(monday().Add(time.Hour))}
	if got := r.d.TakeForgotten(); len(got) != 1 || got[0] != want {
		t.Errorf("forgotten %+v, want %+v", got, want)
	}
	worse := slowMinute()
	worse.Waits = waits(10, 7)
	if all := r.minutes(30, worse); len(all) != 1 || all[0].Basis != rest.AnomalyAllHours || all[0].Usual < 2 {
		t.Errorf("worse than the new usual: %+v", all)
	}
}

// TestRefusedSignInsAreToldOfOneOnly: of the network that they come from, else of the
// organization that they are meant for, else of all.
func TestRefusedSignInsAreToldOfOneOnly(t *testing.T) {
	t.Parallel()
	from := func(networks int, org string) anomaly.Minute {
		m := quietMinute()
		m.SignIns = make(map[anomaly.Origin]int)
		for i := range 8 {
			m.SignIns[anomaly.Origin{Network: network(i % networks), Org: org}]++
		}
		return m
	}
	mixed := func(i int) anomaly.Minute {
		m := quietMinute()
		m.SignIns = make(map[anomaly.Origin]int)
		for j := range 8 {
			m.SignIns[anomaly.Origin{Network: network(i*8 + j)}]++
		}
		return m
	}
	for name, c := range map[string]struct {
		minute func(int) anomaly.Minute
		want   string
	}{
		"one network":        {func(int) anomaly.Minute { return from(1, "acme") }, "sign_ins_network 10.0.0.0/24 count"},
		"one organization":   {func(i int) anomaly.Minute { m := mixed(i); return ofOrg(m, "acme") }, "sign_ins_org acme count"},
		"all over the world": {mixed, "sign_ins  per_hour"},
	} {
		r := newRun(t, evenHours(monday(), 5*7*24))
		seen := make(map[string]bool)
		for i := range 60 {
			for _, a := range r.minutes(1, c.minute(i)) {
				seen[a.Series+" "+a.Network+a.Org+" "+a.Unit] = true
			}
		}
		if len(seen) != 1 || !seen[c.want] {
			t.Errorf("%s: told %v, want %s", name, seen, c.want)
		}
	}
}

func ofOrg(m anomaly.Minute, org string) anomaly.Minute {
	of := make(map[anomaly.Origin]int)
	for o, n := range m.SignIns {
		of[anomaly.Origin{Network: o.Network, Org: org}] += n
	}
	m.SignIns = of
	return m
}

// TestAnOrganizationHasItsOwnUsual: what is much for all others is usual for one where
// many mistype.
func TestAnOrganizationHasItsOwnUsual(t *testing.T) {
	t.Parallel()
	past := evenHours(monday(), 5*7*24)
	for _, h := range past {
		if h.Series == rest.AnomalySignIns {
			past = append(past, anomaly.Hour{Hour: h.Hour, Series: rest.AnomalySignInsOrg, Org: "big", Sum: anomaly.Sum{Weight: 1, Total: 120}})
		}
	}
	r := newRun(t, past)
	told := make(map[string]rest.Anomaly)
	for i := range 60 {
		m := quietMinute()
		m.SignIns = map[anomaly.Origin]int{{Network: network(3 * i), Org: "big"}: 2, {Network: network(3*i + 1), Org: "small"}: 2}
		for _, a := range r.minutes(1, m) {
			told[a.Org] = a
		}
	}
	if _, isBig := told["big"]; isBig || told["small"].Series != rest.AnomalySignInsOrg {
		t.Errorf("told %+v", told)
	}
	for i := range 60 {
		m := quietMinute()
		m.SignIns = map[anomaly.Origin]int{{Network: network(1000 + 2*i), Org: "big"}: 5, {Network: network(1001 + 2*i), Org: "big"}: 5}
		for _, a := range r.minutes(1, m) {
			told[a.Org] = a
		}
	}
	if a := told["big"]; a.Unit != "per_hour" || !strings.Contains(a.Text, "Sign-ins refused of big: ") || !strings.Contains(a.Text, "an hour; usual at this hour: 120 (") {
		t.Errorf("big, ten times: %+v", a)
	}
}

// TestHoursAddUp: what is to be kept is what the minutes came to, each once.
func TestHoursAddUp(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil)
	m := quietMinute()
	m.Failed, m.Refused, m.SignIns = 1, 3, map[anomaly.Origin]int{{Network: "n", Org: "acme"}: 2}
	got := make(map[string]anomaly.Sum)
	for _, n := range []int{20, 40, 60} { // an hour and one more
		r.minutes(n, m)
		for _, h := range r.d.TakeHours() {
			key := fmt.Sprint(h.Series, h.Org, h.Hour-anomaly.HourOf(monday()))
			sum := got[key]
			got[key] = anomaly.Sum{Weight: sum.Weight + h.Weight, Total: sum.Total + h.Total, Squares: sum.Squares + h.Squares}
		}
	}
	for key, want := range map[string]anomaly.Sum{
		"failure_rate0": {Weight: 120, Total: 60}, "failure_rate1": {Weight: 120, Total: 60}, "refusals1": {Weight: 1, Total: 180},
		"sign_ins0": {Weight: 1, Total: 120}, "sign_ins_orgacme1": {Weight: 1, Total: 120},
		"sign_ins_network0": {Weight: 4, Total: 120, Squares: 3600}, "sign_ins_org1": {Weight: 4, Total: 120, Squares: 3600},
	} {
		if s := got[key]; !near(s.Weight, want.Weight) || !near(s.Total, want.Total) || !near(s.Squares, want.Squares) {
			t.Errorf("%s: %+v, want %+v", key, s, want)
		}
	}
	if len(r.d.TakeHours()) != 0 {
		t.Error("hours are given twice")
	}
}

func near(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 }

// TestAClockThatIsSetBack: a minute that was judged is not judged again.
func TestAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil)
	r.minutes(10, quietMinute())
	r.d.TakeHours()
	r.at = r.at.Add(-5 * time.Minute)
	r.minutes(5, quietMinute())
	if kept := r.d.TakeHours(); len(kept) != 0 {
		t.Errorf("counted again: %+v", kept)
	}
	if r.minutes(1, quietMinute()); len(r.d.TakeHours()) == 0 {
		t.Error("the minutes after aren't counted")
	}
}

// TestLearningTakesTwoDays of hours of any one series.
func TestLearningTakesTwoDays(t *testing.T) {
	for hours, want := range map[int]int{0: anomaly.MinHours, 7: anomaly.MinHours - 7, anomaly.MinHours: 0, 100: 0} {
		if got := anomaly.New(evenHours(monday(), hours)).LearningHours(); got != want {
			t.Errorf("after %d hours %d are left, not %d", hours, got, want)
		}
	}
}
