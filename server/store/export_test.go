package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"parley/server/store/postgres"
	"parley/shared/rest"
)

// Pack packs a chunk's seconds.
func Pack(t testing.TB, c rest.QualityChunk) []byte {
	seconds, err := secondsOf(&c)
	if err != nil {
		t.Fatal(err)
	}
	packer, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer packer.close()
	return packer.pack(seconds)
}

// Unpack tells how many seconds are in a packed chunk.
func Unpack(t testing.TB, packed []byte) (int, error) {
	packer, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer packer.close()
	seconds, err := packer.unpack(packed)
	return len(seconds), err
}

// Migrate opens one file and takes it through steps of a test's own.
func Migrate(ctx context.Context, path string, steps fs.FS) error {
	f, err := openFile(ctx, path, walPages)
	if err != nil {
		return err
	}
	defer f.close()
	return migrate(ctx, goose.DialectSQLite3, f.writer, steps)
}

// Write runs SQL on one of the store's files, as somebody with a shell could.
func (s *Store) Write(ctx context.Context, telemetry bool, query string) error {
	d := s.control
	if telemetry {
		d = s.telemetry
	}
	return d.write(ctx, "testing", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
}

// Ask reads one text.
func (s *Store) Ask(ctx context.Context, reader bool, query string) (answer string, err error) {
	db := s.control.writer
	if reader {
		db = s.control.reader
	}
	return answer, db.QueryRowContext(ctx, query).Scan(&answer)
}

// Texts reads texts from both databases.
func (s *Store) Texts(ctx context.Context, query string) (found []string, err error) {
	for _, d := range []*database{s.control, s.telemetry} {
		err = errors.Join(err, d.read(ctx, "testing", query, nil, func(r rowScanner) error {
			var text string
			err := r.Scan(&text)
			found = append(found, text)
			return err
		}))
	}
	return found, err
}

// SlowRead runs a query on the readers that goes on until it is cancelled.
func (s *Store) SlowRead(ctx context.Context) error {
	return s.telemetry.read(ctx, "counting for ever",
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0", nil, func(rowScanner) error { return nil })
}

// SlowWrite holds the writer until it is cancelled.
func (s *Store) SlowWrite(ctx context.Context) error {
	return s.telemetry.write(ctx, "counting for ever", func(ctx context.Context, tx *sql.Tx) error {
		var n int
		return tx.QueryRowContext(ctx, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0").Scan(&n)
	})
}

// SlowLogs is Logs with a filter that one line in ten fits, and that counts to
// steps for each of them: a search takes as long where lines are by the million.
func (s *Store) SlowLogs(ctx context.Context, steps int, cursor string, n int) ([]rest.LogEntry, string, error) {
	var f filter
	ids, err := f.between("log.t", time.Time{}, time.Time{}, cursor)
	if err != nil {
		return nil, "", err
	}
	f.add(`(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ? + log.id % 2) SELECT max(i) FROM n) > 0`, steps)
	f.add("log.bytes % 10 = 0")
	var entries []rest.LogEntry
	next, err := s.logTable().walk(ctx, &f, ids, n, func(r rowScanner) (int64, error) {
		e, err := scanLog(r)
		if err == nil {
			entries = append(entries, e)
		}
		return e.ID, err
	})
	return entries, next, err
}

// ClearUnused is what a page loses.
var ClearUnused = clearUnused

// EmptyLogs folds the write-ahead logs into the files.
func (s *Store) EmptyLogs(ctx context.Context) error {
	return errors.Join(s.control.engine.(*file).emptyLog(ctx), s.telemetry.engine.(*file).emptyLog(ctx))
}

// CheckTelemetry has SQLite check the file of the access log.
func (s *Store) CheckTelemetry(ctx context.Context) (answer string, err error) {
	return answer, s.telemetry.writer.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&answer)
}

// Dump gives all rows of all that is carried over, as PostgreSQL can hold them, by database
// and table; the
// tables are those of another store where this one's engine can't tell.
func (s *Store) Dump(ctx context.Context, like *Store) (map[string][]string, error) {
	all := make(map[string][]string)
	for name, of := range map[string][2]*database{"control": {s.control, like.control}, "telemetry": {s.telemetry, like.telemetry}} {
		tables, err := of[1].carriedTables(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			key, values := name+"."+t.name, make([]any, len(t.columns))
			all[key] = []string{}
			into := make([]any, len(values))
			for i := range values {
				into[i] = &values[i]
			}
			err := of[0].read(ctx, "testing", "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name, nil, func(r rowScanner) error {
				err := r.Scan(into...)
				for i, v := range values {
					if text, ok := v.(string); ok {
						values[i] = postgres.Storable(text)
					}
				}
				all[key] = append(all[key], fmt.Sprintf("%#v", values))
				return err
			})
			if err != nil {
				return nil, err
			}
			slices.Sort(all[key])
		}
	}
	return all, nil
}

// FillTables adds a row to each table that has none, made up from its columns' types.
func (s *Store) FillTables(ctx context.Context) error {
	for _, d := range []*database{s.control, s.telemetry} {
		tables, err := d.carriedTables(ctx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if t.rows > 0 {
				continue
			}
			query := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ") + ")"
			types, err := textsFrom(ctx, d.reader, "SELECT type FROM pragma_table_info(?) ORDER BY cid", t.name)
			if err != nil {
				return err
			}
			values := make([]any, len(types))
			for i, kind := range types {
				values[i] = map[string]any{"INTEGER": 1, "BIGINT": int64(1), "TEXT": "ü" + t.columns[i], "BLOB": []byte{0, 255}, "DOUBLE PRECISION": 1.25}[kind]
			}
			if _, err := d.writer.ExecContext(ctx, query, values...); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}
