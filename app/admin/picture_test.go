package admin

// The pure parts are tested from inside: they are what the pages stand on, and
// no other package may use them.

import (
	"slices"
	"testing"
	"time"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
)

var (
	noon = time.Date(2026, 10, 22, 12, 0, 0, 0, time.UTC) // this page's clock
	far  = noon.Add(3 * time.Minute)                      // the server's, which is ahead
)

// one is a live session at a level, begun before the test.
func one(id string, l quality.Level) rest.Session {
	return rest.Session{ID: id, User: "u-" + id, State: "active", AgentState: "listening",
		StartedAt: far.Add(-10 * time.Minute), LastActiveAt: far, Quality: quality.Verdict{Level: l}}
}

func ended(id, reason string) rest.Session {
	s := one(id, quality.None)
	at := far
	s.State, s.EndedAt, s.EndCause, s.EndReason = "ended", &at, "admin_ended", reason
	return s
}

func snap(list ...rest.Session) client.Frame {
	return client.Snapshot{Snapshot: rest.Snapshot{Seq: 1, T: far, Sessions: list}}
}

func upsert(list ...rest.Session) client.Frame {
	return client.Sessions{SessionsFrame: rest.SessionsFrame{T: far, Upsert: list}}
}

func remove(ids ...string) client.Frame {
	return client.Sessions{SessionsFrame: rest.SessionsFrame{T: far, Remove: ids}}
}

// after applies frames one second apart.
func after(frames ...client.Frame) picture {
	p := picture{}
	for i, f := range frames {
		p = apply(p, f, noon.Add(time.Duration(i)*time.Second))
	}
	return p
}

func TestApply(t *testing.T) {
	poor := quality.Verdict{Level: quality.Poor, MOS: 2.6, Cause: quality.CauseLoss}
	suffering := one("a", quality.Poor)
	suffering.Quality = poor
	cases := map[string]struct {
		frames []client.Frame
		check  func(t *testing.T, p picture)
	}{
		"a snapshot is the whole picture": {
			[]client.Frame{snap(one("a", quality.Good), one("b", quality.Poor))},
			func(t *testing.T, p picture) {
				if !p.known || p.live() != 2 || p.levels()[quality.Poor] != 1 {
					t.Errorf("known %t, %d live, levels %v", p.known, p.live(), p.levels())
				}
			},
		},
		"one that ended before is not in it": {
			[]client.Frame{snap(one("a", quality.Good), ended("b", ""))},
			func(t *testing.T, p picture) {
				if len(p.sessions) != 1 {
					t.Errorf("%d sessions", len(p.sessions))
				}
			},
		},
		"a frame changes what it names": {
			[]client.Frame{snap(one("a", quality.Good), one("b", quality.Good)), upsert(one("b", quality.Fair), one("c", quality.Poor))},
			func(t *testing.T, p picture) {
				want := map[quality.Level]int{quality.Good: 1, quality.Fair: 1, quality.Poor: 1}
				if got := p.levels(); got[quality.Good] != want[quality.Good] || got[quality.Fair] != 1 || got[quality.Poor] != 1 {
					t.Errorf("levels %v, want %v", got, want)
				}
			},
		},
		"an end greys the row, with the reason and the last rating": {
			[]client.Frame{snap(suffering), upsert(ended("a", "maintenance"))},
			func(t *testing.T, p picture) {
				s := p.sessions["a"]
				if s.live() || s.EndReason != "maintenance" || s.Quality != poor || p.live() != 0 {
					t.Errorf("session %+v", s)
				}
				if !p.lastEnd.Equal(far) {
					t.Errorf("last end %v, want %v", p.lastEnd, far)
				}
			},
		},
		"a removal without an end greys it too": {
			[]client.Frame{snap(one("a", quality.Good)), remove("a", "never seen")},
			func(t *testing.T, p picture) {
				if s := p.sessions["a"]; len(p.sessions) != 1 || s.live() {
					t.Errorf("sessions %+v", p.sessions)
				}
			},
		},
		"a removal after the end keeps the moment": {
			[]client.Frame{snap(one("a", quality.Good)), upsert(ended("a", "")), remove("a")},
			func(t *testing.T, p picture) {
				if got := p.sessions["a"].gone; !got.Equal(noon.Add(time.Second)) {
					t.Errorf("gone at %v", got)
				}
			},
		},
		"a new snapshot ends what it doesn't name": {
			[]client.Frame{snap(one("a", quality.Good), one("b", quality.Good)), snap(one("b", quality.Good))},
			func(t *testing.T, p picture) {
				if a, b := p.sessions["a"], p.sessions["b"]; a.live() || !b.live() {
					t.Errorf("a lives %t, b lives %t", a.live(), b.live())
				}
			},
		},
		"counts": {
			[]client.Frame{snap(), client.Counts{StatsFrame: rest.StatsFrame{T: far, Stats: rest.Stats{Cap: 100}}}},
			func(t *testing.T, p picture) {
				if p.stats.Cap != 100 {
					t.Errorf("cap %d", p.stats.Cap)
				}
			},
		},
		"activities tell of the last end": {
			[]client.Frame{snap(), client.Activities{ActivityFrame: rest.ActivityFrame{T: far, Items: []rest.Activity{
				{What: rest.CallTimedOut, At: far.Add(-time.Hour)}, {What: rest.CallStarted, At: far}}}}},
			func(t *testing.T, p picture) {
				if !p.lastEnd.Equal(far.Add(-time.Hour)) {
					t.Errorf("last end %v", p.lastEnd)
				}
			},
		},
		"a status leaves the data": {
			[]client.Frame{snap(one("a", quality.Good)), client.Status{State: client.Offline}},
			func(t *testing.T, p picture) {
				if p.status.State != client.Offline || p.live() != 1 || !p.heard.Equal(noon) {
					t.Errorf("status %v, %d live, heard %v", p.status.State, p.live(), p.heard)
				}
			},
		},
		"the server's clock counts": {
			[]client.Frame{snap()},
			func(t *testing.T, p picture) {
				if got := p.clock(noon.Add(time.Second)); !got.Equal(far.Add(time.Second)) {
					t.Errorf("clock %v", got)
				}
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { c.check(t, after(c.frames...)) })
	}
}

func TestApplyLeavesTheOldPicture(t *testing.T) {
	before := after(snap(one("a", quality.Good)))
	apply(before, upsert(one("b", quality.Good), ended("a", "")), noon)
	if s := before.sessions["a"]; len(before.sessions) != 1 || !s.live() {
		t.Errorf("the old picture became %+v", before.sessions)
	}
}

func TestTimeInLevel(t *testing.T) {
	trend := func(l quality.Level, values ...float64) rest.Session {
		s := one("a", l)
		s.MOSTrend = values
		return s
	}
	later := client.Sessions{SessionsFrame: rest.SessionsFrame{T: far.Add(time.Minute), Upsert: []rest.Session{one("a", quality.Good)}}}
	young := trend(quality.Poor, 2, 2, 2)
	young.StartedAt = far.Add(-time.Second)
	cases := map[string]struct {
		frames []client.Frame
		want   time.Time
	}{
		"as far back as the trend tells": {[]client.Frame{snap(trend(quality.Poor, 4, 4, 2.5, 2.4, 3.09))}, far.Add(-3 * time.Second)},
		"a gap ends it":                  {[]client.Frame{snap(trend(quality.Good, 3.6, 0, 3.6, 4.01))}, far.Add(-2 * time.Second)},
		"no further than its start":      {[]client.Frame{snap(young)}, far.Add(-time.Second)},
		"without a trend, from now":      {[]client.Frame{snap(one("a", quality.Good))}, far},
		"the same level goes on":         {[]client.Frame{snap(one("a", quality.Good)), later}, far},
		"another level begins":           {[]client.Frame{snap(one("a", quality.Poor)), later}, far.Add(time.Minute)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := after(c.frames...).sessions["a"].since; !got.Equal(c.want) {
				t.Errorf("since %v, want %v", got, c.want)
			}
		})
	}
}

