package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// Reports of the client that are missing are neither loss nor silence while the
// server hears its packets: what they would have told is not measured, and what the
// server measured goes on to be told.
func TestReportsThatAreMissing(t *testing.T) {
	const minutes = 3
	for name, tc := range map[string]struct {
		isSent    func(second int) bool // the look of a second gets through
		isRated   bool                  // by the client's word, at the end
		isTold    bool                  // there is a client's stream at all
		receives  int64                 // packets that the client's stream has at least
		noFigures bool                  // the newest are not measured
	}{
		"none is missing":          {isSent: func(int) bool { return true }, isTold: true, isRated: true, receives: 50 * 170},
		"a client without reports": {isSent: func(int) bool { return false }},
		"they stop":                {isSent: func(s int) bool { return s < 60 }, isTold: true, noFigures: true, receives: 50 * 50},
		"frames are lost":          {isSent: func(s int) bool { return s/5%4 != 0 }, isTold: true, isRated: true, receives: 50 * 160},
		"every other is skipped":   {isSent: func(s int) bool { return s%2 == 0 }, isTold: true, isRated: true, receives: 50 * 170},
		"a tab in the background":  {isSent: func(s int) bool { return s%60 == 0 }, noFigures: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := running(t, monitor.Config{})
				c := newPingedCall(m)
				client := c.client
				c.client = nil
				for second := range 60 * minutes {
					c.talk(1)
					c.server.s.Ping.RequestsReceived += 2
					if s := client.second(); tc.isSent(second) {
						m.SessionSampled("s", rtcstats.LegCaller, rtcstats.ByClient, time.Now(), s)
					}
				}
				row := only(t, m)
				if row.Quality.Level != quality.Excellent || row.Metrics[quality.ToAgent].LossRatio == nil || *row.Metrics[quality.ToAgent].LossRatio != 0 {
					t.Errorf("live: %+v", row)
				}
				isTold := false
				connection, _ := m.Connection("s", time.Time{}, time.Time{}, time.Second)
				for _, s := range connection.Streams {
					if s.PacketsLost != 0 {
						t.Errorf("%s by %s lost %d packets", s.Direction, s.MeasuredBy, s.PacketsLost)
					}
					if s.MeasuredBy != rtcstats.ByClient || s.Direction != quality.ToCaller {
						continue
					}
					isTold = true
					if isRated := s.Rating.Level == quality.Excellent; isRated != tc.isRated {
						t.Errorf("by the client's word the line is %s", s.Rating.Level)
					}
					if hasFigures := s.Latest != (rest.Metrics{}); hasFigures == tc.noFigures {
						t.Errorf("its newest figures are %+v", s.Latest)
					}
					if s.PacketsReceived < tc.receives {
						t.Errorf("it received %d packets, want %d at least", s.PacketsReceived, tc.receives)
					}
				}
				if isTold != tc.isTold {
					t.Errorf("a client's stream: %v", isTold)
				}
				c.end("caller_left")
				q, _ := m.Quality("s")
				if q.Level != quality.Excellent || q.Seconds[quality.Poor] != 0 || q.Summary.LossRatio == nil || q.Summary.LossRatio.Avg != 0 {
					t.Errorf("the record: %+v", q)
				}
			})
		})
	}
}
