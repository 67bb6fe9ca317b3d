package store_test

import (
	"bytes"
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
