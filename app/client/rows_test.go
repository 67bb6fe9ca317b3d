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

// TestPatchesMakeRowsWhole: a frame says what changed; pages get whole rows, and keep
// those that they had as they were.
func TestPatchesMakeRowsWhole(t *testing.T) {
	t.Parallel()
	ends := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	first := rest.Session{
		ID: "a", User: "ann", Agent: "parrot", EndsAt: &ends, EndReason: "x", Muted: true, MOSTrend: make([]float64, 59),
		Quality:     quality.Verdict{Level: quality.Fair, MOS: 3.2, Cause: quality.CauseLoss, Value: 4},
		Metrics:     map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(20.0), LossRatio: new(0.1)}, quality.ToCaller: {RTTMS: new(20.0)}},
		FirstWord:   &rest.FirstWord{Turns: 1},
		PoorSeconds: map[quality.Owner]int{quality.OwnerCaller: 1},
	}
	steps := []struct {
		patch string
		want  func(*rest.Session)
	}{
		{`{"id":"a","mos_trend_add":[4.1]}`, func(s *rest.Session) { s.MOSTrend = append(s.MOSTrend, 4.1) }},
		{`{"id":"a","mos_trend_add":[4.2]}`, func(s *rest.Session) { s.MOSTrend = append(s.MOSTrend[1:], 4.2) }},
		{`{"id":"a","quality":{"level":"good","r":71,"mos":3.6,"cause":"","value":0}}`, func(s *rest.Session) {
			s.Quality = quality.Verdict{Level: quality.Good, R: 71, MOS: 3.6}
		}},
		{`{"id":"a","metrics":{"to_agent":{"rtt_ms":30,"loss_ratio":null},"to_caller":null}}`, func(s *rest.Session) {
			s.Metrics = map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(30.0)}}
		}},
		{`{"id":"a","ends_at":null,"end_reason":"","muted":false,"first_word":{"turns":2,"p50_ms":1,"p95_ms":2},"poor_seconds":{"agent":3}}`, func(s *rest.Session) {
			s.EndsAt, s.EndReason, s.Muted, s.FirstWord = nil, "", false, &rest.FirstWord{Turns: 2, P50MS: 1, P95MS: 2}
			s.PoorSeconds = map[quality.Owner]int{quality.OwnerModel: 3}
		}},
		{`{"id":"a","agent_leg":{"state":"connected","metrics":{"to_agent":{"rtt_ms":9,"jitter_ms":1}}}}`, func(s *rest.Session) {
			s.AgentLeg = &rest.AgentLeg{State: "connected", Metrics: map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(9.0), JitterMS: new(1.0)}}}
		}},
		{`{"id":"a","agent_leg":{"metrics":{"to_agent":{"rtt_ms":10}}}}`, func(s *rest.Session) {
			s.AgentLeg = &rest.AgentLeg{State: "connected", Metrics: map[quality.Direction]rest.Metrics{quality.ToAgent: {RTTMS: new(10.0), JitterMS: new(1.0)}}}
		}},
		{`{"id":"a","agent_leg":null}`, func(s *rest.Session) { s.AgentLeg = nil }},
		{`{"id":"a","mos_trend":[1,2],"metrics":{"to_agent":null}}`, func(s *rest.Session) { s.MOSTrend, s.Metrics = []float64{1, 2}, nil }},
	}
	rows := client.NewRows([]rest.Session{first})
	want := first
	for _, step := range steps {
		before, _ := json.Marshal(want)
		had := want
		step.want(&want)
		frame, err := rows.Read([]byte(`{"seq":1,"t":"2026-03-04T05:06:07.000Z","upsert":[` + step.patch + `],"remove":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := frame.Upsert[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", step.patch, got, want)
		}
		if after, _ := json.Marshal(had); string(after) != string(before) {
			t.Errorf("%s changed the row before:\n%s\n%s", step.patch, before, after)
		}
		want = frame.Upsert[0]
	}
	if frame, err := rows.Read([]byte(`{"upsert":[{"end_reason":"\"id\":\"x\"","id":"a"}],"remove":[]}`)); err != nil || frame.Upsert[0].User != "ann" {
		t.Errorf("a text like an id: %+v, %v", frame, err)
	}
	if frame, err := rows.Read([]byte(`{"upsert":[{"id":"b","user":"bob"}],"remove":["a"]}`)); err != nil || frame.Upsert[0].User != "bob" {
		t.Errorf("a new row: %+v, %v", frame, err)
	}
	if frame, err := rows.Read([]byte(`{"upsert":[{"id":"a"}]}`)); err != nil || frame.Upsert[0].User != "" {
		t.Errorf("a row that was removed: %+v, %v", frame, err)
	}
}
