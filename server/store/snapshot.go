package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"modernc.org/sqlite"

	"parley/server/fault"
)

// folderOf names the migrations of each file.
var folderOf = map[string]string{ControlName: "control", telemetryName: "telemetry"}

// IsDatabaseFile tells the names that the store has in its directory: those of the
// files, and of what SQLite keeps beside them.
func IsDatabaseFile(name string) bool {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if name == ControlName+suffix || name == telemetryName+suffix {
			return true
		}
	}
	return false
}

// Snapshot is the store's files as they were when it was opened, whatever a server
// writes to them meanwhile. It keeps their logs from shrinking until it is closed.
type Snapshot struct {
	files []*snapshotFile
}

// snapshotFile is one file with a read transaction that has begun.
type snapshotFile struct {
	*file
	name   string
	conn   *sql.Conn
	schema int64
}

// OpenSnapshot holds on to the files of a directory, also while a server in another
// process uses them. Those of a newer version can't be judged, and are refused.
//
// telemetry.db comes first: what it has of a session is never without the session.
func OpenSnapshot(ctx context.Context, dir string) (_ *Snapshot, err error) {
	s := new(Snapshot)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, name := range []string{telemetryName, ControlName} {
		f, err := openToRead(filepath.Join(dir, name))
		if err != nil {
			return s, err
		}
		held := &snapshotFile{file: f, name: name}
		s.files = append(s.files, held)
		if err := held.begin(ctx); err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, CheckSchemas(s.Schemas())
}

// begin starts the transaction; the first read decides what it sees.
func (f *snapshotFile) begin(ctx context.Context) (err error) {
	if f.conn, err = f.reader.Conn(ctx); err != nil {
		return classify("opening", err)
	}
	if _, err = f.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return classify("beginning to read", err)
	}
	err = f.conn.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&f.schema)
	return classify("reading the schema's version", err)
}

// Schemas are the versions of the files' schemas, by the files' names.
func (s *Snapshot) Schemas() map[string]int64 {
	schemas := make(map[string]int64, len(s.files))
	for _, f := range s.files {
		schemas[f.name] = f.schema
	}
	return schemas
}

// copyPages are copied between two looks at whether somebody wants it to stop: 4 MB.
const copyPages = 1000

// Copy writes the files into another directory, each as a whole: it has its own name
// only once it is on the disk and was read through.
func (s *Snapshot) Copy(ctx context.Context, dir string) error {
	if err := s.checkRoom(dir); err != nil {
		return err
	}
	for _, f := range s.files {
		partial := filepath.Join(dir, f.name+".partial")
		err := create(partial)
		if err == nil {
			err = f.copyTo(ctx, partial)
		}
		if err == nil {
			err = finishCopy(ctx, partial)
		}
		if err == nil {
			err = os.Rename(partial, filepath.Join(dir, f.name))
		}
		if err != nil {
			return fmt.Errorf("copying %s: %w", f.name, err)
		}
	}
	return nil
}

// checkRoom refuses to fill a disk, which may be the server's own: what the audit log
// needs stays free.
func (s *Snapshot) checkRoom(dir string) error {
	free, all, known := DiskOf(dir)
	need := min(DefaultDiskReserve, all/4)
	for _, f := range s.files {
		size, err := f.size(context.Background())
		if err != nil {
			return err
		}
		need += size
	}
	if known && free < need {
		return fmt.Errorf("%w in %s: %d MB are free, %d MB are needed", ErrFull, dir, free>>20, (need>>20)+1)
	}
	return nil
}

// copyTo copies the pages that the transaction sees.
func (f *snapshotFile) copyTo(ctx context.Context, path string) error {
	return f.conn.Raw(func(conn any) error {
		source, ok := conn.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("%w: the driver copies no databases", fault.Unavailable)
		}
		backup, err := source.NewBackup(path)
		if err != nil {
			return classify("copying", err)
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = backup.Step(copyPages)
			}
		}
		return classify("copying", cmp.Or(err, backup.Finish()))
	})
}

// finishCopy makes one file of a copy, without a log beside it, and reads it through.
func finishCopy(ctx context.Context, path string) (err error) {
	f := newFile(path)
	if f.writer, err = f.connect(commonOptions(cacheKiB)); err != nil {
		return err
	}
	f.writer.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, f.close()) }()
	var mode, result string
	if err := f.writer.QueryRowContext(ctx, "PRAGMA journal_mode=DELETE").Scan(&mode); err != nil {
		return classify("closing the copy", err)
	}
	if err := f.writer.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return classify("reading the copy", err)
	}
	if result != "ok" {
		return fmt.Errorf("%w: the copy is damaged: %s", fault.Unavailable, result)
	}
	return syncFile(path)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close lets go of the files.
func (s *Snapshot) Close() error {
	var errs []error
	for _, f := range s.files {
		if f.conn != nil {
			_, err := f.conn.ExecContext(context.Background(), "ROLLBACK")
			errs = append(errs, ignoreBadConn(err), f.conn.Close())
		}
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

// ignoreBadConn: a connection that is gone has nothing to roll back.
func ignoreBadConn(err error) error {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// CheckSchemas refuses versions of files' schemas that this program has no step for.
func CheckSchemas(schemas map[string]int64) error {
	for _, name := range slices.Sorted(maps.Keys(folderOf)) {
		files, err := migrationFiles("sqlite", folderOf[name])
		if err != nil {
			return err
		}
		newest, err := newestIn(files)
		if err == nil {
			err = checkKnownVersion(schemas[name], newest)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
