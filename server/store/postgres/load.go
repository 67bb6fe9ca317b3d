package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Loader fills tables that are there and empty, in one transaction: what breaks off leaves
// nothing behind.
type Loader struct {
	conn   *pgx.Conn
	tx     pgx.Tx
	loaded []pgx.Identifier
}

// NewLoader begins the transaction.
func NewLoader(ctx context.Context, a Address) (*Loader, error) {
	conn, err := pgx.ConnectConfig(ctx, a.configFor("public", toWrite))
	if err != nil {
		return nil, a.explain(err)
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return &Loader{conn: conn, tx: tx}, nil
}

// Close ends it: without Commit nothing was loaded.
func (l *Loader) Close(ctx context.Context) error { return l.conn.Close(ctx) }

// Load puts rows into a table of a schema, in the place of what a migration put there, and
// returns how many the table has then. Its triggers rest: what they would count or hold is
// carried over, too. next gives the values of a row in the order of columns, nil at the end.
func (l *Loader) Load(ctx context.Context, schema, table string, columns []string, next func() ([]any, error)) (rows int64, err error) {
	name := pgx.Identifier{schema, table}
	if err := l.do(ctx, name, "ALTER TABLE %s DISABLE TRIGGER USER", "DELETE FROM %s"); err != nil {
		return 0, err
	}
	if _, err := l.tx.CopyFrom(ctx, name, columns, pgx.CopyFromFunc(next)); err != nil {
		return 0, fmt.Errorf("loading %s: %w", table, err)
	}
	if err := l.do(ctx, name, "ALTER TABLE %s ENABLE TRIGGER USER"); err != nil {
		return 0, err
	}
	if err := l.passIdentities(ctx, name); err != nil {
		return 0, err
	}
	l.loaded = append(l.loaded, name)
	err = l.tx.QueryRow(ctx, "SELECT count(*) FROM "+name.Sanitize()).Scan(&rows)
	return rows, err
}

func (l *Loader) do(ctx context.Context, name pgx.Identifier, statements ...string) error {
	for _, statement := range statements {
		if _, err := l.tx.Exec(ctx, fmt.Sprintf(statement, name.Sanitize())); err != nil {
			return err
		}
	}
	return nil
}

// passIdentities has numbers that the database gives itself go on after those loaded.
func (l *Loader) passIdentities(ctx context.Context, name pgx.Identifier) error {
	rows, err := l.tx.Query(ctx, "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 AND is_identity = 'YES'", name[0], name[1])
	if err != nil {
		return err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, column := range columns {
		of := pgx.Identifier{column}.Sanitize()
		_, err = l.tx.Exec(ctx, "SELECT setval(pg_get_serial_sequence($1, $2), max("+of+")) FROM "+name.Sanitize()+" HAVING max("+of+") IS NOT NULL", name.Sanitize(), column)
	}
	return err
}

// Commit keeps all that was loaded, and has the planner know of it.
func (l *Loader) Commit(ctx context.Context) error {
	if err := l.tx.Commit(ctx); err != nil {
		return err
	}
	for _, name := range l.loaded {
		if _, err := l.conn.Exec(ctx, "ANALYZE "+name.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}

// Partitioned returns the tables of the schema that rows are put into by their day.
func (s *Schema) Partitioned(ctx context.Context) (names []string, err error) {
	rows, err := s.Reader.QueryContext(ctx, "SELECT relname FROM pg_class WHERE relkind = 'p' AND relnamespace = to_regnamespace(?)", s.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
