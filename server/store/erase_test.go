package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// lineOf is a line that can be found again, in every text that it has. Lengths
// differ, so that pages are split and rearranged.
func lineOf(mark string, r *rand.Rand) rest.LogEntry {
	id := fmt.Sprintf("%016x%s", r.Uint64(), mark) // what comes later stands among it in the indexes
	return rest.LogEntry{
		Method: "GET", Status: 200 + r.IntN(300), Path: "/" + id + strings.Repeat("p", r.IntN(200)), Session: id,
		User: id, UserKey: id, Org: id, Remote: id, RequestID: id, Code: id, UserAgent: id + strings.Repeat("u", r.IntN(280)),
	}
}

// openIn is a rig on a folder that the test looks into.
func openIn(t *testing.T, dir string) *rig {
	t.Helper()
	r := &rig{t: t, open: func(o store.Options) (*store.Store, error) { return store.Open(t.Context(), dir, o) }}
	r.set(noon)
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// fillMarked adds 2,000 lines and an activity.
func (r *rig) fillMarked(mark string, random *rand.Rand) {
	r.t.Helper()
	for range 50 {
		lines := make([]rest.LogEntry, 40)
		for i := range lines {
			lines[i] = lineOf(mark, random)
		}
		r.logs(lines...)
	}
	must(r.t, r.AppendActivities(r.t.Context(), []rest.Activity{{At: r.now(), Detail: mark, User: mark}}))
}

// What is past its time is gone from the files, not only from the answers.
func TestWhatIsDeletedLeavesNoBytes(t *testing.T) {
	dir := t.TempDir()
	r := openIn(t, dir)
	random := rand.New(rand.NewPCG(1, 2))
	r.fillMarked("expired", random)
	r.pass(24 * time.Hour)
	r.fillMarked("current", random)
	_, err := r.Retain(t.Context(), store.Before{Logs: noon.Add(time.Hour)})
	must(t, err)
	must(t, r.EraseDeleted(t.Context()))
	if n := countInFiles(t, dir, "expired"); n > 0 {
		t.Errorf("expired lines are readable %d times", n)
	}
	if n := countInFiles(t, dir, "current"); n == 0 {
		t.Error("nothing is found: this test looks in the wrong place")
	}
}

// In a file that is too large to be written anew the bytes go, too, while others
// write; what is kept is whole.
func TestWhatIsDeletedFromALargeFileLeavesNoBytes(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{MaxRewrite: 1})
	must(t, err)
	random := rand.New(rand.NewPCG(7, 8))
	add := func(mark string, at time.Time) {
		for range 50 {
			lines := make([]rest.LogEntry, 40)
			for i := range lines {
				lines[i] = lineOf(mark, random)
				lines[i].T = at
			}
			must(t, s.AppendLogs(t.Context(), lines))
		}
	}
	add("expired", time.Now())
	must(t, s.AppendActivities(t.Context(), []rest.Activity{{At: time.Now(), Detail: "expired", User: "expired"}}))
	time.Sleep(2 * time.Millisecond) // ids tell milliseconds apart
	old := time.Now()
	add("current", old)
	_, err = s.Retain(t.Context(), store.Before{Logs: old})
	must(t, err)
	must(t, s.EmptyLogs(t.Context()))
	left := countInFiles(t, dir, "expired")
	writing := make(chan error, 1)
	go func() {
		var err error
		for range 20 {
			err = errors.Join(err, s.AppendLogs(t.Context(), []rest.LogEntry{lineOf("meanwhile", random)}))
		}
		writing <- err
	}()
	must(t, s.EraseDeleted(t.Context()))
	must(t, <-writing)
	must(t, s.EmptyLogs(t.Context()))
	if n := countInFiles(t, dir, "expired"); n > 0 {
		t.Errorf("of %d copies of expired lines %d are readable", left, n)
	}
	page, _, err := s.Logs(t.Context(), rest.LogQuery{Q: "current", Limit: 500})
	if err != nil || len(page) != 500 {
		t.Errorf("%d lines of 500, %v", len(page), err)
	}
	if got, err := s.CheckTelemetry(t.Context()); err != nil || got != "ok" {
		t.Errorf("the file is %s, %v", got, err)
	}
	must(t, s.Close())
}