func TestPruneAfterTenSeconds(t *testing.T) {
	p := after(snap(one("a", quality.Good), one("b", quality.Good)), remove("a"))
	gone := noon.Add(time.Second)
	if got := prune(p, gone.Add(lingers-1)); len(got.sessions) != 2 {
		t.Errorf("%d sessions just before", len(got.sessions))
	}
	if got := prune(p, gone.Add(lingers)); len(got.sessions) != 1 {
		t.Errorf("%d sessions after", len(got.sessions))
	}
	if len(p.sessions) != 2 {
		t.Error("the old picture changed")
	}
}

func TestStale(t *testing.T) {
	polled := client.Status{State: client.Reconnecting, Polling: true}
	cases := map[string]struct {
		p     picture
		limit time.Duration
	}{
		"calls run":        {after(snap(one("a", quality.Good))), 5 * time.Second},
		"no call runs":     {after(snap()), 20 * time.Second},
		"it is asked for":  {apply(after(snap(one("a", quality.Good))), polled, noon), 15 * time.Second},
		"an ended one too": {after(snap(one("a", quality.Good)), upsert(ended("a", ""))), 20 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.p.isStale(c.p.heard.Add(c.limit)) || !c.p.isStale(c.p.heard.Add(c.limit+1)) {
				t.Errorf("the limit is not %v", c.limit)
			}
		})
	}
	if (picture{}).isStale(noon) {
		t.Error("what was never known is stale")
	}
}

func TestArrange(t *testing.T) {
	all := func(session) bool { return true }
	withSince := func(id string, l quality.Level, ago time.Duration) session {
		return session{Session: one(id, l), since: far.Add(-ago)}
	}
	p := picture{sessions: map[string]session{
		"exc":  withSince("exc", quality.Excellent, time.Hour),
		"new":  withSince("new", quality.None, 0),
		"good": withSince("good", quality.Good, time.Minute),
		"fair": withSince("fair", quality.Fair, time.Minute),
		"p1":   withSince("p1", quality.Poor, time.Second),
		"p2":   withSince("p2", quality.Poor, time.Minute),
		"p3":   withSince("p3", quality.Poor, time.Second),
	}}
	cases := map[string]struct {
		before []string
		held   bool
		keep   func(session) bool
		want   []string
	}{
		"worst first, longest first":        {nil, false, all, []string{"p2", "p1", "p3", "fair", "new", "good", "exc"}},
		"held, nothing moves, new ones end": {[]string{"exc", "gone", "p1"}, true, all, []string{"exc", "p1", "p2", "p3", "fair", "new", "good"}},
		"let go, it is sorted":              {[]string{"exc", "gone", "p1"}, false, all, []string{"p2", "p1", "p3", "fair", "new", "good", "exc"}},
		"filtered": {nil, false, func(s session) bool { return level(s.Session) == quality.Poor },
			[]string{"p2", "p1", "p3"}},
		"held, one that no longer matches stays": {[]string{"exc", "p1"}, true, func(s session) bool { return level(s.Session) == quality.Poor },
			[]string{"exc", "p1", "p2", "p3"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := arrange(c.before, p, c.keep, c.held, worstFirst); !slices.Equal(got, c.want) {
				t.Errorf("order %v, want %v", got, c.want)
			}
		})
	}
}
