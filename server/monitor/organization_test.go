package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/events"
	"parley/server/monitor"
	"parley/shared/rest"
	"parley/shared/wire"
)

// newCallOf starts a call of an organization.
func newCallOf(m *monitor.Monitor, org, id string) *call {
	c := &call{m: m, client: newEnd(1, true), server: newEnd(2, false), agent: newEnd(5, false), row: rest.Session{
		ID: id, User: "u-" + org, Org: org, Agent: "parrot", State: "active", StartedAt: time.Now().UTC(),
	}}
	m.SessionChanged(c.row)
	return c
}

// follow gives what was told to an organization since the cursor, without
// waiting.
func follow(t *testing.T, m *monitor.Monitor, org string, cursor uint64) ([]rest.StreamEvent, uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	got, next, err := m.Follow(ctx, org, cursor)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return got, next
}

func TestOneOrganizationSeesOnlyItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		m.SetCapacity(100, 1)
		start := m.Snapshot("acme")
		_ = m.Snapshot("other")
		a, b := newCallOf(m, "acme", "a"), newCallOf(m, "other", "b")
		newCallOf(m, "", "c")
		m.CountRefusal("acme", rest.CodeUserCap)
		m.CountRefusal("other", rest.CodeCapReached)
		m.AddActivity(rest.Activity{What: rest.SignedIn, User: "root", Org: "acme"})
		m.AddActivity(rest.Activity{What: rest.SignedIn, User: "someone", Org: "other"})
		m.AddActivity(rest.Activity{What: rest.SignedIn, User: "nobody's"})
		m.AlertChanged(rest.Alert{ID: "a1", Org: "acme", State: rest.AlertFiring})
		m.AlertChanged(rest.Alert{ID: "a2", Org: "other", State: rest.AlertFiring})
		m.AlertChanged(rest.Alert{ID: "a3", State: rest.AlertFiring})
		m.SetAnomalies([]rest.Anomaly{{Series: "n1", Text: "other"}, {Series: rest.AnomalySignInsOrg, Org: "acme"}, {Series: rest.AnomalySignInsOrg, Org: "other"}})
		m.SettingsChanged(rest.Settings{Version: 4})
		a.talk(10)
		b.end("media_failed")
		time.Sleep(15 * time.Second) // b leaves the picture

		told, _ := follow(t, m, "acme", start.Seq)
		for i, e := range told {
			if e.Seq != start.Seq+uint64(i)+1 {
				t.Errorf("frame %d has number %d: a gap", i, e.Seq)
			}
			for _, foreign := range []string{`"b"`, `"c"`, "other", "someone", "nobody", "a2", "a3", "media_failed", "cap_reached", `"settings"`} {
				if strings.Contains(string(e.Data), foreign) && !strings.Contains(string(e.Data), `"`+"mos") || e.Name == rest.EventSettings {
					t.Errorf("told of %s: %s", foreign, e.Data)
				}
			}
		}
		if own, all := m.Stats("acme").Anomalies, m.Stats("").Anomalies; len(own) != 1 || own[0].Org != "acme" || len(all) != 3 {
			t.Errorf("anomalies of acme %+v, of all %+v", own, all)
		}
		kinds := map[rest.EventName]int{}
		for _, e := range told {
			kinds[e.Name]++
		}
		if kinds[rest.EventSessions] == 0 || kinds[rest.EventStats] == 0 || kinds[rest.EventActivity] == 0 || kinds[rest.EventAlert] != 1 {
			t.Errorf("told %v", kinds)
		}

		snap := m.Snapshot("acme")
		if len(snap.Sessions) != 1 || snap.Sessions[0].ID != "a" || len(snap.Alerts) != 1 || snap.Alerts[0].ID != "a1" {
			t.Errorf("%+v", snap)
		}
		for _, act := range snap.Activities {
			if act.Org != "acme" {
				t.Errorf("%+v", act)
			}
		}
		if st := m.Stats("acme"); st.Live != 1 || st.Started != 1 || st.Ended != 0 || st.Cap != 100 || st.Refused["user_cap"] != 1 || len(st.Refused) != 1 || len(st.EndCauses) != 0 {
			t.Errorf("%+v", st)
		}
		if st := m.Stats("other"); st.Live != 0 || st.Started != 1 || st.Ended != 1 || st.ErrorRate != 1 || st.EndCauses["media_failed"] != 1 || st.Refused["cap_reached"] != 1 {
			t.Errorf("%+v", st)
		}
		if st := m.Stats(""); st.Live != 2 || st.Started != 3 || st.Refused["user_cap"] != 1 || st.Refused["cap_reached"] != 1 {
			t.Errorf("%+v", st)
		}
		if st := m.Stats("nobody"); st.Live != 0 || st.Started != 0 || st.Cap != 100 {
			t.Errorf("%+v", st)
		}
		if got := m.Active("acme"); len(got) != 1 || got[0].ID != "a" {
			t.Errorf("%+v", got)
		}
		if all := m.Snapshot(""); len(all.Sessions) != 2 || len(all.Alerts) != 3 || all.Alerts[0].ID != "a1" {
			t.Errorf("%+v", all)
		}
	})
}

