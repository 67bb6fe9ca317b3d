package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

// fillAndFree writes until there is no room, checks that the refusal is quick,
// known and clean, makes room, and checks that all is well again.
func fillAndFree(c context.Context, s *store.Store, free func() error) error {
	began := time.Now()
	err := fill(c, s, 10_000)
	for ; err == nil; err = fill(c, s, 1) {
		if time.Since(began) > time.Minute {
			return errors.New("it never fills")
		}
	}
	began = time.Now()
	for err == nil || !errors.Is(err, fault.Unavailable) {
		return fmt.Errorf("the first refusal is %w", err)
	}
	if err := fill(c, s, 1); !errors.Is(err, fault.Unavailable) {
		return fmt.Errorf("refused, then not: %w", err)
	}
	if took := time.Since(began); took > store.Patience {
		return fmt.Errorf("a refusal took %v", took)
	}
	before, err := checkChain(c, s)
	if err != nil {
		return fmt.Errorf("reading while full: %w", err)
	}
	if err := unhealthy(c, s); err != nil {
		return err
	}
	if err := free(); err != nil {
		return err
	}
	began = time.Now()
	for s.Healthy(c) != nil {
		if time.Since(began) > 10*time.Second {
			return fmt.Errorf("space came back 10 s ago: %w", s.Healthy(c))
		}
		time.Sleep(20 * time.Millisecond) // what is waited for is in Healthy, and takes a second
	}
	if err := fill(c, s, 5); err != nil {
		return fmt.Errorf("after space came back: %w", err)
	}
	after, err := checkChain(c, s)
	if err != nil || after < before+5 {
		return fmt.Errorf("%d lines, before %d: %w", after, before, err)
	}
	return nil
}

// tellsWithin is within which Healthy knows: it asks once a second, and a probe, of
// one page, may pass as often as there are pages left that a line doesn't fit in.
const tellsWithin = 10 * time.Second

// unhealthy waits until Healthy knows.
func unhealthy(c context.Context, s *store.Store) error {
	began := time.Now()
	for s.Healthy(c) == nil {
		if time.Since(began) > tellsWithin {
			return errors.New("healthy, though nothing can be written")
		}
		if err := fill(c, s, 1); err == nil {
			return errors.New("there is room again")
		}
		time.Sleep(20 * time.Millisecond) // the rhythm of looking again; the loop is bounded above
	}
	return nil
}

func TestAQuotaIsMet(t *testing.T) {
	c := start(t, "quota", t.TempDir())
	said, _ := io.ReadAll(c.out) // before Wait, which closes it
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// A disk of its own, where the machine lets us have one; the quota above is met
// everywhere.
func TestAFullDiskIsMetAndLeft(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("parley-test", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no disk of its own: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, []byte(strings.Repeat("x", 1<<20)), 0o600))
	s, err := store.Open(t.Context(), dir, store.Options{DiskReserve: 1})
	must(t, err)
	defer s.Close()
	must(t, fillAndFree(t.Context(), s, func() error { return os.Remove(ballast) }))
}

// A copy takes no room that the audit log may need.
func TestACopyLeavesTheReserve(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	fillControl(t, s)
	must(t, s.Close())
	if err := syscall.Mount("parley-test", to, "tmpfs", 0, "size=8m"); err != nil { // the copy would fit
		t.Skipf("no disk of its own: %v", err)
	}
	defer syscall.Unmount(to, syscall.MNT_DETACH)
	held, err := store.OpenSnapshot(t.Context(), dir)
	must(t, err)
	defer func() { must(t, held.Close()) }()
	if err := held.Copy(t.Context(), to); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "are needed") {
		t.Errorf("%v", err)
	}
	if names, err := os.ReadDir(to); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
}

// Log lines stop where the reserve begins; what an admin does goes on.
func TestLogLinesLeaveTheReserve(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("parley-test", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("no disk of its own: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	const reserve = 16 << 20 // holds the write-ahead log of a trim
	s, err := store.Open(t.Context(), dir, store.Options{DiskReserve: reserve})
	must(t, err)
	defer s.Close()
	random, lines := rand.New(rand.NewPCG(7, 8)), 0
	for err = nil; err == nil && lines < 500_000; lines += 500 {
		group := make([]rest.LogEntry, 500)
		for i := range group {
			group[i] = lineOf("flood", random)
			group[i].T = time.Now()
		}
		err = s.AppendLogs(t.Context(), group)
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d lines: %v", lines, err)
	}
	var disk syscall.Statfs_t
	must(t, syscall.Statfs(dir, &disk))
	if free := int64(disk.Bavail) * disk.Bsize; free < reserve/2 {
		t.Errorf("%d bytes are left of a reserve of %d", free, reserve)
	}
	for range 50 {
		_, err := s.AppendAudit(t.Context(), rest.AuditEntry{T: time.Now(), Action: rest.AuditRevoke}, seal, nil)
		must(t, err)
	}
	n, err := s.TrimLogs(t.Context(), 1<<30)
	for late := time.Now().Add(time.Minute); errors.Is(err, fault.Unavailable) && time.Now().Before(late); {
		n, err = s.TrimLogs(t.Context(), 1<<30) // a busy machine may take longer than a write may
	}
	if err != nil || n == 0 {
		t.Fatalf("%d lines made room, %v", n, err)
	}
	must(t, s.AppendLogs(t.Context(), []rest.LogEntry{lineOf("after", random)}))
}

// A file that was taken away would take lines that nobody finds again.
func TestAStoreThatIsGoneTakesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	defer s.Close()
	must(t, fill(t.Context(), s, 1))
	away := filepath.Join(t.TempDir(), "away")
	must(t, os.Rename(dir, away))
	began := time.Now()
	if err := fill(t.Context(), s, 1); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > store.Patience {
		t.Errorf("the refusal took %v", took)
	}
	if err := s.Healthy(t.Context()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	must(t, os.Rename(away, dir))
	must(t, fill(t.Context(), s, 1))
	if last, err := checkChain(t.Context(), s); err != nil || last != 2 {
		t.Errorf("%d lines, %v", last, err)
	}
}
