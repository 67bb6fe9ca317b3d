package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley/server/audit"
)

type auditCommand struct {
	Verify verifyCommand `cmd:"" help:"Check the audit log's hash chain; exit 1 and the first broken entry if it is broken."`
}

type verifyCommand struct {
	databaseFlag

	DataDir string `default:"./parley-data" type:"path" help:"The server's data directory; the server may be running."`
}

// errBroken is the answer of a check that found something; what it found is
// printed.
var errBroken = errors.New("the audit log is not what it was")

// Validate holds the address against its form; kong calls it after parsing.
func (c *verifyCommand) Validate() error { return c.check() }

// Run reads the whole log and says whether every line is the one that was
// written.
func (c *verifyCommand) Run(ctx context.Context, out io.Writer) (err error) {
	reader, err := c.openAuditReader(ctx, c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	checkpoint, err := audit.HeadIn(c.DataDir).Load()
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	report, err := audit.Check(ctx, reader, checkpoint)
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	if _, err := fmt.Fprintln(out, report); err != nil {
		return err
	}
	if !report.Intact() {
		return errBroken
	}
	return nil
}
