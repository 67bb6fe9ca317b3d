package demodata_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/demodata"
	"parley/shared/quality"
	"parley/shared/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// notes is a record that remembers what it was given, and when by its clocks.
type notes struct {
	mu         sync.Mutex
	sessions   []rest.SessionRecord
	chunks     []rest.QualityChunk
	turns      []rest.TurnRecord
	logs       []rest.LogEntry
	activities []rest.Activity
	usage      []rest.UsageEntry
	alerts     []rest.Alert
	audit      []rest.AuditEntry
	refuse     error
}

// dated is the record by one clock.
type dated struct {
	*notes
	now func() time.Time
}

func note[T any](n *notes, list *[]T, items ...T) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	*list = append(*list, items...)
	return n.refuse
}

func (d dated) SessionEnded(_ context.Context, s rest.SessionRecord) error {
	return note(d.notes, &d.sessions, s)
}
func (d dated) AppendQuality(_ context.Context, c []rest.QualityChunk) error {
	return note(d.notes, &d.chunks, c...)
}
func (d dated) AppendTurns(_ context.Context, t []rest.TurnRecord) error {
	return note(d.notes, &d.turns, t...)
}
func (d dated) AppendLogs(_ context.Context, l []rest.LogEntry) error {
	return note(d.notes, &d.logs, l...)
}
func (d dated) AppendActivities(_ context.Context, a []rest.Activity) error {
	return note(d.notes, &d.activities, a...)
}
func (d dated) AddUsage(_ context.Context, e rest.UsageEntry) error {
	return note(d.notes, &d.usage, e)
}
func (d dated) PutAlert(_ context.Context, a rest.Alert) error { return note(d.notes, &d.alerts, a) }
func (d dated) Record(_ context.Context, e rest.AuditEntry) error {
	return note(d.notes, &d.audit, e)
}
func (d dated) NewID() int64 { return d.now().UnixMilli() }

// bare masks nothing.
type bare struct{}

func (bare) Person(s string) string  { return s }
func (bare) UserKey(s string) string { return "key of " + s }
func (bare) Address(s string) string { return s }
func (bare) Phone(s string) string   { return s }
func (bare) Email(s string) string   { return s }

func newDemo(t *testing.T, dir string, now time.Time) (*demodata.Demo, *notes) {
	t.Helper()
	folder, err := demodata.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := &notes{}
	return demodata.New(demodata.Config{
		Folder: folder, Mask: bare{},
		Store: func(now func() time.Time) demodata.Store { return dated{n, now} },
		Audit: func(now func() time.Time) demodata.Audit { return dated{n, now} },
	}, now), n
}

// filledUntil is a data directory whose past is filled until a time.
func filledUntil(t *testing.T, until time.Time) string {
	t.Helper()
	dir := t.TempDir()
	demo, _ := newDemo(t, dir, noon)
	demo.NoteFilled(t, until)
	return dir
}

var noon = time.Date(2026, 3, 4, 12, 20, 0, 0, time.UTC)

// TestADayIsMadeUp: enough of each kind, all of it told as made up, none of it outside
// of the day.
func TestADayIsMadeUp(t *testing.T) {
	t.Parallel()
	demo, n := newDemo(t, t.TempDir(), noon)
	if err := demo.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := demo.KeepActs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(n.sessions) < 200 || len(n.chunks) < 2000 || len(n.logs) < 1000 || len(n.activities) < 500 || len(n.usage) < 150 || len(n.audit) < 20 || len(n.alerts) < 5 {
		t.Errorf("%d sessions, %d chunks, %d lines, %d activities, %d usage, %d audit, %d alerts",
			len(n.sessions), len(n.chunks), len(n.logs), len(n.activities), len(n.usage), len(n.audit), len(n.alerts))
	}
	levels, owners := map[quality.Level]int{}, map[quality.Owner]int{}
	for _, s := range n.sessions {
		if !strings.HasPrefix(s.User, "demo-") || !strings.HasPrefix(s.Agent, "demo-") || s.Node != demodata.Node || !strings.Contains(strings.ToLower(s.Name), "demo") {
			t.Errorf("not told as made up: %+v", s)
		}
		if s.StartedAt.Before(noon.Add(-demodata.Past)) || !s.EndedAt.Before(noon) || !s.EndCause.Valid() {
			t.Errorf("%s: %v to %v, %s", s.ID, s.StartedAt, s.EndedAt, s.EndCause)
		}
		seconds := 0
		for _, n := range s.Quality.Seconds {
			seconds += n
		}
		if float64(seconds) > s.DurationS {
			t.Errorf("%s has a level for %d s of %v", s.ID, seconds, s.DurationS)
		}
		levels[s.Quality.Level]++
		for o := range s.Quality.PoorSeconds {
			owners[o]++
		}
	}
	for _, l := range []quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor} {
		if levels[l] < 3 {
			t.Errorf("%d of %d calls are %s", levels[l], len(n.sessions), l)
		}
	}
	if owners[quality.OwnerCaller] == 0 || owners[quality.OwnerModel] == 0 {
		t.Errorf("poor seconds are owned by %v", owners)
	}
	for _, l := range n.logs {
		if l.Node != demodata.Node || l.ID != l.T.UnixMilli() {
			t.Errorf("line %+v", l)
		}
	}
	if !slices.IsSortedFunc(n.audit, func(a, b rest.AuditEntry) int { return a.T.Compare(b.T) }) {
		t.Error("the audit log is not in order")
	}
}

