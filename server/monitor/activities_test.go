package monitor_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/rest"
	"parley/shared/wire"
)

// whats lists the activities as kind/what/detail.
func whats(m *monitor.Monitor) (out []string) {
	for _, a := range m.Snapshot("").Activities {
		out = append(out, a.Kind+"/"+a.What+"/"+a.Detail)
	}
	return out
}

func TestFeedTellsWhatSessionsDo(t *testing.T) {
	cases := map[string]struct {
		do   func(*monitor.Monitor, *call)
		want []string
	}{
		"a call that ends well": {func(_ *monitor.Monitor, c *call) { c.end("caller_left") }, []string{"call/call_ended/caller_left"}},
		"one that idles out":    {func(_ *monitor.Monitor, c *call) { c.end("idle_timeout") }, []string{"timeout/call_timed_out/idle_timeout"}},
		"one that breaks":       {func(_ *monitor.Monitor, c *call) { c.end("media_failed") }, []string{"error/call_failed/media_failed"}},
		"a socket lost and found": {func(m *monitor.Monitor, c *call) {
			for _, state := range []wire.SessionState{wire.StateReconnecting, wire.StateReconnecting, wire.StateActive} {
				c.row.State = state
				m.SessionChanged(c.row)
			}
		}, []string{"call/call_reconnecting/", "call/call_resumed/"}},
		"a line that gets worse": {func(_ *monitor.Monitor, c *call) {
			c.talk(10)
			c.server.in.every = 10
			c.talk(10)
		}, []string{"quality/quality_fell/poor"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newCall(m, "s")
				tc.do(m, c)
				time.Sleep(2 * time.Second)
				got := whats(m)
				// A falling line may pass through the levels between.
				if len(got) < 2 || got[0] != "call/call_started/" || !slices.Equal(got[max(1, len(got)-len(tc.want)):], tc.want) {
					t.Errorf("%q", got)
				}
				for _, a := range m.Snapshot("").Activities {
					if a.User != "ada" || a.Org != "acme" || a.Session != "s" || a.At.IsZero() {
						t.Errorf("%+v", a)
					}
				}
			})
		})
	}
}

func TestFeedKeepsTheNewestThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		for n := range monitor.MaxActivities - 1 {
			m.AddActivity(rest.Activity{What: fmt.Sprint(n)})
		}
		time.Sleep(time.Second)
		m.AddActivity(rest.Activity{What: "the last that fits"})
		time.Sleep(time.Second)
		if got := m.Snapshot("").Activities; len(got) != monitor.MaxActivities || got[0].What != "0" {
			t.Fatalf("%d kept, the oldest %q", len(got), got[0].What)
		}
		m.AddActivity(rest.Activity{What: "one more"})
		time.Sleep(time.Second)
		if got := m.Snapshot("").Activities; len(got) != monitor.MaxActivities || got[0].What != "1" || got[len(got)-1].What != "one more" {
			t.Errorf("%d kept, the oldest %q", len(got), got[0].What)
		}
		for n := range 3 * monitor.MaxActivities {
			m.AddActivity(rest.Activity{What: fmt.Sprint("flood ", n)})
		}
		time.Sleep(time.Second)
		if got := m.Snapshot("").Activities; len(got) != monitor.MaxActivities || got[0].What != fmt.Sprint("flood ", 2*monitor.MaxActivities) {
			t.Errorf("after a flood %d, the oldest %q", len(got), got[0].What)
		}
	})
}

// TestActivitiesAreCounted: the count of a frame and of a snapshot tells a reader how many
// it wasn't told, each organization's of its own.
func TestActivitiesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{Encode: json.Marshal})
		start := m.Snapshot("acme")
		for n := range monitor.MaxActivities + 312 {
			m.AddActivity(rest.Activity{What: fmt.Sprint(n), Org: "acme"})
		}
		m.AddActivity(rest.Activity{What: "of another", Org: "other"})
		m.AddActivity(rest.Activity{What: "of nobody"})
		if got := m.Snapshot("acme").ActivityCount; got != 0 {
			t.Errorf("%d are counted before they are told", got)
		}
		time.Sleep(time.Second)
		events, _ := follow(t, m, "acme", start.Seq)
		var frame rest.ActivityFrame
		for _, e := range events {
			if e.Name == rest.EventActivity {
				if err := json.Unmarshal(e.Data, &frame); err != nil {
					t.Fatal(err)
				}
			}
		}
		if frame.ActivityCount != monitor.MaxActivities+312 || len(frame.Items) != monitor.MaxActivities-2 { // two places are others'
			t.Errorf("a frame of %d counts %d", len(frame.Items), frame.ActivityCount)
		}
		for org, want := range map[string]int64{"": monitor.MaxActivities + 314, "acme": monitor.MaxActivities + 312, "other": 1, "none": 0} {
			if got := m.Snapshot(org).ActivityCount; got != want {
				t.Errorf("%q: %d, want %d", org, got, want)
			}
		}
	})
}

func TestFeedForgetsEndedSessionsAfterHalfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		stays, goes := newCall(m, "stays"), newCall(m, "goes")
		time.Sleep(time.Minute)
		goes.end("caller_left")
		over := time.Now()
		m.AddActivity(rest.Activity{What: "of the ended", Session: "goes"})
		m.AddActivity(rest.Activity{What: "of the live", Session: stays.row.ID})
		m.AddActivity(rest.Activity{What: "of nobody"})
		time.Sleep(monitor.EndedActivities - time.Since(over))
		if got := m.Snapshot("").Activities; len(got) != 6 {
			t.Fatalf("%d after half an hour less a tick", len(got))
		}
		time.Sleep(time.Second)
		var left []string
		for _, a := range m.Snapshot("").Activities {
			left = append(left, a.Session+"/"+a.What)
		}
		if want := []string{"stays/call_started", "stays/of the live", "/of nobody"}; !slices.Equal(left, want) {
			t.Errorf("%q, want %q", left, want)
		}
	})
}

// starred masks all that is of a person in a way that tells which it was.
type starred struct{}

func (starred) Person(s string) string  { return "person of " + s }
func (starred) Text(s string) string    { return "text of " + s }
func (starred) Phone(s string) string   { return "phone of " + s }
func (starred) Email(s string) string   { return "mail of " + s }
func (starred) Address(s string) string { return "address of " + s }

func TestAnUnmaskedActivityIsMasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		m.AddUnmaskedActivity(starred{}, rest.Activity{
			Kind: rest.ActivitySignIn, What: "signed_in", User: "ada", Name: "Ada", Phone: "+1", Email: "a@b", Remote: "192.0.2.7", Org: "acme", Detail: "by link",
		})
		time.Sleep(time.Second)
		want := rest.Activity{
			At: m.Snapshot("").Activities[0].At, Kind: rest.ActivitySignIn, What: "signed_in", User: "person of ada", Name: "text of Ada",
			Phone: "phone of +1", Email: "mail of a@b", Remote: "address of 192.0.2.7", Org: "acme", Detail: "text of by link",
		}
		if got := m.Snapshot("").Activities[0]; got != want {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	})
}
