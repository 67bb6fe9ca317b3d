package client_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
)

// oftenPatches are what the stream says of a row, each second or seldom, and what it
// would never say.
var oftenPatches = map[string]bool{
	`{"id":"a","mos_trend_add":[4.1],"last_active_at":"2026-03-04T05:06:07.123Z","bytes_received":12000,"bytes_sent":9}`:           true,
	`{"id":"a","quality":{"r":71.5,"mos":3.6},"metrics":{"to_agent":{"rtt_ms":30.25,"loss_ratio":null,"jitter_ms":1e-7}}}`:         true,
	`{"id":"a","state":"active","agent_state":"speaking","quality":{"level":"good","cause":"","direction":"to_caller","value":0}}`: true,
	`{"id":"a","metrics":{}}`:       true,
	`{"id":"a","mos_trend_add":[]}`: true,
	`{"id":"a","ends_at":"2026-03-04T05:06:07.123Z","first_word":{"turns":2,"p50_ms":672.2},"poor_seconds":{"agent":3}}`: true,
	`{"id":"a","first_word":{"p95_ms":817},"poor_seconds":{}}`:                                                           true,
	`{"id":"a","first_word":null}`:                                   false,
	`{"id":"a","first_word":{"turns":1.5}}`:                          false,
	`{"id":"a","poor_seconds":null}`:                                 false,
	`{"id":"a"}`:                                                     true,
	`{"id":"a","metrics":{"to_agent":null}}`:                         false,
	`{"id":"a","metrics":null}`:                                      false,
	`{"id":"a","metrics":{"to_agent":{"unknown":1}}}`:                false,
	`{"id":"a","ends_at":null}`:                                      false,
	`{"id":"a","state":"\u0061ctive"}`:                               false,
	`{"id":"a","agent_state":"h\u00f6rt"}`:                           false,
	`{ "id":"a","state":"active"}`:                                   false,
	`{"id":"b","state":"active"}`:                                    false,
	`{"id":"a","mos_trend_add":[1e999]}`:                             false,
	`{"id":"a","bytes_sent":1.5}`:                                    false,
	`{"id":"a","last_active_at":"yesterday"}`:                        false,
	`{"id":"a","metrics":{"to_agent":{"r":1},"to_agent":{"mos":2}}}`: false,
	`{"id":"a","quality":{"quiet":true}}`:                            false,
}

// TestTheShortWaySaysTheSame: a patch that is read in the short way does what
// encoding/json makes of it, and leaves the row that was told before as it was.
func TestTheShortWaySaysTheSame(t *testing.T) {
	t.Parallel()
	row := rest.Session{ID: "a", User: "ann", MOSTrend: make([]float64, 60), LastActiveAt: time.Unix(0, 0).UTC(),
		Quality: quality.Verdict{Level: quality.Fair, MOS: 3.2, Cause: quality.CauseLoss, Value: 4},
		Metrics: map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(20.0), LossRatio: new(0.1)}},
		EndsAt:  new(time.Unix(60, 0).UTC()), FirstWord: &rest.FirstWord{Turns: 1, P95MS: 700}, PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 1}}
	before, _ := json.Marshal(row)
	for patch, isOften := range oftenPatches {
		got, ok := client.ChangeOften(row, patch)
		if ok != isOften {
			t.Errorf("%s is read in the short way: %v", patch, ok)
		}
		want := row
		if ok {
			var err error
			if want, err = client.ChangeAny(row, patch); err != nil {
				t.Errorf("%s: %v", patch, err)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", patch, got, want)
		}
		if after, _ := json.Marshal(row); string(after) != string(before) {
			t.Fatalf("%s changed the row before: %s", patch, after)
		}
	}
}

// TestAFrameIsTakenApart: in the short way as encoding/json does it, or not at all.
func TestAFrameIsTakenApart(t *testing.T) {
	t.Parallel()
	for frame, isShort := range map[string]bool{
		`{"seq":7,"t":"2026-03-04T05:06:07.123Z","upsert":[{"id":"a","metrics":{"to_agent":{"r":1}},"mos_trend_add":[1,2]},{"id":"b","user":"}{]\u0061"}],"remove":["c","d"]}`: false,
		`{"seq":7,"t":"2026-03-04T05:06:07.123Z","upsert":[{"id":"a","metrics":{"to_agent":{"r":1}},"mos_trend_add":[1,2]},{"id":"b","user":"}{]"}],"remove":["c","d"]}`:       true,
		`{"seq":7,"t":"2026-03-04T05:06:07.123Z","upsert":[],"remove":[]}`:                                                                                                     true,
		`{"seq":7,"t":"2026-03-04T05:06:07.123Z","upsert":null}`:                                                                                                               false,
		`{"seq":7,"upsert":[[{}]]}`:      false,
		`{"seq":7,"upsert":[{"id":"a"]}`: false,
		`{"seq":7,"upsert":[{"id":"a"`:   false,
		`{"seq":7,"upsert":[1]}`:         false,
		`{"seq":7,"more":[]}`:            false,
		`{"seq":7} `:                     false,
	} {
		got, patches, ok := client.SplitFrame(frame)
		if ok != isShort {
			t.Errorf("%s is read in the short way: %v", frame, ok)
		}
		if !ok {
			continue
		}
		var want struct {
			rest.SessionsFrame
			Upsert []json.RawMessage `json:"upsert"`
		}
		if err := json.Unmarshal([]byte(frame), &want); err != nil || !reflect.DeepEqual(got, want.SessionsFrame) || len(patches) != len(want.Upsert) {
			t.Errorf("%s: %+v %q, want %+v, %v", frame, got, patches, want, err)
		}
		for i, raw := range patches {
			if raw != string(want.Upsert[i]) {
				t.Errorf("%s: patch %d is %s", frame, i, raw)
			}
		}
	}
}

// FuzzPatch: whatever valid JSON comes, both ways agree, or the short one leaves it.
func FuzzPatch(f *testing.F) {
	for patch := range oftenPatches {
		f.Add(patch)
	}
	row := rest.Session{ID: "a", MOSTrend: []float64{4}, Metrics: map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(20.0)}}}
	f.Fuzz(func(t *testing.T, patch string) {
		if !json.Valid([]byte(patch)) {
			return
		}
		got, ok := client.ChangeOften(row, patch)
		if !ok {
			return
		}
		if want, err := client.ChangeAny(row, patch); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v, %v", patch, got, want, err)
		}
	})
}
