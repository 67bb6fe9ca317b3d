package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"parley/server/fault"
	"parley/server/store"
	"parley/shared/rest"
)

// raw is one of the files, opened past the store.
type raw struct {
	t  *testing.T
	db *sql.DB
}

func openRaw(t *testing.T, dir string) raw {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "control.db"))
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return raw{t, db}
}

func (r raw) ask(query string) (answer string) {
	r.t.Helper()
	must(r.t, r.db.QueryRow(query).Scan(&answer))
	return answer
}

func TestOnlyTheOwnerReadsTheFiles(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "telemetry.db"), nil, 0o644)) // somebody was there before
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	defer s.Close()
	must(t, fill(t.Context(), s, 1))
	found := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		found++
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return err
	}))
	if found != 6 { // two files, each with its log and index
		t.Errorf("%d files", found)
	}
	if s.Size() < 1<<16 {
		t.Errorf("%d bytes", s.Size())
	}
}

func TestHowSQLiteIsAsked(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	must(t, err)
	defer s.Close()
	for pragma, want := range map[string]struct{ writer, reader string }{
		"journal_mode": {"wal", "wal"},
		"synchronous":  {"2", "2"},
		"busy_timeout": {"1000", "1000"},
		"foreign_keys": {"1", "1"},
		"temp_store":   {"2", "2"},
		"mmap_size":    {"0", "0"},
		"query_only":   {"0", "1"},
	} {
		for reader, want := range map[bool]string{false: want.writer, true: want.reader} {
			if got, err := s.Ask(t.Context(), reader, "PRAGMA "+pragma); err != nil || got != want {
				t.Errorf("%s is %s (reader: %v), want %s, %v", pragma, got, reader, want, err)
			}
		}
	}
	// Versions before 3.51.3 can lose commits when the log begins anew.
	got, err := s.Ask(t.Context(), true, "SELECT sqlite_version() >= '3.51.3' AND sqlite_version() < '4'")
	if err != nil || got != "1" || !strings.HasPrefix(store.Engine, "SQLite 3.") {
		t.Errorf("%s, %v", store.Engine, err)
	}
}

func TestNoAuditLineIsChangedByAnybody(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	must(t, err)
	defer s.Close()
	for range 5 {
		_, err := s.AppendAudit(t.Context(), rest.AuditEntry{Actor: "ada"}, seal, nil)
		must(t, err)
	}
	columns := "id, seq, t, actor, actor_org, org, remote, action, target, outcome, reason, request_id, node, details, prev_hash, hash"
	copied := strings.Replace(strings.Replace(columns, "id, seq", "ID, SEQ", 1), "actor,", "'eve',", 1)
	as := func(id, seq string) string { return strings.NewReplacer("ID", id, "SEQ", seq).Replace(copied) }
	for name, query := range map[string]string{
		"change":                  "UPDATE audit SET actor = 'eve' WHERE seq = 3",
		"change the hash":         "UPDATE audit SET hash = '' WHERE seq = 5",
		"delete":                  "DELETE FROM audit WHERE seq = 3",
		"delete the first":        "DELETE FROM audit WHERE seq = 1",
		"delete the last":         "DELETE FROM audit WHERE seq = 5",
		"delete all":              "DELETE FROM audit",
		"replace by id":           "INSERT OR REPLACE INTO audit (" + columns + ") SELECT " + as("id", "6") + " FROM audit WHERE seq = 3",
		"replace by seq":          "INSERT OR REPLACE INTO audit (" + columns + ") SELECT " + as("id + 1000000", "3") + " FROM audit WHERE seq = 5",
		"upsert":                  "INSERT INTO audit (" + columns + ") SELECT " + columns + " FROM audit WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET actor = 'eve'",
		"leave a gap":             "INSERT INTO audit (" + columns + ") SELECT " + as("id + 1000000", "7") + " FROM audit WHERE seq = 5",
		"move the anchor, delete": "UPDATE audit_anchor SET seq = 3",
		"anchor past the end":     "UPDATE audit_anchor SET seq = 5, hash = (SELECT hash FROM audit WHERE seq = 5)",
		"anchor backwards":        "UPDATE audit_anchor SET seq = -1",
		"no anchor":               "DELETE FROM audit_anchor",
		"another anchor":          "INSERT OR REPLACE INTO audit_anchor VALUES (1, 3, '')",
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.Write(t.Context(), false, query); err == nil {
				t.Error("done")
			} else if errors.Is(err, fault.Unavailable) {
				t.Errorf("a refusal is no fault of the disk: %v", err)
			}
			if last, err := checkChain(t.Context(), s); err != nil || last != 5 {
				t.Errorf("%d lines, %v", last, err)
			}
		})
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	for _, name := range []string{"control.db", "telemetry.db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := store.Open(t.Context(), dir, store.Options{})
			must(t, err)
			must(t, s.Write(t.Context(), name == "telemetry.db", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"))
			must(t, s.Close())
			if s, err := store.Open(t.Context(), dir, store.Options{}); !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "99") {
				t.Errorf("%v, %v", s, err)
			}
			if name == "control.db" {
				if l, err := store.OpenAuditReader(t.Context(), dir); !errors.Is(err, store.ErrNewerSchema) {
					t.Errorf("%v, %v", l, err)
				}
			}
		})
	}
}

func TestWhatIsNoDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "control.db"), []byte(strings.Repeat("no database\n", 1000)), 0o600))
	if s, err := store.Open(t.Context(), dir, store.Options{}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := store.Open(t.Context(), filepath.Join(dir, "nowhere"), store.Options{}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := store.Open(t.Context(), t.TempDir(), store.Options{NodeID: store.MaxNodeID + 1}); err == nil {
		t.Errorf("%v with a node that has no room in an id", s)
	}
}

func TestADirectoryOfAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%20?c#d&mode=ro")
	must(t, os.Mkdir(dir, 0o700))
	s, err := store.Open(t.Context(), dir, store.Options{})
	must(t, err)
	must(t, fill(t.Context(), s, 1))
	must(t, s.Close())
	if _, err := os.Stat(filepath.Join(dir, "control.db")); err != nil {
		t.Error(err)
	}
	if s.Healthy(t.Context()) == nil {
		t.Error("healthy, though closed")
	}
}

// Nobody reads or writes for longer than Patience, and who waits for a writer
// that does is told in time.
func TestReadsAndWritesAreBounded(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	for name, slow := range map[string]func(context.Context) error{"read": s.SlowRead, "write": s.SlowWrite} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := slow(t.Context())
			if took := time.Since(began); took < store.Patience || took > store.Patience+time.Second {
				t.Errorf("it took %v", took)
			}
			if !errors.Is(err, fault.Unavailable) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("behind a writer", func(t *testing.T) {
		hold, release := context.WithCancel(t.Context())
		held := make(chan error, 1)
		go func() { held <- s.SlowWrite(hold) }()
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var err error
		for err == nil { // until the other one holds it
			err = s.AppendLogs(short, []rest.LogEntry{{}})
		}
		if !errors.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
		// Audit has its own file, and waits for nobody there.
		if _, err := s.AppendAudit(t.Context(), rest.AuditEntry{}, seal, nil); err != nil {
			t.Error(err)
		}
		release()
		if err := <-held; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		must(t, s.AppendLogs(t.Context(), []rest.LogEntry{{}}))
	})
	t.Run("asked how it is", func(t *testing.T) {
		hold, release := context.WithCancel(t.Context())
		held := make(chan error, 1)
		go func() { held <- s.SlowWrite(hold) }()
		for len(held) == 0 {
			began := time.Now()
			s.Healthy(t.Context())
			if took := time.Since(began); took > store.Patience+time.Second {
				t.Errorf("it took %v", took)
			}
		}
		release()
		<-held
	})
}