// TestOnlyWhatIsUnusedIsCleared: of a page that contradicts itself, nothing.
func TestOnlyWhatIsUnusedIsCleared(t *testing.T) {
	page := func(change func([]byte)) []byte {
		p := bytes.Repeat([]byte{0xee}, 4096)
		p[0] = 0x0d                              // a leaf of a table
		copy(p[1:], []byte{0x0f, 0x00, 0, 2})    // a free block at 3840, two cells
		copy(p[5:], []byte{0x0e, 0x00, 0})       // cells from 3584
		copy(p[3840:], []byte{0, 0, 0x00, 0x10}) // the last free block, of 16 bytes
		change(p)
		return p
	}
	used := func(p []byte) []int {
		var at []int
		for i, b := range p {
			if b == 0xee {
				at = append(at, i)
			}
		}
		return at
	}
	for name, c := range map[string]struct {
		change func([]byte)
		clears int
	}{
		"a leaf":                        {func([]byte) {}, 3584 - 12 + 12},
		"an interior page":              {func(p []byte) { p[0] = 0x05 }, 3584 - 16 + 12},
		"an overflow page":              {func(p []byte) { p[0] = 0 }, 0},
		"cells before their pointers":   {func(p []byte) { p[5], p[6] = 0, 4 }, 0},
		"cells beyond the page":         {func(p []byte) { p[5] = 0x20 }, 0},
		"a free block beyond the page":  {func(p []byte) { p[3842] = 0x10 }, 3584 - 12},
		"a free block among pointers":   {func(p []byte) { p[1], p[2] = 0, 8 }, 3584 - 12},
		"free blocks that go in rounds": {func(p []byte) { p[3840] = 0x0f }, 3584 - 12 + 12},
	} {
		p := page(c.change)
		before := len(used(p))
		changed := store.ClearUnused(p, false)
		if cleared := before - len(used(p)); cleared != c.clears || changed != (c.clears > 0) {
			t.Errorf("%s: %d bytes are cleared, want %d", name, cleared, c.clears)
		}
	}
}

// A server that was killed between deleting and erasing makes up for it.
func TestTheNextLifeErases(t *testing.T) {
	dir := t.TempDir()
	r := openIn(t, dir)
	random := rand.New(rand.NewPCG(3, 4))
	r.fillMarked("expired", random)
	r.pass(24 * time.Hour)
	r.fillMarked("current", random)
	_, err := r.Retain(t.Context(), store.Before{Logs: noon.Add(time.Hour)})
	must(t, err)
	r.restart()
	must(t, r.EraseDeleted(t.Context()))
	if n := countInFiles(t, dir, "expired"); n > 0 {
		t.Errorf("expired lines are readable %d times", n)
	}
}

// The access log keeps to its size, and what is left is the newest of it.
func TestTheLogKeepsToItsSize(t *testing.T) {
	dir := t.TempDir()
	r := openIn(t, dir)
	random := rand.New(rand.NewPCG(5, 6))
	r.fillMarked("oldest", random)
	r.pass(time.Hour)
	r.fillMarked("newest", random)
	if n, err := r.TrimLogs(t.Context(), 1<<30); n != 0 || err != nil {
		t.Fatalf("%d lines went although there is room (%v)", n, err)
	}
	const limit = 2 << 20
	n, err := r.TrimLogs(t.Context(), limit)
	if err != nil || n == 0 || n >= 4000 {
		t.Fatalf("%d of 4,000 lines went, %v", n, err)
	}
	must(t, r.EraseDeleted(t.Context()))
	if size := r.Size(); size > limit+1<<20 {
		t.Errorf("the files take %d bytes, the limit of the log is %d", size, limit)
	}
	left, _, err := r.Logs(t.Context(), rest.LogQuery{Limit: 100})
	if err != nil || len(left) != 100 || !strings.Contains(left[0].Path, "newest") {
		t.Errorf("%d lines are left, the first %+v, %v", len(left), left[:min(1, len(left))], err)
	}
	if again, err := r.TrimLogs(t.Context(), limit); again != 0 || err != nil {
		t.Errorf("%d more went at once, %v", again, err)
	}
}

// countInFiles counts how often a text stands in the store's files.
func countInFiles(t *testing.T, dir, text string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		must(t, err)
		found := bytes.Count(content, []byte(text))
		t.Logf("%q stands %d times in %s (%d bytes)", text, found, filepath.Base(name), len(content))
		n += found
	}
	return n
}
