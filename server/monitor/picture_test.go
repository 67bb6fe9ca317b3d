package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/events"
	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// frame is an event of the stream, read.
type frame struct {
	Seq   uint64
	Event rest.EventName
	Data  any
}

// frames returns all that was told since the cursor, without waiting.
func frames(t *testing.T, m *monitor.Monitor, cursor uint64) (read []frame, next uint64) {
	t.Helper()
	got, next := follow(t, m, "", cursor)
	for _, e := range got {
		read = append(read, readFrame(t, e))
	}
	return read, next
}

func readFrame(t *testing.T, e rest.StreamEvent) frame {
	t.Helper()
	var data any
	switch e.Name {
	case rest.EventSessions:
		data = decode[rest.SessionsFrame](t, e)
	case rest.EventStats:
		data = decode[rest.StatsFrame](t, e)
	case rest.EventActivity:
		data = decode[rest.ActivityFrame](t, e)
	case rest.EventAlert:
		data = decode[rest.AlertFrame](t, e)
	case rest.EventSettings:
		data = decode[rest.SettingsFrame](t, e)
	default:
		t.Errorf("an event %q", e.Name)
	}
	return frame{e.Seq, e.Name, data}
}

func decode[T any](t *testing.T, e rest.StreamEvent) (v T) {
	t.Helper()
	if err := json.Unmarshal(e.Data, &v); err != nil {
		t.Errorf("%s: %v", e.Name, err)
	}
	return v
}

func sessionFrames(of []frame) (out []rest.SessionsFrame) {
	for _, f := range of {
		if s, ok := f.Data.(rest.SessionsFrame); ok {
			out = append(out, s)
		}
	}
	return out
}

func TestFramesTellOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		snapshot := m.Snapshot("")
		a, b := newCall(m, "a"), newCall(m, "b")
		time.Sleep(time.Second)
		got, cursor := frames(t, m, snapshot.Seq)
		if len(got) != 3 || got[0].Event != rest.EventSessions || got[1].Event != rest.EventActivity || got[2].Event != rest.EventStats {
			t.Fatalf("%+v", got)
		}
		for i, f := range got {
			if f.Seq != snapshot.Seq+uint64(i)+1 {
				t.Errorf("frame %d has number %d", i, f.Seq)
			}
		}
		if up := sessionFrames(got)[0].Upsert; len(up) != 2 || up[0].ID != "a" || up[1].ID != "b" {
			t.Errorf("%+v", up)
		}
		time.Sleep(5 * time.Second)
		if quiet, _ := frames(t, m, cursor); len(quiet) != 0 {
			t.Errorf("nothing happened, and yet %+v", quiet)
		}
		b.row.Muted = true
		m.SessionChanged(b.row)
		time.Sleep(time.Second)
		got, cursor = frames(t, m, cursor)
		if len(got) != 1 || len(sessionFrames(got)[0].Upsert) != 1 || !sessionFrames(got)[0].Upsert[0].Muted {
			t.Errorf("%+v", got)
		}
		a.client, a.agent = nil, nil
		a.talk(1)
		a.talk(5)
		got, _ = frames(t, m, cursor)
		told := sessionFrames(got)
		if len(told) < 3 || len(told) > 5 { // a second like the one before is not told
			t.Errorf("%d frames in five seconds of talk", len(told))
		}
		for _, f := range told {
			if len(f.Upsert) != 1 || f.Upsert[0].ID != "a" || f.Upsert[0].Agent != "" {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestEndedSessionsAreShownForTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.talk(10)
		_, cursor := frames(t, m, m.Snapshot("").Seq)
		c.row.EndReason = "maintenance"
		c.end("admin_ended")
		if len(m.Active("")) != 0 {
			t.Error("still live")
		}
		c.row.State = "active" // what comes late does not bring it back
		m.SessionChanged(c.row)
		c.looks()
		time.Sleep(time.Second)
		got, cursor := frames(t, m, cursor)
		told := sessionFrames(got)
		if len(told) != 1 || len(told[0].Upsert) != 1 || len(told[0].Remove) != 0 {
			t.Fatalf("%+v", told)
		}
		row := told[0].Upsert[0]
		if row.State != "ended" || row.EndCause != "admin_ended" || row.EndReason != "maintenance" || row.EndedAt == nil || row.Quality.Level != "" {
			t.Errorf("%+v", row) // its quality stands
		}
		time.Sleep(monitor.EndedShown - 2*time.Second)
		if got, _ := frames(t, m, cursor); len(sessionFrames(got)) != 0 {
			t.Errorf("told twice: %+v", got)
		}
		if len(m.Snapshot("").Sessions) != 1 {
			t.Error("gone before its time")
		}
		time.Sleep(2 * time.Second)
		got, _ = frames(t, m, cursor)
		told = sessionFrames(got)
		if len(told) != 1 || !slices.Equal(told[0].Remove, []string{"s"}) || len(told[0].Upsert) != 0 {
			t.Errorf("%+v", told)
		}
		if _, ok := m.Connection("s", time.Time{}, time.Time{}, 0); ok || len(m.Snapshot("").Sessions) != 0 {
			t.Error("still there")
		}
	})
}

func TestVerdictIsToldWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []quality.Verdict
		var last time.Time
		m := running(t, monitor.Config{OnVerdict: func(id string, v quality.Verdict) {
			mu.Lock()
			defer mu.Unlock()
			if id != "s" || time.Since(last) < time.Second {
				t.Errorf("%s after %v", id, time.Since(last))
			}
			last = time.Now()
			told = append(told, v)
		}})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		c.talk(15)
		mu.Lock()
		steady := len(told)
		if steady != 1 || told[0].Level != quality.Excellent {
			t.Errorf("a steady line told %+v", told)
		}
		mu.Unlock()
		c.server.in.every = 10
		c.talk(15)
		mu.Lock()
		defer mu.Unlock()
		if n := len(told) - steady; n < 3 || n > 16 {
			t.Errorf("told %d times while it got worse", n)
		}
		if v := told[len(told)-1]; v.Level != quality.Poor || v.Cause != quality.CauseLoss {
			t.Errorf("at last %+v", v)
		}
	})
}

// Sessions may ask back while they are told: no lock is held.
func TestOnVerdictMayAskBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		var m *monitor.Monitor
		cfg := monitor.Config{OnVerdict: func(id string, _ quality.Verdict) {
			asked += len(m.Active(""))
			m.SessionChanged(rest.Session{ID: id, State: "active"})
		}}
		m = monitor.New(cfg)
		m.SetCapacity(7, 2)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		time.Sleep(monitor.Tick / 2)
		c := newCall(m, "s")
		c.talk(10)
		cancel()
		<-done
		if asked == 0 {
			t.Error("nothing was told")
		}
		if st := m.Stats(""); st.Cap != 7 || st.PerUserCap != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestTrendHasAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		c := newCall(m, "s")
		c.client, c.agent = nil, nil
		time.Sleep(10 * time.Second)
		if row := only(t, m); len(row.MOSTrend) != 0 {
			t.Errorf("a trend of nothing: %v", row.MOSTrend)
		}
		c.talk(100)
		row := only(t, m)
		if len(row.MOSTrend) != monitor.TrendLength || row.MOSTrend[0] != row.Quality.MOS {
			t.Errorf("%v", row.MOSTrend)
		}
		time.Sleep(20 * time.Second)
		row = only(t, m)
		if row.MOSTrend[0] == 0 || row.MOSTrend[monitor.TrendLength-1] != 0 {
			t.Errorf("after a silence %v", row.MOSTrend)
		}
		time.Sleep(time.Minute)
		if row := only(t, m); len(row.MOSTrend) != 0 {
			t.Errorf("a minute of gaps: %v", row.MOSTrend)
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		m.SetCapacity(100, 1)
		ends := []struct {
			cause  wire.EndCause
			lasted time.Duration
		}{{"caller_left", 10 * time.Second}, {"media_failed", 20 * time.Second}, {"idle_timeout", 30 * time.Second}, {"caller_left", 40 * time.Second}}
		for i, e := range ends {
			c := newCall(m, fmt.Sprint("ended", i))
			time.Sleep(e.lasted)
			c.end(e.cause)
		}
		live := newCall(m, "live")
		waiting := newCall(m, "waiting")
		waiting.row.State = "connecting"
		m.SessionChanged(waiting.row)
		m.CountRefusal("", rest.CodeCapReached)
		m.CountRefusal("", rest.CodeCapReached)
		live.talk(10)
		st := m.Stats("")
		if st.Live != 2 || st.ByState["active"] != 1 || st.ByState["connecting"] != 1 || st.Cap != 100 || st.PerUserCap != 1 {
			t.Errorf("live %+v", st)
		}
		if st.Started != 6 || st.Ended != 4 || st.ErrorRate != 0.25 || st.EndCauses["caller_left"] != 2 || st.Refused["cap_reached"] != 2 {
			t.Errorf("counts %+v", st)
		}
		if st.Durations != (rest.DurationStats{MinS: 10, AvgS: 25, MaxS: 40}) {
			t.Errorf("durations %+v", st.Durations)
		}
		if st.Quality[quality.Excellent] != 1 || st.Quality[quality.None] != 1 {
			t.Errorf("quality %+v", st.Quality)
		}
	})
}

// A reader who takes a snapshot and then follows sees each activity once.
func TestSnapshotAndFramesFitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		m.AddActivity(rest.Activity{Kind: rest.ActivitySignIn, What: "one"})
		time.Sleep(time.Second)
		m.AddActivity(rest.Activity{Kind: rest.ActivitySignIn, What: "two"})
		snapshot := m.Snapshot("")
		time.Sleep(time.Second)
		seen := snapshot.Activities
		got, _ := frames(t, m, snapshot.Seq)
		for _, f := range got {
			if a, ok := f.Data.(rest.ActivityFrame); ok {
				seen = append(seen, a.Items...)
			}
		}
		if len(seen) != 2 || seen[0].What != "one" || seen[1].What != "two" || seen[1].At.IsZero() {
			t.Errorf("%+v", seen)
		}
	})
}

func TestASlowReaderStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{Frames: 4})
		cursor := m.Snapshot("").Seq
		c := newCall(m, "s")
		c.talk(30)
		if _, _, err := m.Follow(t.Context(), "", cursor); !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("%v", err)
		}
		if got, _, err := m.Follow(t.Context(), "", m.Snapshot("").Seq-1); err != nil || len(got) != 1 {
			t.Errorf("%d frames, %v", len(got), err)
		}
	})
}
