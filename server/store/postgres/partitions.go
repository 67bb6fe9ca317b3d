package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Tables that rows come into by the thousand are partitioned by the day (UTC) of their
// ids: what is past its time goes with the file that it is in, and nothing of it stays on
// the disk.
const dayMS = 24 * 60 * 60 * 1000

// IDShift is how far the milliseconds of a row's id are shifted; set by the record.
const IDShift = 20

func dayOf(id int64) int64    { return id >> IDShift / dayMS }
func startOf(day int64) int64 { return day * dayMS << IDShift }

func partitionOf(table string, day int64) string { return table + "_d" + strconv.FormatInt(day, 10) }

// MakePlace makes the partition that a row of an id goes into, where it isn't there. It
// has a transaction of its own: what comes after needn't succeed.
func (s *Schema) MakePlace(ctx context.Context, table string, id int64) error {
	day := dayOf(id)
	s.mu.Lock()
	there := s.places[table][day]
	s.mu.Unlock()
	if there {
		return nil
	}
	if err := s.makePartition(ctx, table, day); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places[table] == nil {
		s.places[table] = map[int64]bool{}
	}
	s.places[table][day] = true
	return nil
}

// ForgetPlaces has partitions looked for again: another node may have dropped some.
func (s *Schema) ForgetPlaces() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.places)
}

// makePartition makes it apart and attaches it, so that no reader waits.
func (s *Schema) makePartition(ctx context.Context, table string, day int64) error {
	tx, err := s.keeper.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of what was committed it is nothing
	name := partitionOf(table, day)
	if err := LockName(ctx, tx, name); err != nil { // another node may be about to make it, too
		return err
	}
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regclass(?) IS NOT NULL", s.name+"."+name).Scan(&there); err != nil || there {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)", name, table),
		fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)", table, name, startOf(day), startOf(day+1)),
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// DropBelow drops the partitions whose rows are all below an id, and counts the rows.
func (s *Schema) DropBelow(ctx context.Context, table string, id int64) (rows int64, err error) {
	days, err := s.daysOf(ctx, table)
	if err != nil {
		return 0, err
	}
	for _, day := range days {
		if startOf(day+1) > id {
			continue
		}
		n, err := s.dropPartition(ctx, table, day)
		if rows += n; err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func (s *Schema) daysOf(ctx context.Context, table string) (days []int64, err error) {
	names, err := s.partitionsOf(ctx, table)
	for _, name := range names {
		if day, err := strconv.ParseInt(strings.TrimPrefix(name, table+"_d"), 10, 64); err == nil {
			days = append(days, day)
		}
	}
	return days, err
}

func (s *Schema) partitionsOf(ctx context.Context, table string) (names []string, err error) {
	rows, err := s.keeper.QueryContext(ctx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = to_regclass(?) ORDER BY 1`, s.name+"."+table)
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

func (s *Schema) dropPartition(ctx context.Context, table string, day int64) (rows int64, err error) {
	s.mu.Lock()
	delete(s.places[table], day)
	s.mu.Unlock()
	tx, err := s.keeper.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // of what was committed it is nothing
	name := pgx.Identifier{partitionOf(table, day)}.Sanitize()
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+name).Scan(&rows); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "DROP TABLE "+name); err != nil {
		return 0, err
	}
	return rows, tx.Commit()
}

// Insert adds rows, the values of columns one row after the other, in one statement: an
// array a column. Values are of the columns' types, TEXT, BIGINT or nil. Rows that are
// there under the same id stay as they are.
func Insert(ctx context.Context, tx *sql.Tx, table string, columns, types []string, values []any) error {
	arrays := make([]any, len(columns))
	from := make([]string, len(columns))
	rows := len(values) / len(columns)
	for i := range columns {
		from[i] = "?::" + types[i] + "[]"
		if types[i] == "text" {
			arrays[i] = textsOf(values, i, len(columns), rows)
		} else {
			arrays[i] = numbersOf(values, i, len(columns), rows)
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") SELECT * FROM unnest("+
		strings.Join(from, ", ")+") ON CONFLICT DO NOTHING", arrays...)
	return err
}

func textsOf(values []any, column, width, rows int) []*string {
	texts, kept := make([]*string, rows), make([]string, rows)
	for row := range rows {
		if text, ok := values[row*width+column].(string); ok {
			kept[row] = Storable(text)
			texts[row] = &kept[row]
		}
	}
	return texts
}

func numbersOf(values []any, column, width, rows int) []*int64 {
	numbers, kept := make([]*int64, rows), make([]int64, rows)
	for row := range rows {
		switch n := values[row*width+column].(type) {
		case int64:
			kept[row] = n
		case int:
			kept[row] = int64(n)
		default:
			continue
		}
		numbers[row] = &kept[row]
	}
	return numbers
}
