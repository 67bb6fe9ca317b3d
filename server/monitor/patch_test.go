package monitor_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// merge is RFC 7396, JSON merge patch, with what mos_trend_add adds.
func merge(into, patch any) any {
	p, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	out, _ := into.(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	for name, v := range p {
		switch {
		case name == "mos_trend_add":
			trend, _ := out["mos_trend"].([]any)
			trend = append(trend, v.([]any)...)
			out["mos_trend"] = trend[max(0, len(trend)-monitor.TrendLength):]
		case v == nil:
			delete(out, name)
		case name == "first_word" || name == "poor_seconds":
			out[name] = v // a value as a whole
		default:
			out[name] = merge(out[name], v)
		}
	}
	return out
}

// reader is a picture that snapshot and frames make.
type reader map[string]any

func objectOf(t *testing.T, v any) (o map[string]any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func newReader(t *testing.T, s rest.Snapshot) reader {
	t.Helper()
	r := reader{}
	for _, row := range s.Sessions {
		r[row.ID] = objectOf(t, row)
	}
	return r
}

// rowOf is a row whatever of its fields are told as empty.
func rowOf(t *testing.T, object any) (row rest.Session) {
	t.Helper()
	text, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(text, &row)
	}
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// take applies the frames after a cursor and returns their bytes.
func (r reader) take(t *testing.T, m *monitor.Monitor, cursor uint64) (next uint64, bytes int) {
	t.Helper()
	events, next, err := m.Follow(t.Context(), "", cursor)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Name != rest.EventSessions {
			continue
		}
		bytes += len(e.Data)
		var frame struct {
			Upsert []map[string]any
			Remove []string
		}
		if err := json.Unmarshal(e.Data, &frame); err != nil {
			t.Fatal(err)
		}
		for _, p := range frame.Upsert {
			id := p["id"].(string)
			r[id] = merge(r[id], p)
		}
		for _, id := range frame.Remove {
			delete(r, id)
		}
	}
	return next, bytes
}

// mostASecond bounds what a reader of 100 calls gets a second: a third of what whole
// rows with their trends take.
const mostASecond = 32_000

// TestFramesMakeThePictureOfASnapshot: who applies what changed has what who asks anew
// gets, at a fraction of the bytes.
func TestFramesMakeThePictureOfASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		calls := make([]*call, 100)
		for i := range calls {
			calls[i] = newCall(m, fmt.Sprintf("sess_%026d", i))
			c := calls[i]
			c.row.User, c.row.Name, c.row.Agent = "demo", "Somebody", "parrot"
			for _, e := range []*end{c.client, c.server, c.agent} {
				e.noise = rand.New(rand.NewPCG(uint64(i), 1))
			}
			c.client.in.every, c.server.in.every = 90+i, 70+i
		}
		start := time.Now()
		cursor := m.Snapshot("").Seq
		r := newReader(t, m.Snapshot(""))
		sum, whole, seconds := 0, 0, 0
		for second := range 90 {
			for i, c := range calls {
				at := start.Add(time.Duration(second) * time.Second)
				m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByClient, at, c.client.second())
				m.SessionSampled(c.row.ID, rtcstats.LegCaller, rtcstats.ByServer, at, c.server.second())
				m.SessionSampled(c.row.ID, rtcstats.LegAgent, rtcstats.ByServer, at, c.agent.second())
				if (second+i)%7 == 0 {
					c.row.Muted = !c.row.Muted
					c.row.EndsAt = nil
					m.SessionChanged(c.row)
				}
				if (second+i)%11 == 0 {
					c.row.EndsAt = &at
					m.SessionChanged(c.row)
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
			var n int
			cursor, n = r.take(t, m, cursor)
			if second < 65 { // until trends are full
				continue
			}
			rows := m.Snapshot("").Sessions
			text, err := json.Marshal(rows)
			if err != nil {
				t.Fatal(err)
			}
			sum, whole, seconds = sum+n, whole+len(text), seconds+1
		}
		snapshot := m.Snapshot("")
		want := newReader(t, snapshot)
		for id := range want {
			if !reflect.DeepEqual(rowOf(t, want[id]), rowOf(t, r[id])) {
				t.Fatalf("%s:\n%v, want\n%v", id, r[id], want[id])
			}
		}
		if len(r) != len(want) || snapshot.Seq != cursor {
			t.Errorf("%d rows, want %d", len(r), len(want))
		}
		t.Logf("100 calls: %d bytes a second and reader, whole rows take %d", sum/seconds, whole/seconds)
		if each := sum / seconds; each > mostASecond || 3*each > whole/seconds {
			t.Errorf("%d bytes a second, at most %d are allowed, and a third of %d", each, mostASecond, whole/seconds)
		}
		for _, c := range calls {
			c.end("caller_left")
		}
		time.Sleep(2 * time.Second)
		cursor, _ = r.take(t, m, cursor)
		if row := r[calls[0].row.ID].(map[string]any); row["state"] != "ended" || row["quality"].(map[string]any)["level"] == string(quality.None) {
			t.Errorf("an end: %v", row)
		}
		time.Sleep(monitor.EndedShown)
		if _, _ = r.take(t, m, cursor); len(r) != 0 {
			t.Errorf("%d rows stay", len(r))
		}
	})
}
