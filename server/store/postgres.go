package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pressly/goose/v3"

	"parley/server/fault"
	"parley/server/store/postgres"
)

// The schemas of a database: what the two files are.
const (
	controlSchema   = "parley_control"
	telemetrySchema = "parley_telemetry"
)

// stepRows is how many rows one step of deleting takes: nobody waits for it but who wants
// these rows, and every step is a transaction of several messages.
const stepRows = 500

// schema is the engine of one schema of PostgreSQL.
type schema struct {
	*database
	*postgres.Schema
	serving *postgres.Serving // nil where it was opened to be read
}

func newSchema(name string, s *postgres.Schema) *schema {
	made := &schema{database: &database{name: name, writer: s.Writer, reader: s.Reader, stepRows: stepRows}, Schema: s}
	made.engine, made.room = made, made
	return made
}

// OpenPostgres opens the store in a database of PostgreSQL, makes or migrates its schemas
// while other servers wait, and ends the sessions that a server before this one left open.
// It refuses a database that another server uses, but for nodes of one cluster
// (Options.IsShared): those end by JoinCluster and ReapNodes what a dead one left open.
func OpenPostgres(ctx context.Context, a postgres.Address, o Options) (*Store, error) {
	return openStore(ctx, o, func(s *Store) error { return s.openSchemas(ctx, a, o.IsShared) })
}

func (s *Store) openSchemas(ctx context.Context, a postgres.Address, isShared bool) error {
	if err := a.Check(ctx); err != nil {
		return classify("connecting", err)
	}
	control, err := openMigratedSchema(ctx, a, controlSchema, "control")
	if err != nil {
		return err
	}
	s.control = control.database
	if control.serving, err = control.Serve(ctx, isShared); err != nil {
		return classify("taking the database", err)
	}
	telemetry, err := openMigratedSchema(ctx, a, telemetrySchema, "telemetry")
	if err != nil {
		return err
	}
	telemetry.serving = control.serving
	s.telemetry = telemetry.database
	s.space, s.bulk = telemetry, telemetry
	return nil
}

func openMigratedSchema(ctx context.Context, a postgres.Address, name, folder string) (*schema, error) {
	files, err := migrationFiles("postgres", folder)
	if err != nil {
		return nil, err
	}
	s, err := postgres.OpenSchema(ctx, a, name, func(ctx context.Context, db *sql.DB) error {
		return migrate(ctx, goose.DialectPostgres, db, files)
	})
	if err != nil {
		return nil, classify("opening "+name, err)
	}
	return newSchema(name, s), nil
}

// OpenPostgresAuditReader is OpenAuditReader of a database of PostgreSQL.
func OpenPostgresAuditReader(ctx context.Context, a postgres.Address) (*AuditReader, error) {
	if err := a.Check(ctx); err != nil {
		return nil, classify("connecting", err)
	}
	l := &AuditReader{control: newSchema(controlSchema, postgres.OpenSchemaToRead(a, controlSchema)).database, mask: unmasked{}}
	if err := l.fits(ctx, "postgres"); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (s *schema) check(ctx context.Context) error {
	return classify("looking whether the database is still ours", s.serving.Check(ctx))
}

func (s *schema) size(ctx context.Context) (int64, error) {
	n, err := s.Size(ctx, "%")
	return n, classify("measuring "+s.name, err)
}

func (s *schema) hasDeleted(ctx context.Context) (bool, error) {
	is, err := s.HasDeleted(ctx)
	return is, classify("looking for deleted rows", err)
}

func (s *schema) erase(ctx context.Context, most int64) error {
	return classify("erasing", s.Erase(ctx, "%", most))
}

func (s *schema) release() error {
	if s.serving == nil {
		return nil
	}
	return errors.Join(s.serving.Close(), s.Close())
}

func (s *schema) lockChain(ctx context.Context, tx *sql.Tx) error { return postgres.LockChain(ctx, tx) }

func (s *schema) lockName(ctx context.Context, tx *sql.Tx, name string) error {
	return postgres.LockName(ctx, tx, name)
}

func (*schema) clock(func() time.Time) string { return postgres.Clock }

// logTypes are the types of logColumns.
var logTypes = map[string]string{"id": "bigint", "t": "bigint", "status": "bigint", "duration_us": "bigint", "person_id": "bigint", "bytes": "bigint", "count": "bigint"}

func (s *schema) insertLogs(ctx context.Context, tx *sql.Tx, values []any) error {
	types := make([]string, len(logColumns))
	for i, column := range logColumns {
		types[i] = "text"
		if number, ok := logTypes[column]; ok {
			types[i] = number
		}
	}
	for i := 0; i < len(values); i += len(logColumns) {
		if err := s.makePlace(ctx, "log", values[i].(int64)); err != nil {
			return err
		}
	}
	err := postgres.Insert(ctx, tx, "log", logColumns, types, values)
	if postgres.HasNoPlace(err) {
		s.ForgetPlaces() // for the next attempt
		return fmt.Errorf("%w: a day's partition went meanwhile: %w", fault.Unavailable, err)
	}
	return err
}

func (s *schema) makePlace(ctx context.Context, table string, id int64) error {
	return s.MakePlace(ctx, table, id)
}

func (s *schema) dropBelow(ctx context.Context, table string, id int64) (int64, error) {
	n, err := s.DropBelow(ctx, table, id)
	return n, classify("dropping days of "+table, err)
}

// checkRoom refuses nothing: the disk is another machine's, who says itself that it is full.
func (*schema) checkRoom(context.Context) error { return nil }

func (*schema) diskUsed() float64 { return 0 }

// logTables are the access log and its partitions.
const logTables = `log\_d%`

func (s *schema) shareToKeep(ctx context.Context, maxBytes int64) (float64, error) {
	size, err := s.Size(ctx, logTables)
	if err == nil && size > maxBytes { // perhaps only of lines that are gone: of whatever size, or more lines would go
		if err = s.Erase(ctx, logTables, math.MaxInt64); err == nil {
			size, err = s.Size(ctx, logTables)
		}
	}
	if err != nil || size <= maxBytes {
		return 1, classify("measuring the access log", err)
	}
	return float64(maxBytes) * trimTo / float64(size), nil
}

// kindOfPostgres gives the kind of an error of PostgreSQL's driver.
func kindOfPostgres(err error) error {
	switch {
	case postgres.IsFull(err):
		return ErrFull
	case postgres.IsAway(err), errors.Is(err, postgres.ErrTaken):
		return fault.Unavailable
	case postgres.IsRefused(err):
		return errBroken
	}
	return nil
}
