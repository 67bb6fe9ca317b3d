package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"

	"parley/server/audit"
	"parley/server/store"
	"parley/server/store/postgres"
)

type databaseCommand struct {
	Copy databaseCopyCommand `cmd:"" help:"Copy the record of a data directory, with no server on it, into an empty database of PostgreSQL."`
}

// databaseCopyCommand carries a record from files over to PostgreSQL.
type databaseCopyCommand struct {
	DataDir  string `default:"./parley-data" type:"path" help:"The data directory that has the record; no server may be running on it."`
	Database string `required:"" help:"The empty database: postgres://USER@HOST/NAME. The password comes by ~/.pgpass, PGPASSFILE or PGPASSWORD."`
}

// Validate holds the address against its form; kong calls it after parsing.
func (c *databaseCopyCommand) Validate() error { return databaseFlag{c.Database}.check() }

// Run copies and checks, and only then notes in the directory where its record is.
func (c *databaseCopyCommand) Run(ctx context.Context, out io.Writer) (err error) {
	address, err := postgres.ParseAddress(c.Database)
	if err != nil {
		return usage("--database: %w", err)
	}
	if err := c.checkSource(); err != nil {
		return err
	}
	dir, err := openDataDir(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	noted, err := audit.HeadIn(dir.path).Load()
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	head, err := c.copyRecord(ctx, address, noted, out)
	if err != nil {
		return err
	}
	report, err := checkCopy(ctx, address, noted, head)
	if err != nil {
		return fmt.Errorf("--database: %w", err)
	}
	if err := noteDatabase(dir, address); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "There the %s.\nStart the server with --data-dir %s --database %s. %s and its neighbor stay as they are; "+
		"nothing in them is deleted any more when its time is past: remove them once the server is well.\n",
		report, c.DataDir, c.Database, filepath.Join(c.DataDir, store.ControlName))
	return err
}

// checkSource refuses a directory that has no record in files.
func (c *databaseCopyCommand) checkSource() error {
	elsewhere, err := databaseOf(c.DataDir)
	if err == nil && elsewhere != "" {
		err = fmt.Errorf("its record is in PostgreSQL already, at %s", elsewhere)
	}
	if err == nil {
		if _, err = os.Stat(filepath.Join(c.DataDir, store.ControlName)); errors.Is(err, fs.ErrNotExist) {
			err = errors.New("there is no record in it")
		}
	}
	if err != nil {
		return fmt.Errorf("--data-dir %s: %w", c.DataDir, err)
	}
	return nil
}

// copyRecord brings the files up to date as a start does, holds their audit log against
// its hashes, and copies them. It returns the log's end.
func (c *databaseCopyCommand) copyRecord(ctx context.Context, to postgres.Address, noted audit.Head, out io.Writer) (head audit.Head, err error) {
	s, err := store.Open(ctx, c.DataDir, store.Options{Node: hostname(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return head, fmt.Errorf("--data-dir %s: %w", c.DataDir, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err := audit.Check(ctx, s, noted)
	if err != nil {
		return head, fmt.Errorf("--data-dir %s: %w", c.DataDir, err)
	}
	if !report.Intact() {
		return head, fmt.Errorf("--data-dir %s: nothing was copied: %s", c.DataDir, report)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	err = s.CarryOver(ctx, to, func(name string, rows int64) { fmt.Fprintf(table, "%d\trows of %s\n", rows, name) })
	if err != nil {
		return head, fmt.Errorf("--database: nothing was copied: %w", err)
	}
	return report.Head, table.Flush()
}

// checkCopy reads the copy's audit log through, which must end as the first does.
func checkCopy(ctx context.Context, to postgres.Address, noted ...audit.Head) (report audit.Report, err error) {
	reader, err := store.OpenPostgresAuditReader(ctx, to)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	report, err = audit.Check(ctx, reader, noted...)
	if err == nil && !report.Intact() {
		err = fmt.Errorf("the copy is not what it should be, take another database: %s", report)
	}
	return report, err
}

// noteDatabase writes into the directory where its record is.
func noteDatabase(dir *dataDir, address postgres.Address) error {
	if err := os.WriteFile(filepath.Join(dir.path, databaseFile), []byte(address.String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	return nil
}
