package monitor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
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
		// 100 ms to 6 s, and one that was too long to count as it was.
		m.TurnsMeasured("s", []rest.Turn{{WaitMS: 60_000}}, nil)
		if c := m.Counted(); c.Turns != 61 || math.Abs(c.Waits-198) > 1e-9 || math.Abs(c.WaitSquares-(738.1+225)) > 1e-9 {
			t.Errorf("waits add up to %+v", c)
		}
		if all, slow := m.Answers(); all != 61 || slow != 41 { // 2.1 s to 6 s, and the longest
			t.Errorf("%d of %d answers are slow", slow, all)
		}
		want.FirstWord = rest.FirstWord{Turns: 61, P50MS: 3100, P95MS: 5800}
		for _, row := range m.Active("") {
			if is := row.FirstWord != nil && *row.FirstWord == want.FirstWord; is != (row.ID == "s") {
				t.Errorf("the row of %s has %+v", row.ID, row.FirstWord)
			}
		}
		seen, _ := m.Connection("s", time.Time{}, time.Time{}, time.Second)
		if seen.Turns.TurnSummary != want {
			t.Errorf("the connection has %+v", seen.Turns.TurnSummary)
		}
		if latest := seen.Turns.Latest; len(latest) != monitor.MaxLatestTurns || latest[0].WaitMS != 1200 || latest[monitor.MaxLatestTurns-1].WaitMS != 60_000 {
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
		if told["parrot"] != 61 {
			t.Errorf("told of %v", told)
		}
		m.SetOn(false)
		m.TurnsMeasured("other", []rest.Turn{{WaitMS: 1}}, nil)
		if told["parrot"] != 61 {
			t.Error("turns are taken while monitoring is off")
		}
	})
}

// Turns go into the record once they are over, or cut off by the session's end, each
// once, and no more than may be kept; so do interruptions.
func TestTurnsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		m := monitor.New(monitor.Config{Recorder: b})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		c := newCall(m, "s")
		turn := func(n int) rest.Turn { return rest.Turn{Number: n, WaitMS: 100} }
		over := func(n int) rest.Turn {
			v := turn(n)
			v.AgentSpokeMS = new(float64(n))
			return v
		}
		m.TurnsMeasured("s", []rest.Turn{turn(1), turn(2), turn(3)}, []rest.Interruption{{SilentMS: new(80.0)}})
		m.TurnsEnded("s", []rest.Turn{over(1)})
		m.TurnsEnded("s", []rest.Turn{over(1), over(3), over(9)}) // again, and one that was never measured
		m.TurnsEnded("nobody", []rest.Turn{over(1)})
		seen, _ := m.Connection("s", time.Time{}, time.Time{}, time.Second)
		if l := seen.Turns.Latest; len(l) != 3 || l[0].AgentSpokeMS == nil || l[1].AgentSpokeMS != nil || l[2].AgentSpokeMS == nil {
			t.Errorf("shown are %+v", l)
		}
		c.row.State = "ended"
		m.SessionChanged(c.row)
		m.TurnsEnded("s", []rest.Turn{over(2)}) // its leg closes after it
		newCall(m, "lively")
		for n := range rest.MaxTurns + 5 {
			m.TurnsMeasured("lively", []rest.Turn{turn(n + 1)}, nil)
			m.TurnsEnded("lively", []rest.Turn{over(n + 1)})
		}
		for n := range rest.MaxTurns + 5 {
			m.ToolUsed("lively", rest.ToolUse{Session: "lively", ArgumentBytes: int64(n)})
		}
		m.ToolUsed("nobody", rest.ToolUse{})
		b.failing(errors.New("away"))
		time.Sleep(3 * time.Second)
		b.failing(nil)
		time.Sleep(3 * time.Second)
		stop()
		<-done
		var kept []int
		interruptions, of := 0, map[string]int{}
		for _, r := range b.turns {
			switch of[r.Session]++; {
			case r.Interruption != nil:
				interruptions++
			case r.Session == "s":
				kept = append(kept, r.Turn.Number)
				if isOver := r.Turn.AgentSpokeMS != nil; isOver != (r.Turn.Number != 2) {
					t.Errorf("kept %+v", r.Turn)
				}
			}
		}
		if !slices.Equal(kept, []int{1, 3, 2}) || interruptions != 1 || of["lively"] != 2*rest.MaxTurns {
			t.Errorf("kept turns %v, %d interruptions, %v", kept, interruptions, of)
		}
	})
}

// The agent's leg stands in the row while it is measured, with its state; of an agent
// that has none, nothing does.
func TestTheAgentsLegIsInTheRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall(monitor.New(monitor.Config{}), "s")
		c.agent.s.Transport = &rtcstats.Transport{ICEState: string(rtcstats.StateConnected)}
		c.row.AgentStuck = wire.ResponseTimeout
		c.m.SessionChanged(c.row)
		row := c.seconds(15)
		leg := row.AgentLeg
		if leg == nil || leg.State != rtcstats.StateConnected || leg.Metrics[quality.ToAgent].RTTMS == nil || leg.Metrics[quality.ToCaller].LossRatio == nil {
			t.Fatalf("the agent's leg is %+v", leg)
		}
		if row.AgentStuck != wire.ResponseTimeout {
			t.Errorf("stuck: %q", row.AgentStuck)
		}
		alone := newCall(monitor.New(monitor.Config{}), "s")
		alone.agent = nil
		if row := alone.seconds(3); row.AgentLeg != nil {
			t.Errorf("of an agent of our own: %+v", row.AgentLeg)
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
		"the caller's packets get lost":     {func(c *call) { c.server.in.every = 4 }, quality.OwnerCaller},
		"the agent's packets get lost":      {func(c *call) { c.agent.in.every = 4 }, quality.OwnerAgent},
		"packets to the agent get lost":     {func(c *call) { c.agent.out.every = 4 }, quality.OwnerAgent},
		"the agent is far":                  {func(c *call) { c.agent.rtt = time.Second }, quality.OwnerAgent},
		"the server passes packets on late": {func(c *call) { c.serverDelay = 600 * time.Millisecond }, quality.OwnerServer},
		"nothing is wrong":                  {func(*call) {}, quality.OwnerNone},
		"the agent thinks":                  {func(c *call) { c.row.AgentState = "thinking"; c.m.SessionChanged(c.row) }, quality.OwnerModel},
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
				var c *call
				var told []time.Duration
				c = newCall(monitor.New(monitor.Config{
					TakeDelay: func() (time.Duration, bool) { return c.serverDelay, c.serverDelay > 0 },
					OnDelay:   func(d time.Duration) { told = append(told, d) },
				}), "s")
				if row := c.seconds(15); row.PoorSeconds != nil {
					t.Fatalf("before: %v", row.PoorSeconds)
				}
				test.spoil(c)
				row := c.seconds(30)
				poor := row.PoorSeconds[test.want]
				if test.want == quality.OwnerNone && len(row.PoorSeconds) > 0 || test.want != quality.OwnerNone && (len(row.PoorSeconds) != 1 || poor < 15 || poor > 30) {
					t.Fatalf("%v", row.PoorSeconds)
				}
				if isLate := c.serverDelay > 0; isLate != (len(told) == 30) || isLate && told[29] != c.serverDelay {
					t.Errorf("the delay is told as %v", told)
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
