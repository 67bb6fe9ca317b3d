package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/server/store"
	"parley/server/store/postgres"
)

// databaseFile says, in a data directory whose record is in PostgreSQL, where that is: who
// forgets the flag would begin an empty record beside it.
const databaseFile = "database"

// databaseWaitFlag is for a start alone. A minute is less than service managers wait for the
// server (90 s).
type databaseWaitFlag struct {
	DatabaseWait time.Duration `default:"1m" help:"Wait this long at the start for a --database that starts, too, as after a power cut (0s to 1h)."`
}

// databaseFlag says where the record is, if not in the data directory.
type databaseFlag struct {
	Database string `help:"Database of PostgreSQL 15 or newer for the record, in place of files in the data directory: postgres://USER@HOST/NAME. The password comes by ~/.pgpass, PGPASSFILE or PGPASSWORD."`
}

func (f databaseFlag) check() error {
	if f.Database == "" {
		return nil
	}
	if _, err := postgres.ParseAddress(f.Database); err != nil {
		return fmt.Errorf("--database: %w", err)
	}
	return nil
}

// databaseOf returns what the file in a data directory says; "" where there is none.
func databaseOf(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// checkIsMeant refuses to begin a second record of a data directory elsewhere.
func (f databaseFlag) checkIsMeant(dir string) error {
	elsewhere, err := databaseOf(dir)
	switch {
	case err != nil:
		return fmt.Errorf("--data-dir: %w", err)
	case f.Database == "" && elsewhere != "":
		return fmt.Errorf("the record of %s is in PostgreSQL at %s: write --database postgres://USER@%s", dir, elsewhere, elsewhere)
	case f.Database != "" && elsewhere == "":
		if _, err := os.Stat(filepath.Join(dir, store.ControlName)); err == nil {
			return fmt.Errorf("--database: the record of %s is in its files: copy it into the database with parley database copy --data-dir %[1]s --database …, name another --data-dir for a new record, or leave --database out", dir)
		}
	}
	return nil
}

// openStore opens the record, in a folder of the data directory or in the database.
func (c *serveCommand) openStore(ctx context.Context, dir *dataDir, path string, o store.Options) (*store.Store, error) {
	if err := c.checkIsMeant(dir.path); err != nil {
		return nil, err
	}
	if c.Database == "" {
		s, err := store.Open(ctx, path, o)
		if err != nil {
			return nil, fmt.Errorf("--data-dir %s: %w", dir.path, err)
		}
		return s, nil
	}
	address, err := postgres.ParseAddress(c.Database)
	if err != nil {
		return nil, usage("--database: %w", err)
	}
	if err := waitForDatabase(ctx, address, c.DatabaseWait, o.Logger); err != nil {
		return nil, fmt.Errorf("--database: %w", err)
	}
	s, err := store.OpenPostgres(ctx, address, o)
	if err != nil {
		return nil, fmt.Errorf("--database: %w", err)
	}
	if err := noteDatabase(dir, address); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// databaseAskEvery is how often a start asks whether the database has come.
const databaseAskEvery = time.Second

// waitForDatabase returns once the database answers, or why it doesn't: at once where that
// is no matter of time.
func waitForDatabase(ctx context.Context, address postgres.Address, most time.Duration, log *slog.Logger) error {
	for began := time.Now(); ; {
		err := address.Check(ctx)
		if err == nil || !postgres.IsStarting(err) || time.Since(began) >= most {
			return err
		}
		log.Warn("waiting for the database", "event", "database", "err", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(databaseAskEvery):
		}
	}
}

// openAuditReader opens the audit log of a data directory, or of its database.
func (f databaseFlag) openAuditReader(ctx context.Context, dir string) (*store.AuditReader, error) {
	if err := f.checkIsMeant(dir); err != nil {
		return nil, err
	}
	if f.Database == "" {
		reader, err := store.OpenAuditReader(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("--data-dir: %w", err)
		}
		return reader, nil
	}
	address, err := postgres.ParseAddress(f.Database)
	if err != nil {
		return nil, usage("--database: %w", err)
	}
	reader, err := store.OpenPostgresAuditReader(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("--database: %w", err)
	}
	return reader, nil
}

// checkInFiles refuses to copy the files of a record that is in PostgreSQL, and says what
// copies it.
func checkInFiles(dir string) error {
	elsewhere, err := databaseOf(dir)
	if err != nil || elsewhere == "" {
		return err
	}
	return fmt.Errorf("the record of %s is in PostgreSQL at %s, which its own tools copy: first this directory (it has the keys), then pg_dump --format=custom --schema='parley_*' --file=parley.dump postgres://USER@%s; pg_restore puts it into an empty database",
		dir, elsewhere, elsewhere)
}