// A cursor is of one log: another's, or one of a log that went, is gone.
func TestCursorsOfOthersAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		whole := m.Snapshot("").Seq
		acme := m.Snapshot("acme").Seq
		newCallOf(m, "acme", "a")
		time.Sleep(time.Second)
		if told, _ := follow(t, m, "acme", acme); len(told) != 3 {
			t.Errorf("%d frames", len(told))
		}
		_, _, err := m.Follow(t.Context(), "acme", whole)
		if !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("a cursor of all: %v", err)
		}
		if _, _, err = m.Follow(t.Context(), "", acme); !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("a cursor of one: %v", err)
		}
		time.Sleep(6 * time.Minute) // nobody reads: the log goes
		if _, _, err = m.Follow(t.Context(), "acme", acme); !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("a cursor of before: %v", err)
		}
	})
}

// A reader whose line breaks for a while finds all that it missed.
func TestALogWaitsForItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		cursor := m.Snapshot("acme").Seq
		time.Sleep(4 * time.Minute)
		newCallOf(m, "acme", "a")
		time.Sleep(time.Second)
		told, _ := follow(t, m, "acme", cursor)
		if len(told) < 3 || told[0].Seq != cursor+1 || !slices.ContainsFunc(told, func(e rest.StreamEvent) bool { return e.Name == rest.EventSessions }) {
			t.Errorf("%d frames", len(told))
		}
	})
}

// However many read it, a frame is encoded once.
func TestFramesAreEncodedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var encoded atomic.Int64
		m := running(t, monitor.Config{Encode: func(v any) ([]byte, error) { encoded.Add(1); return json.Marshal(v) }})
		cursor := m.Snapshot("").Seq
		newCall(m, "s")
		time.Sleep(time.Second)
		if n := encoded.Load(); n != 0 {
			t.Errorf("encoded %d times before somebody read", n)
		}
		for range 100 {
			got, _, err := m.Follow(t.Context(), "", cursor)
			if err != nil || len(got) != 3 {
				t.Fatalf("%d frames, %v", len(got), err)
			}
		}
		if n := encoded.Load(); n != 3 {
			t.Errorf("encoded %d times", n)
		}
	})
}

func TestAlertsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		cursor := m.Snapshot("").Seq
		at := time.Now().UTC()
		for i := range 3 {
			m.AlertChanged(rest.Alert{ID: fmt.Sprint(i), State: rest.AlertFiring, RaisedAt: at.Add(time.Duration(i) * time.Second)})
		}
		m.AlertChanged(rest.Alert{ID: "1", State: rest.AlertResolved})
		m.SettingsChanged(rest.Settings{Version: 2})
		got, _ := frames(t, m, cursor)
		if len(got) != 5 || got[3].Data.(rest.AlertFrame).Items[0].State != rest.AlertResolved || got[4].Data.(rest.SettingsFrame).Settings.Version != 2 {
			t.Fatalf("%+v", got)
		}
		var ids []string
		for _, a := range m.Snapshot("").Alerts {
			ids = append(ids, a.ID)
		}
		if !slices.Equal(ids, []string{"2", "0"}) {
			t.Errorf("firing %q", ids)
		}
	})
}

