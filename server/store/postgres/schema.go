package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Keys of advisory locks, which hold in one database. Nobody else may use them there.
const (
	lockMigrating = 0x7061726c6579_01 + iota // one migrates, others wait
	lockServing                              // one serves
	lockChain                                // one adds to the audit log
)

// lockNamed is the first half of the keys of locks by name, which are a space apart.
const lockNamed = 0x7061726c // "parl"

// migratingPatience is how long a server waits for another that migrates.
const migratingPatience = 5 * time.Minute

// Schema is a schema of the database, with the pools of those who use it.
type Schema struct {
	Writer, Reader *sql.DB // Writer is nil where it was opened to be read
	keeper         *sql.DB
	name           string
	address        Address

	mu     sync.Mutex
	places map[string]map[int64]bool // of partitioned tables: the days that are there
}

// OpenSchema opens a schema, makes it where needed, and has migrate bring it up to date,
// while others wait.
func OpenSchema(ctx context.Context, a Address, name string, migrate func(context.Context, *sql.DB) error) (*Schema, error) {
	s := &Schema{name: name, address: a, places: map[string]map[int64]bool{}}
	s.Writer = openPool(a.configFor(name, toWrite), writers)
	s.Reader = openPool(a.configFor(name, toRead), readers)
	s.keeper = openPool(a.configFor(name, toKeep), keepers)
	err := s.underLock(ctx, lockMigrating, func(c *sql.Conn) error {
		if err := s.make(ctx, c); err != nil {
			return a.explain(err)
		}
		return migrate(ctx, s.Writer)
	})
	if err != nil {
		return nil, errors.Join(err, s.Writer.Close(), s.Reader.Close(), s.Close())
	}
	return s, nil
}

// make makes the schema, unless it is there: who may not make schemas may be given one.
func (s *Schema) make(ctx context.Context, c *sql.Conn) error {
	var there bool
	err := c.QueryRowContext(ctx, "SELECT to_regnamespace(?) IS NOT NULL", s.name).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = c.ExecContext(ctx, "CREATE SCHEMA "+pgx.Identifier{s.name}.Sanitize())
	return err
}

// OpenSchemaToRead opens a schema that is there, perhaps in use by a server.
func OpenSchemaToRead(a Address, name string) *Schema {
	return &Schema{Reader: openPool(a.configFor(name, toRead), readers), name: name, address: a}
}

// Close closes what only the schema itself uses: the pools to write and to read are closed
// by who was given them.
func (s *Schema) Close() error {
	if s.keeper == nil {
		return nil
	}
	return s.keeper.Close()
}

// underLock runs fn while it holds a lock, for which it waits.
func (s *Schema) underLock(ctx context.Context, key int64, fn func(*sql.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, migratingPatience)
	defer cancel()
	c, err := s.keeper.Conn(ctx)
	if err != nil {
		return s.address.explain(err)
	}
	defer discard(c) // and with it the lock, whatever happened
	if _, err := c.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock(?)", key); err != nil {
		return fmt.Errorf("waiting for a server that migrates: %w", err)
	}
	return fn(c)
}

// discard closes a connection instead of giving it back to its pool.
func discard(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}

// LockChain has others wait who would add to the audit log, until the transaction ends:
// the lock is the one writer that the chain needs, whichever process it is.
func LockChain(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", lockChain)
	return err
}

// LockName has others wait who would lock the same name, until the transaction ends. Two
// names may share a lock: that costs time, and nothing else.
func LockName(ctx context.Context, tx *sql.Tx, name string) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?, hashtext(?))", lockNamed, name)
	return err
}

// Clock is the database's own clock in SQL, in milliseconds since 1970: of the moment, not
// of the transaction's start.
const Clock = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
