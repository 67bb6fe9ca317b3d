package store_test

import (
	"slices"
	"testing"

	"parley/server/anomaly"
)

// TestBaselinesAddUp, over a restart and over servers that share a database, until they are
// forgotten: those of one series, or of all before an hour.
func TestBaselinesAddUp(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		hour := func(n int64, series, org string, weight float64) anomaly.Hour {
			return anomaly.Hour{Hour: n, Series: series, Org: org, Sum: anomaly.Sum{Weight: weight, Total: 2.5 * weight, Squares: 6.25 * weight}}
		}
		must(t, r.AddBaselines(t.Context(), []anomaly.Hour{hour(7, "mos", "", 2), hour(8, "mos", "", 1), hour(8, "sign_ins_org", "acme", 1), hour(8, "sign_ins_org", "zeta", 1)}, nil))
		r.restart()
		must(t, r.AddBaselines(t.Context(), []anomaly.Hour{hour(8, "mos", "", 3), hour(9, "mos", "", 1)}, []anomaly.Forgotten{{Series: "sign_ins_org", Org: "acme", Before: 9}}))
		expect := func(from int64, want ...anomaly.Hour) {
			t.Helper()
			got, err := r.Baselines(t.Context(), from)
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		expect(0, hour(7, "mos", "", 2), hour(8, "mos", "", 4), hour(8, "sign_ins_org", "zeta", 1), hour(9, "mos", "", 1))
		expect(9, hour(9, "mos", "", 1))
		must(t, r.AddBaselines(t.Context(), nil, []anomaly.Forgotten{{Before: 9}}))
		expect(0, hour(9, "mos", "", 1))
	})
}
