package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/shared/rest"
)

// doings asks a server for what must be on record first, until it is gone, and
// gives the request ids of all that was answered, and the last timeout set.
type doings struct {
	mu      sync.Mutex
	ids     []string
	timeout int
}

func (d *doings) done(res *http.Response, timeout int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, res.Header.Get("X-Request-Id"))
	if timeout > 0 {
		d.timeout = timeout
	}
}

// work looks and changes as an admin until the server is gone. Each timeout differs from
// the one before, also from one that was set last and never answered: what changes
// nothing is on no record.
func (d *doings) work(p *child, admin string, first int) {
	var all sync.WaitGroup
	ask := func(method, path string, body []byte) (*http.Response, bool) {
		req, err := http.NewRequestWithContext(context.Background(), method, p.base+path, bytes.NewReader(body))
		if err != nil {
			return nil, false
		}
		req.Header.Set("Authorization", "Bearer "+admin)
		if body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, false
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return res, err == nil
	}
	for range 3 {
		all.Go(func() {
			for {
				res, alive := ask(http.MethodGet, rest.PathActive, nil)
				if !alive {
					return
				}
				if res.StatusCode == http.StatusOK {
					d.done(res, 0)
				}
			}
		})
	}
	all.Go(func() {
		for minutes := first; ; minutes = nextTimeout(minutes) {
			res, alive := ask(http.MethodPost, rest.PathTimeout, fmt.Appendf(nil, `{"timeout_minutes":%d}`, minutes))
			if !alive {
				return
			}
			if res.StatusCode < 300 {
				d.done(res, minutes)
			}
		}
	})
	all.Wait()
}

// What an admin was answered is on record, whatever moment the server dies at,
// and nobody has to repair anything.
func TestAKilledServerLosesNoAnsweredAct(t *testing.T) {
	const kills = 25
	dir := t.TempDir()
	var slowest time.Duration
	answered, first := 0, 1
	p := spawnIn(t, dir)
	admin := p.token(t, "demo-admin")
	for range kills {
		var d doings
		ended := make(chan struct{})
		go func() { d.work(p, admin, first); close(ended) }()
		eventually(t, "acts are answered", func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.timeout > 0 && len(d.ids) > 10
		})
		time.Sleep(rand.N(50 * time.Millisecond)) // any moment is what is tested
		p.kill(t)
		<-ended
		began := time.Now()
		p = spawnIn(t, dir)
		if _, err := p.healthy(t.Context()); err != nil {
			t.Error(err)
		}
		slowest = max(slowest, time.Since(began))
		p.remembers(t, &d)
		answered += len(d.ids)
		first = nextTimeout(nextTimeout(d.timeout))
	}
	t.Logf("%d kills, %d answered acts; up again after at most %v", kills, answered, slowest.Round(time.Millisecond))
	if slowest > 5*time.Second {
		t.Errorf("up again after %v", slowest)
	}
	verify(t, dir)
}

// nextTimeout is the minutes that are set after others.
func nextTimeout(minutes int) int { return minutes%240 + 1 }

// remembers holds that all of it is in the audit log and in force.
func (c *child) remembers(t *testing.T, d *doings) {
	t.Helper()
	kept := make(map[string]bool)
	for _, e := range c.audit(t) {
		kept[e.RequestID] = true
	}
	lost := slices.DeleteFunc(slices.Clone(d.ids), func(id string) bool { return kept[id] })
	if len(lost) > 0 {
		t.Errorf("%d of %d answered acts are not in the audit log: %v", len(lost), len(d.ids), lost[0])
	}
	var now rest.Settings
	c.ask(t, "demo-admin", http.MethodGet, rest.PathSettings, nil, &now)
	// One that was not answered any more may have been done.
	got := int(now.Settings[rest.SettingIdleTimeout].Value.(float64))
	if got != d.timeout && got != nextTimeout(d.timeout) {
		t.Errorf("the idle timeout is %d min, %d was answered", got, d.timeout)
	}
}

// What a new server can't have made is left alone, in one sentence.
func TestANewerSchemaIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"control.db", "telemetry.db"} {
		dir := t.TempDir()
		p := spawnIn(t, dir)
		p.terminate(t)
		p.exitWithin(t, patience)
		db, err := sql.Open("sqlite", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		again := launch(t, dir)
		again.killed = true // it ends by itself
		code := again.exitWithin(t, patience)
		said := strings.TrimSpace(tail(again.logs.String(), 1))
		if code != exitFailed || !strings.Contains(said, name) || !strings.Contains(said, "99") || !strings.HasPrefix(said, "parley: ") ||
			!strings.Contains(said, "install the newer version") || !strings.Contains(said, "parley restore") {
			t.Errorf("a newer %s: exit %d, %q", name, code, said)
		}
	}
}

// A server that dies while it makes its record leaves one that the next makes
// whole.
func TestAKillInTheFirstMomentsLeavesNothingToRepair(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 12 {
		p := launch(t, dir)
		time.Sleep(time.Duration(i) * 8 * time.Millisecond) // from its first moment to its first answer
		p.kill(t)
	}
	p := spawnIn(t, dir)
	if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathAudit, nil, nil); status != http.StatusOK {
		t.Errorf("audit: %d", status)
	}
	verify(t, dir)
}
