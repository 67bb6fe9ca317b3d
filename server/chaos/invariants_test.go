//go:build linux

package chaos_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/shared/rest"
)

// livePermits are the calls that all nodes with a lease may hold.
const livePermits = `SELECT coalesce(sum(p.granted), 0) FROM parley_control.permit p JOIN parley_control.node n ON n.id = p.node
	WHERE p.scope = 'all' AND n.expires_at > extract(epoch FROM clock_timestamp()) * 1000`

// watcher looks at the permits of the record all the time.
type watcher struct {
	of    *deployment
	db    *sql.DB
	done  sync.WaitGroup
	mu    sync.Mutex
	looks int
	top   int64
	since int64 // the most since begin
	over  []string
}

// watch looks every 200 ms, while the database answers.
func (d *deployment) watch(ctx context.Context) *watcher {
	w := &watcher{of: d, db: d.open()}
	w.done.Go(func() {
		for ; ctx.Err() == nil; pause(ctx, 200*time.Millisecond) {
			w.look(ctx)
		}
	})
	return w
}

func (w *watcher) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var granted int64
	if w.db.QueryRowContext(ctx, livePermits).Scan(&granted) != nil {
		return // it is away
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	w.top, w.since = max(w.top, granted), max(w.since, granted)
	if granted > int64(callCap) {
		w.over = append(w.over, fmt.Sprintf("%s %d", time.Now().Format(time.TimeOnly), granted))
	}
}

// begin has newest count from now on.
func (w *watcher) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = 0
}

// newest is the most since begin.
func (w *watcher) newest() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.since
}

// stepFigures are what came of one thing that went wrong.
type stepFigures struct {
	what          string
	before, after tally
	permits       int64
	recovered     time.Duration // from when it was mended until the lines were busy
}

func (w *watcher) check() {
	if len(w.over) > 0 {
		w.of.t.Errorf("more permits than the cap of %d: %v", callCap, w.over)
	}
	if w.looks < 100 {
		w.of.t.Errorf("only %d looks at the permits", w.looks)
	}
}

// report tells what came of it all, as a table.
func (d *deployment) report(steps []stepFigures, c *crowd, w *watcher, a *actor) {
	var told strings.Builder
	fmt.Fprintf(&told, "\n| what goes wrong | permits at once, at most | calls taken | ended as node_lost | as connection_lost | tries not taken | lines busy again, s |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range steps {
		fmt.Fprintf(&told, "| %s | %d | %d | %d | %d | %d | %.0f |\n", s.what, s.permits, s.after.accepted-s.before.accepted, s.after.nodeLost-s.before.nodeLost,
			s.after.connectionLost-s.before.connectionLost, s.after.refused-s.before.refused, s.recovered.Seconds())
	}
	fmt.Fprintf(&told, "\n| what | how many |\n| --- | --- |\n")
	row := func(what string, n any) { fmt.Fprintf(&told, "| %s | %v |\n", what, n) }
	row("calls that were taken", c.accepted)
	for _, cause := range slices.Sorted(maps.Keys(c.ends)) {
		row("… that ended by "+string(cause), c.ends[cause])
	}
	row("tries that were not taken", c.refused)
	row(fmt.Sprintf("packets of audio sent by one caller in %d; that came back", speakEach), fmt.Sprintf("%d; %d", c.sent.Load(), c.heard.Load()))
	row(fmt.Sprintf("permits at once, at most (cap %d; %d looks)", callCap, w.looks), w.top)
	row("acts that were answered, all on the audit log", len(a.answered))
	row("acts that were refused", a.refused)
	d.t.Log(told.String())
}

// actor is an admin who changes a setting, again and again, at one node after the other.
type actor struct {
	of       *deployment
	done     sync.WaitGroup
	answered []string // reasons of what was answered with success
	refused  map[string]int
}

func (d *deployment) act(ctx context.Context) *actor {
	a := &actor{of: d, refused: make(map[string]int)}
	a.done.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			name := fmt.Sprintf("org%05d", i)
			patch := map[string]any{rest.SettingOrgCaps: name + "=5", "reason": name}
			status, err := d.nodes[i%len(d.nodes)].ask(ctx, admin, http.MethodPatch, rest.PathSettings, patch, nil)
			switch {
			case err != nil:
				a.refused["no answer"]++
			case status < 300:
				a.answered = append(a.answered, name)
			default:
				a.refused[http.StatusText(status)]++
			}
			pause(ctx, 300*time.Millisecond)
		}
	})
	return a
}

// check holds that acts were answered, and that each of them is on the audit log.
func (a *actor) check() {
	t := a.of.t
	kept := make(map[string]bool)
	for cursor := ""; ; {
		var page rest.Page[rest.AuditEntry]
		status, err := a.of.nodes[0].ask(context.Background(), admin, http.MethodGet, rest.PathAudit+"?limit=100&action="+string(rest.AuditSettings)+cursorPart(cursor), nil, &page)
		if err != nil || status != http.StatusOK {
			t.Fatalf("the audit log: %d %v", status, err)
		}
		for _, e := range page.Items {
			kept[e.Reason] = true
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(a.answered) < 50 {
		t.Errorf("only %d acts were answered; the others: %v", len(a.answered), a.refused)
	}
	lost := slices.DeleteFunc(slices.Clone(a.answered), func(reason string) bool { return kept[reason] })
	if len(lost) > 0 {
		t.Errorf("of %d acts that were answered, the audit log has lost %v", len(a.answered), lost)
	}
}

// checkRecord holds that all calls have ended, each for one cause, and that the chain of the
// audit log verifies.
func (d *deployment) checkRecord() {
	d.t.Helper()
	db := d.open()
	var open, without int
	d.must(db.QueryRow("SELECT count(*) FILTER (WHERE ended_at IS NULL), count(*) FILTER (WHERE ended_at IS NOT NULL AND coalesce(end_cause, '') = '') FROM parley_control.session").Scan(&open, &without))
	if open > 0 || without > 0 {
		d.t.Errorf("%d calls of the record never ended, %d have no cause", open, without)
	}
	path, err := filepath.Abs(parley)
	d.must(err)
	out, err := exec.Command(path, "audit", "verify", "--data-dir="+d.nodes[0].dir, "--database="+databaseAddress).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "intact") {
		d.t.Errorf("audit verify: %v: %s", err, out)
	}
}

// cursorPart is of a query; the first page has none.
func cursorPart(cursor string) string {
	if cursor == "" {
		return ""
	}
	return "&cursor=" + cursor
}
