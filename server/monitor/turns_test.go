package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
)

// Turns are seen everywhere: in the row, the connection, the counts, the record.
func TestTurnsAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := map[string]int{}
		m := monitor.New(monitor.Config{OnTurns: func(agent string, turns []rest.Turn, _ []rest.Interruption) { told[agent] += len(turns) }})
		c := newCall(m, "s")
		newCall(m, "other")
		if row := m.Active("")[0]; row.FirstWord != nil {
			t.Errorf("before any turn: %+v", row.FirstWord)
		}
		for n := range monitor.MaxLatestTurns + 10 {
			m.TurnsMeasured("s", []rest.Turn{{WaitMS: float64(100 * (n + 1))}}, []rest.Interruption{{SilentMS: new(float64(n + 1))}, {}})
		}
		m.TurnsMeasured("nobody", []rest.Turn{{WaitMS: 1}}, nil)
		want := rest.TurnSummary{
			FirstWord: rest.FirstWord{Turns: 60, P50MS: 3000, P95MS: 5700},
			Silenced:  rest.Silenced{Interruptions: 60, P50MS: 30, P95MS: 57}, // those of which an end was seen
		}
		for _, row := range m.Active("") {
			if is := row.FirstWord != nil && *row.FirstWord == want.FirstWord; is != (row.ID == "s") {
				t.Errorf("the row of %s has %+v", row.ID, row.FirstWord)
			}
		}
		seen, _ := m.Connection("s", time.Time{}, time.Time{}, time.Second)
		if seen.Turns.TurnSummary != want {
			t.Errorf("the connection has %+v", seen.Turns.TurnSummary)
		}
		if latest := seen.Turns.Latest; len(latest) != monitor.MaxLatestTurns || latest[0].WaitMS != 1100 || latest[monitor.MaxLatestTurns-1].WaitMS != 6000 {
			t.Errorf("the latest turns are %+v", latest)
		}
		if n := len(seen.Turns.LatestInterruptions); n != monitor.MaxLatestTurns {
			t.Errorf("%d interruptions are shown", n)
		}
		for org, of := range map[string]rest.TurnSummary{"": want, "acme": want, "other": {}} {
			if got := m.Stats(org).Turns; got != of {
				t.Errorf("the counts of %q have %+v", org, got)
			}
		}
		c.row.State = "ended"
		m.SessionChanged(c.row)
		m.TurnsMeasured("s", []rest.Turn{{WaitMS: 1}}, nil) // its leg closes after it
		if q, _ := m.Quality("s"); q.Turns != want {
			t.Errorf("the record has %+v", q.Turns)
		}
		if told["parrot"] != 60 {
			t.Errorf("told of %v", told)
		}
		m.SetOn(false)
		m.TurnsMeasured("other", []rest.Turn{{WaitMS: 1}}, nil)
		if told["parrot"] != 60 {
			t.Error("turns are taken while monitoring is off")
		}
	})
}

// seconds lets them pass and returns the newest row.
func (c *call) seconds(n int) rest.Session {
	for range n {
		time.Sleep(time.Second)
		c.looks()
		c.m.Tick(time.Now())
	}
	return c.m.Active("")[0]
}

func TestPoorSecondsAreCountedByTheirOwner(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*call)
		want  quality.Owner
	}{
		"the caller's packets get lost": {func(c *call) { c.server.in.every = 4 }, quality.OwnerCaller},
		"the agent's packets get lost":  {func(c *call) { c.agent.in.every = 4 }, quality.OwnerAgent},
		"packets to the agent get lost": {func(c *call) { c.agent.out.every = 4 }, quality.OwnerAgent},
		"the agent is far":              {func(c *call) { c.agent.rtt = time.Second }, quality.OwnerAgent},
		"nothing is wrong":              {func(*call) {}, quality.OwnerNone},
		"the agent thinks":              {func(c *call) { c.row.AgentState = "thinking"; c.m.SessionChanged(c.row) }, quality.OwnerModel},
		"the agent thinks, monitoring is off": {func(c *call) {
			c.row.AgentState = "thinking"
			c.m.SetOn(false)
			c.m.SessionChanged(c.row)
		}, quality.OwnerNone},
		"the agent is heard in its turn": {func(c *call) { c.row.AgentState = "speaking"; c.m.SessionChanged(c.row) }, quality.OwnerNone},
		"the agent says nothing in its turn": {func(c *call) {
			c.row.AgentState, c.agent.isMute = "speaking", true
			c.m.SessionChanged(c.row)
		}, quality.OwnerModel},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCall(monitor.New(monitor.Config{}), "s")
				if row := c.seconds(15); row.PoorSeconds != nil {
					t.Fatalf("before: %v", row.PoorSeconds)
				}
				test.spoil(c)
				row := c.seconds(30)
				poor := row.PoorSeconds[test.want]
				if test.want == quality.OwnerNone && len(row.PoorSeconds) > 0 || test.want != quality.OwnerNone && (len(row.PoorSeconds) != 1 || poor < 15 || poor > 30) {
					t.Fatalf("%v", row.PoorSeconds)
				}
				seen, _ := c.m.Connection("s", time.Time{}, time.Time{}, time.Second)
				record, _ := c.m.Quality("s")
				for what, n := range map[string]int{
					"connection": seen.PoorSeconds[test.want], "record": record.PoorSeconds[test.want], "counts": c.m.Stats("acme").PoorSeconds[test.want],
				} {
					if n != poor {
						t.Errorf("the %s says %d, the row %d", what, n, poor)
					}
				}
			})
		})
	}
}