// TestCallsOfThePastHaveTheirTurns, as many as their records count, and their changes of
// level, each telling which way it went.
func TestCallsOfThePastHaveTheirTurns(t *testing.T) {
	t.Parallel()
	demo, n := newDemo(t, filledUntil(t, noon.Add(-3*time.Hour)), noon)
	if err := demo.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	turns, cuts := map[string]int{}, map[string]int{}
	for _, r := range n.turns {
		if r.Turn != nil {
			turns[r.Session]++
		} else {
			cuts[r.Session]++
		}
	}
	level := map[string]quality.Level{}
	changes := 0
	for _, a := range n.activities {
		if a.Kind != rest.ActivityQuality {
			continue
		}
		now, was := quality.Level(a.Detail), level[a.Session]
		if fell := a.What == rest.QualityFell; was != "" && fell != (now.Bars() < was.Bars()) {
			t.Errorf("%s: from %s to %s is told as %s", a.Session, was, now, a.What)
		}
		level[a.Session] = now
		changes++
	}
	for _, s := range n.sessions {
		if got, want := turns[s.ID], s.Quality.Turns.FirstWord.Turns; got != want {
			t.Errorf("%s has %d turns, its record counts %d", s.ID, got, want)
		}
		if got, want := cuts[s.ID], s.Quality.Turns.Silenced.Interruptions; got != want {
			t.Errorf("%s has %d interruptions, its record counts %d", s.ID, got, want)
		}
	}
	if len(n.turns) < 100 || changes < 20 {
		t.Errorf("%d turns, %d changes", len(n.turns), changes)
	}
}

// TestTheSameDayIsMadeUpAlike: what is made up depends on the time alone.
func TestTheSameDayIsMadeUpAlike(t *testing.T) {
	t.Parallel()
	var ids [2][]string
	for i := range ids {
		demo, n := newDemo(t, filledUntil(t, noon.Add(-3*time.Hour)), noon)
		if err := demo.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, s := range n.sessions {
			ids[i] = append(ids[i], s.ID+string(s.Quality.Level)+string(s.EndCause))
		}
	}
	if !slices.Equal(ids[0], ids[1]) {
		t.Error("two fills differ")
	}
}

// TestOnlyTheGapIsFilled: a start does not fill what a start before it has.
func TestOnlyTheGapIsFilled(t *testing.T) {
	t.Parallel()
	for gap, most := range map[time.Duration]int{0: 0, 2 * time.Hour: 135} {
		demo, n := newDemo(t, filledUntil(t, noon), noon.Add(gap))
		if err := demo.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, s := range n.sessions {
			if s.StartedAt.Before(noon) {
				t.Errorf("after %v, a call of %v is filled again", gap, s.StartedAt)
			}
		}
		if len(n.sessions) > most || gap > 0 && len(n.sessions) == 0 {
			t.Errorf("after %v: %d calls, at most %d are due", gap, len(n.sessions), most)
		}
	}
}

// TestAFillThatWasCutOffIsBegunAnew: half of a day is not taken for the day.
func TestAFillThatWasCutOffIsBegunAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	demo, _ := newDemo(t, dir, noon)
	demo.NoteFilled(t, noon.Add(-time.Hour))
	kept := filepath.Join(dir, demodata.FolderName, "control.db")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := demodata.OpenFolder(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("what is whole is kept: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := demo.Fill(ctx); err == nil {
		t.Fatal("a fill that was cut off is none")
	}
	if _, err := demodata.OpenFolder(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Errorf("what was cut off stays: %v", err)
	}
}