func TestSetups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor.New(monitor.Config{})
		for name, c := range map[string]struct {
			states        []wire.SessionState
			cause         wire.EndCause
			began, failed int64
		}{
			"begins":                   {[]wire.SessionState{"connecting", "active", "reconnecting", "active"}, "", 1, 0},
			"begins, and breaks":       {[]wire.SessionState{"connecting", "active"}, "media_failed", 1, 0},
			"breaks before":            {[]wire.SessionState{"connecting"}, "agent_unavailable", 0, 1},
			"the caller leaves before": {[]wire.SessionState{"connecting"}, "caller_left", 0, 0},
			"an admin ends it before":  {[]wire.SessionState{"connecting"}, "admin_ended", 0, 0},
			"it is still being tried":  {[]wire.SessionState{"connecting"}, "", 0, 0},
		} {
			began, failed := m.Setups()
			row := rest.Session{ID: name, StartedAt: time.Now()}
			for _, row.State = range c.states {
				m.SessionChanged(row)
			}
			if row.State, row.EndCause = "ended", c.cause; c.cause != "" {
				m.SessionChanged(row)
			}
			if nowBegan, nowFailed := m.Setups(); nowBegan-began != c.began || nowFailed-failed != c.failed {
				t.Errorf("%s: %d began, %d failed", name, nowBegan-began, nowFailed-failed)
			}
		}
		m.CountRefusal("acme", rest.CodeCapReached)
		m.CountRefusal("", rest.CodeUserCap)
		if c, want := m.Counted(), (monitor.Counted{Ended: 4, Faults: 2, Refused: 2}); c != want {
			t.Errorf("counted %+v, want %+v", c, want)
		}
	})
}

// Off, sessions and counts go on; samples and activities are not taken.
func TestMonitoringOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		a := newCall(m, "a")
		a.talk(10)
		if !m.On() || only(t, m).Metrics == nil {
			t.Fatal("not on at first")
		}
		before := len(m.Snapshot("").Activities)
		m.SetOn(false)
		b := newCall(m, "b")
		m.AddActivity(rest.Activity{What: rest.SignedIn})
		a.talk(10)
		b.end("caller_left")
		row := only(t, m)
		if m.On() || row.Metrics != nil || row.Quality.Level.Bars() != 0 {
			t.Errorf("still measured: %+v", row)
		}
		if st := m.Stats(""); st.Live != 1 || st.Started != 2 || st.Ended != 1 {
			t.Errorf("%+v", st)
		}
		if n := len(m.Snapshot("").Activities); n != before {
			t.Errorf("%d activities, %d before", n, before)
		}
		m.SetOn(true)
		a.talk(10)
		if row := only(t, m); row.Metrics == nil || row.Quality.Level.Bars() == 0 {
			t.Errorf("not measured again: %+v", row)
		}
		m.AddActivity(rest.Activity{What: rest.SignedIn})
		time.Sleep(time.Second)
		if n := len(m.Snapshot("").Activities); n != before+1 {
			t.Errorf("%d activities, %d before", n, before)
		}
	})
}

// Once nobody has asked for long, nothing is kept of what happens; who comes then begins with a
// snapshot, and has all that comes after it.
func TestNothingIsKeptForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		start := m.Snapshot("")
		a := newCallOf(m, "acme", "a")
		a.talk(5)
		told, cursor := follow(t, m, "", start.Seq)
		if len(told) == 0 {
			t.Fatal("nothing was told to who watches")
		}
		time.Sleep(6 * time.Minute)
		a.talk(5)
		again := m.Snapshot("")
		a.talk(3)
		told, _ = follow(t, m, "", again.Seq)
		kinds := map[rest.EventName]bool{}
		for i, e := range told {
			kinds[e.Name] = true
			if e.Seq != again.Seq+uint64(i)+1 {
				t.Errorf("frame %d has number %d: a gap", i, e.Seq)
			}
		}
		if !kinds[rest.EventSessions] || !kinds[rest.EventStats] {
			t.Errorf("told of %v", kinds)
		}
		if _, _, err := m.Follow(t.Context(), "", cursor); !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("who was away for six minutes: %v", err)
		}
	})
}
