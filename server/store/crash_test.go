package store_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// What was acknowledged is there, what is there is whole, and nobody has to
// repair anything: after a hundred kills at any moment.
func TestAHundredKillsLoseNoAcknowledgedLine(t *testing.T) {
	const kills = 100
	dir := t.TempDir()
	var acknowledged, kept int64
	var slowest time.Duration
	for range kills {
		c := start(t, "audit", dir)
		first := c.says(t, "seq ")
		time.Sleep(rand.N(20 * time.Millisecond)) // a kill at any moment is what is tested
		said := strings.Fields(first + "\n" + c.kill(t))
		acknowledged = lastWhole(t, said, acknowledged)
		began := time.Now()
		l, err := store.Open(t.Context(), dir, store.Options{})
		must(t, err)
		took := time.Since(began)
		slowest = max(slowest, took)
		last, err := checkChain(t.Context(), l)
		must(t, err)
		if last < acknowledged {
			t.Fatalf("line %d was acknowledged, %d are there", acknowledged, last)
		}
		// A line and its change are one, also when they were not acknowledged.
		revoked, err := l.RevokedTokens(t.Context())
		must(t, err)
		if int64(len(revoked)) != last {
			t.Fatalf("%d changes for %d lines", len(revoked), last)
		}
		kept = last
		must(t, l.Close())
	}
	t.Logf("%d kills: %d lines acknowledged, %d kept; opening took at most %v", kills, acknowledged, kept, slowest)
	if slowest > 5*time.Second {
		t.Errorf("opening took %v", slowest)
	}
}

// lastWhole is the last seq that was said whole: the pipe may end in the middle
// of a number.
func lastWhole(t *testing.T, said []string, least int64) int64 {
	t.Helper()
	last := least
	for _, word := range said {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil {
			if n != last+1 && n < last {
				break
			}
			last = n
		}
	}
	return last
}

func TestAKillInTheMiddleOfAMigrationLeavesTheStepBefore(t *testing.T) {
	const kills = 10
	whole := timeOfMigration(t)
	cut := 0
	for i := range kills {
		dir := t.TempDir()
		c := start(t, "migrate", dir)
		c.says(t, "ready")
		time.Sleep(whole * time.Duration(i) / kills) // from its first moment to its last
		if !strings.Contains(c.kill(t), "migrated") {
			cut++
		}
		if err := store.Migrate(t.Context(), filepath.Join(dir, "control.db"), longMigration()); err != nil {
			t.Fatalf("after a kill %v into it: %v", whole*time.Duration(i)/kills, err)
		}
		s := openRaw(t, dir)
		for query, want := range map[string]string{
			"SELECT count(*) FROM half WHERE more IS NULL": "200000",
			"SELECT count(*) || ' ' || max(n) FROM kept":   "1 2",
			"SELECT max(version_id) FROM goose_db_version": "3",
			"PRAGMA integrity_check":                       "ok",
		} {
			if got := s.ask(query); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	}
	t.Logf("%d of %d kills came before the end of %v", cut, kills, whole)
	if cut < 3 {
		t.Errorf("only %d of %d kills came before the end", cut, kills)
	}
}

func timeOfMigration(t *testing.T) time.Duration {
	c := start(t, "migrate", t.TempDir())
	c.says(t, "ready")
	began := time.Now()
	c.says(t, "migrated")
	took := time.Since(began)
	must(t, c.cmd.Wait())
	return took
}

func TestAnotherProcessVerifiesWhileTheServerWrites(t *testing.T) {
	dir := t.TempDir()
	writer := start(t, "audit", dir)
	for range 3 {
		writer.says(t, "seq ")
		verify := start(t, "verify", dir)
		last, err := strconv.Atoi(verify.says(t, "last "))
		if err != nil || last < 1 {
			t.Errorf("%d lines, %v", last, err)
		}
		must(t, verify.cmd.Wait())
	}
	writer.says(t, "seq ") // it was not disturbed
	writer.kill(t)
	verify := start(t, "verify", dir) // what a dead server left can be read, too
	verify.says(t, "last ")
	must(t, verify.cmd.Wait())
}

func TestALedgerOfNothing(t *testing.T) {
	dir := t.TempDir()
	if l, err := store.OpenAuditReader(t.Context(), dir); err == nil {
		l.Close()
		t.Error("opened")
	}
	if _, err := os.Stat(filepath.Join(dir, "control.db")); err == nil {
		t.Error("made a file")
	}
	must(t, os.WriteFile(filepath.Join(dir, "control.db"), nil, 0o600))
	if l, err := store.OpenAuditReader(t.Context(), dir); err == nil {
		l.Close()
		t.Error("opened an empty file")
	}
}

// fill writes lines of some length until one is refused.
func fill(c context.Context, s *store.Store, most int) error {
	for range most {
		if _, err := s.AppendAudit(c, rest.AuditEntry{Reason: strings.Repeat("x", 3000)}, seal, nil); err != nil {
			return err
		}
		if err := s.AppendLogs(c, []rest.LogEntry{{UserAgent: strings.Repeat("x", 3000)}}); err != nil {
			return err
		}
	}
	return nil
}
