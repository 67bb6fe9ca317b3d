package store_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"parley/server/store"
	"parley/shared/rest"
)

// fillControl writes as much to control.db as takes several rounds of copying: 6 MB, in steps
// that a busy machine takes in time, too.
func fillControl(t *testing.T, s *store.Store) {
	t.Helper()
	must(t, s.Write(t.Context(), false, "CREATE TABLE filled (text TEXT NOT NULL)"))
	for range 12 {
		must(t, s.Write(t.Context(), false, `INSERT INTO filled WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500)
			SELECT hex(randomblob(500)) FROM n`))
	}
}

// TestASnapshotIsOfTheMomentItWasOpened, whatever another process writes before it is
// copied, and while it is.
func TestASnapshotIsOfTheMomentItWasOpened(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	fillControl(t, s)
	must(t, s.Close())
	c := start(t, "audit", dir)
	acknowledged := seqOf(t, c)
	held, err := store.OpenSnapshot(t.Context(), dir)
	must(t, err)
	defer func() { must(t, held.Close()) }()
	reader, err := store.OpenAuditReader(t.Context(), dir)
	must(t, err)
	defer func() { must(t, reader.Close()) }()
	opened := newestSeq(t, reader) // or what came just after
	for newestSeq(t, reader) < opened+20 {
		c.says(t, "seq ")
	}
	must(t, held.Copy(t.Context(), to))
	c.kill(t)
	names, err := os.ReadDir(to)
	if err != nil || len(names) != 2 {
		t.Errorf("%v, %v: want the two files and nothing beside them", names, err)
	}
	l, err := store.Open(t.Context(), to, store.Options{})
	must(t, err)
	defer func() { must(t, l.Close()) }()
	last, err := checkChain(t.Context(), l)
	must(t, err)
	if last < acknowledged || last > opened {
		t.Errorf("line %d is the last; %d was acknowledged before, %d was there after", last, acknowledged, opened)
	}
	revoked, err := l.RevokedTokens(t.Context())
	if err != nil || int64(len(revoked)) != last {
		t.Errorf("%d changes for %d lines, %v", len(revoked), last, err)
	}
}

func seqOf(t *testing.T, c *aChild) int64 {
	t.Helper()
	seq, err := strconv.ParseInt(c.says(t, "seq "), 10, 64)
	must(t, err)
	return seq
}

func newestSeq(t *testing.T, reader *store.AuditReader) int64 {
	t.Helper()
	lines, _, err := reader.Audit(t.Context(), rest.AuditQuery{Limit: 1})
	if err != nil || len(lines) != 1 {
		t.Fatalf("%v, %v", lines, err)
	}
	return lines[0].Seq
}

func TestASnapshotOfANewerSchemaOrOfNothingIsRefused(t *testing.T) {
	if _, err := store.OpenSnapshot(t.Context(), t.TempDir()); err == nil {
		t.Error("of an empty directory")
	}
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	must(t, s.Write(t.Context(), true, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"))
	must(t, s.Close())
	if _, err := store.OpenSnapshot(t.Context(), dir); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("of a newer one: %v", err)
	}
}

// TestADamagedFileIsNotCopied: a backup that can't be read is none.
func TestADamagedFileIsNotCopied(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	fillControl(t, s)
	must(t, s.Close())
	path := filepath.Join(dir, "control.db")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	info, err := f.Stat()
	must(t, err)
	_, err = f.WriteAt(make([]byte, 64<<10), info.Size()/2)
	must(t, errors.Join(err, f.Close()))
	held, err := store.OpenSnapshot(t.Context(), dir)
	must(t, err)
	defer func() { must(t, held.Close()) }()
	if err := held.Copy(t.Context(), to); err == nil {
		t.Error("copied")
	}
	if _, err := os.Stat(filepath.Join(to, "control.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("under its own name: %v", err)
	}
}

// TestSchemasOfThisVersionAreKnown, and none beyond.
func TestSchemasOfThisVersionAreKnown(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	must(t, s.Close())
	held, err := store.OpenSnapshot(t.Context(), dir)
	must(t, err)
	schemas := held.Schemas()
	must(t, held.Close())
	must(t, store.CheckSchemas(schemas))
	for name := range schemas {
		next := maps.Clone(schemas)
		next[name]++
		if err := store.CheckSchemas(next); !errors.Is(err, store.ErrNewerSchema) {
			t.Errorf("a step further, %s: %v", name, err)
		}
	}
}
