package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Deleted rows stay in a table's file until VACUUM, and their bytes until others take
// their place. So tables that rows were deleted from are written anew. How many rows a
// table ever lost is counted by the database; the table erased keeps how many it were
// when the table was written anew last.

// changedTables are tables of a schema that rows were deleted from or changed in since they
// were written anew, smallest first.
const changedTables = `SELECT c.relname, pg_total_relation_size(c.oid), s.n_tup_del + s.n_tup_upd
	FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid LEFT JOIN erased e ON e.name = c.relname
	WHERE c.relnamespace = to_regnamespace(?) AND c.relkind = 'r' AND c.relname NOT IN ('erased', 'probe', 'version', 'log_export', 'goose_db_version')
	AND s.n_tup_del > 0 AND s.n_tup_del + s.n_tup_upd <> coalesce(e.changes, 0) AND (c.relname LIKE ? ESCAPE '\') ORDER BY 2`

// changedTable is one of them.
type changedTable struct {
	name          string
	size, changes int64
}

// changed returns the tables of a pattern that hold deleted rows.
func (s *Schema) changed(ctx context.Context, like string) (found []changedTable, err error) {
	// Counts come from a process when it has nothing to do, or is asked for them.
	if _, err := s.Writer.ExecContext(ctx, "SELECT pg_stat_force_next_flush()"); err != nil {
		return nil, err
	}
	rows, err := s.keeper.QueryContext(ctx, changedTables, s.name, like)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t changedTable
		if err := rows.Scan(&t.name, &t.size, &t.changes); err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, rows.Err()
}

// HasDeleted reports whether there are tables that hold deleted rows.
func (s *Schema) HasDeleted(ctx context.Context) (bool, error) {
	found, err := s.changed(ctx, "%")
	return len(found) > 0, err
}

// Erase writes tables anew that hold deleted rows, so that nothing of these stays in their
// files: those of a pattern. Others wait meanwhile, so a table of more than most bytes is
// only vacuumed: its room is taken by new rows, not given back.
func (s *Schema) Erase(ctx context.Context, like string, most int64) error {
	tables, err := s.changed(ctx, like)
	for _, t := range tables {
		how := "VACUUM (FULL, ANALYZE) "
		if t.size > most {
			how = "VACUUM (ANALYZE) "
		}
		if _, err := s.keeper.ExecContext(ctx, how+pgx.Identifier{t.name}.Sanitize()); err != nil {
			return fmt.Errorf("writing %s anew: %w", t.name, err)
		}
		if _, err := s.keeper.ExecContext(ctx, `INSERT INTO erased (name, changes) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET changes = excluded.changes`, t.name, t.changes); err != nil {
			return err
		}
	}
	return err
}

// Size is what tables of a pattern take on the disk with their indexes, in bytes.
func (s *Schema) Size(ctx context.Context, like string) (size int64, err error) {
	err = s.Reader.QueryRowContext(ctx, `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
		WHERE c.relnamespace = to_regnamespace(?) AND c.relkind = 'r' AND c.relname LIKE ? ESCAPE '\'`, s.name, like).Scan(&size)
	return size, err
}
