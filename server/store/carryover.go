package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/server/store/postgres"
)

// ErrNotEmpty: a record is carried over into an empty database alone.
var ErrNotEmpty = errors.New("the database isn't empty")

// seeded are the tables that migrations put rows into: with all others empty they are as
// they were born.
var seeded = []string{"audit_anchor", "version"}

// carriedTable is a table as both engines have it.
type carriedTable struct {
	name    string
	columns []string
	rows    int64 // here
}

// carriedSchema is one of the two databases, here and there.
type carriedSchema struct {
	name   string
	from   *database
	to     *schema
	tables []carriedTable
}

// CarryOver copies all that the store keeps into an empty database of PostgreSQL, all of it
// or nothing, and calls told for each table. It refuses a database that isn't empty, but
// for one that has just this record: what was broken off after the last step is done.
// Nobody may write to the store or to the database meanwhile.
func (s *Store) CarryOver(ctx context.Context, a postgres.Address, told func(table string, rows int64)) (err error) {
	if err := a.Check(ctx); err != nil {
		return classify("connecting", err)
	}
	schemas := []*carriedSchema{{name: controlSchema, from: s.control}, {name: telemetrySchema, from: s.telemetry}}
	for i, folder := range []string{"control", "telemetry"} {
		c := schemas[i]
		if c.to, err = openMigratedSchema(ctx, a, c.name, folder); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.to.Close(), c.to.close()) }()
		if c.tables, err = c.from.carriedTables(ctx); err != nil {
			return err
		}
	}
	serving, err := schemas[0].to.Serve(ctx, false)
	if err != nil {
		return classify("taking the database", err)
	}
	defer func() { err = errors.Join(err, serving.Close()) }()
	if full, err := firstFull(ctx, schemas); err != nil {
		return err
	} else if full != "" {
		return checkIsSame(ctx, schemas, full, told)
	}
	return classify("carrying the record over", load(ctx, a, schemas, told))
}

// carriedTables are all tables but what only says that the database can be written.
func (d *database) carriedTables(ctx context.Context) (found []carriedTable, err error) {
	names, err := textsFrom(ctx, d.reader, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
		AND name NOT IN ('goose_db_version', 'probe') ORDER BY name`)
	for _, name := range names {
		t := carriedTable{name: name}
		if t.columns, err = textsFrom(ctx, d.reader, "SELECT name FROM pragma_table_info(?) ORDER BY cid", name); err != nil {
			return nil, err
		}
		if t.rows, err = countRows(ctx, d.reader, name); err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, err
}

// textsFrom reads texts for as long as that takes.
func textsFrom(ctx context.Context, db *sql.DB, query string, args ...any) (found []string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		found = append(found, text)
	}
	return found, rows.Err()
}

func countRows(ctx context.Context, db *sql.DB, table string) (n int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}

// firstFull names a table there that has rows; "" if none has.
func firstFull(ctx context.Context, schemas []*carriedSchema) (string, error) {
	for _, c := range schemas {
		for _, t := range c.tables {
			if slices.Contains(seeded, t.name) {
				continue
			}
			var isFull bool
			if err := c.to.Reader.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM "+t.name+")").Scan(&isFull); err != nil {
				return "", classify("looking whether the database is empty", err)
			}
			if isFull {
				return t.name, nil
			}
		}
	}
	return "", nil
}

// checkIsSame refuses a database that has anything but this record: as many rows in each
// table, and the same end of the audit log.
func checkIsSame(ctx context.Context, schemas []*carriedSchema, full string, told func(string, int64)) error {
	refused := fmt.Errorf("%w: its %s has rows: make another one (createdb) for this record", ErrNotEmpty, full)
	const head = "SELECT hash FROM audit ORDER BY seq DESC LIMIT 1"
	here, err := textsFrom(ctx, schemas[0].from.reader, head)
	if err != nil {
		return classify("reading the audit log", err)
	}
	there, err := textsFrom(ctx, schemas[0].to.Reader, head)
	if err != nil {
		return classify("reading the audit log", err)
	}
	if !slices.Equal(here, there) {
		return refused
	}
	for _, c := range schemas {
		for _, t := range c.tables {
			n, err := countRows(ctx, c.to.Reader, t.name)
			if err != nil {
				return classify("counting rows", err)
			}
			if n != t.rows {
				return refused
			}
		}
	}
	tellAll(schemas, told)
	return nil
}

func tellAll(schemas []*carriedSchema, told func(string, int64)) {
	for _, c := range schemas {
		for _, t := range c.tables {
			told(t.name, t.rows)
		}
	}
}

// load loads all tables in one transaction.
func load(ctx context.Context, a postgres.Address, schemas []*carriedSchema, told func(string, int64)) (err error) {
	for _, c := range schemas {
		if err := c.makePlaces(ctx); err != nil {
			return err
		}
	}
	loader, err := postgres.NewLoader(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loader.Close(context.WithoutCancel(ctx))) }()
	for _, c := range schemas {
		for _, t := range c.tables {
			n, err := c.loadTable(ctx, loader, t)
			if err == nil && n != t.rows {
				err = fmt.Errorf("%s has %d rows instead of %d", t.name, n, t.rows)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := loader.Commit(ctx); err != nil {
		return err
	}
	tellAll(schemas, told)
	return nil
}

// makePlaces makes the days that rows go into.
func (c *carriedSchema) makePlaces(ctx context.Context) error {
	tables, err := c.to.Partitioned(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		firsts, err := c.from.reader.QueryContext(ctx, fmt.Sprintf("SELECT min(id) FROM %s GROUP BY (id >> %d) / 86400000", table, postgres.IDShift))
		if err != nil {
			return err
		}
		defer firsts.Close()
		for firsts.Next() {
			var id int64
			if err := firsts.Scan(&id); err != nil {
				return err
			}
			if err := c.to.makePlace(ctx, table, id); err != nil {
				return err
			}
		}
		if err := firsts.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *carriedSchema) loadTable(ctx context.Context, loader *postgres.Loader, t carriedTable) (int64, error) {
	rows, err := c.from.reader.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name+" ORDER BY 1")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	return loader.Load(ctx, c.name, t.name, t.columns, func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		return values, t.makeStorable(values)
	})
}

// makeStorable puts texts as PostgreSQL can hold them: but for what is hashed, which must be
// the same.
func (t *carriedTable) makeStorable(values []any) error {
	for i, value := range values {
		text, ok := value.(string)
		if !ok {
			continue
		}
		storable := postgres.Storable(text)
		if t.name == "audit" && storable != text {
			return fmt.Errorf("line %v of the audit log has characters in %s that PostgreSQL can't hold, and its hash would not be right without them", values[1], t.columns[i])
		}
		values[i] = storable
	}
	return nil
}
