package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrTaken: others serve the database, who can't share it with this server.
var ErrTaken = errors.New("the database is taken")

// The words of ErrTaken: who has it, and what to do.
var (
	errTakenByOne    = fmt.Errorf("%w: another server uses this database: end it, or give another database; for several servers on one database start all of them with --cluster", ErrTaken)
	errTakenByOthers = fmt.Errorf("%w: a cluster of servers uses this database: start this one with --cluster, too, or give another database", ErrTaken)
)

// serveCheckEvery is how often a server looks whether it still holds its lock.
const serveCheckEvery = time.Second

// takePatience is how long a server waits for the one before it, whose connections the
// database may not have given up yet.
const takePatience = 5 * time.Second

// Serving is the right to serve a database: a lock that lives as long as a connection
// does. A server alone has it for itself, for sessions, limits and sign-ins are in its
// memory, too, and two of them would each undo what the other knows. The nodes of a
// cluster, who tell each other, share it.
type Serving struct {
	schema   *Schema
	isShared bool
	turn     chan struct{} // holds one while somebody looks: what is below is theirs

	conn    *sql.Conn // nil while the lock is not held
	checked time.Time
	err     error // what the newest look found
}

// Serve takes the right to serve, alone or shared with the other nodes of a cluster.
func (s *Schema) Serve(ctx context.Context, isShared bool) (*Serving, error) {
	v := &Serving{schema: s, isShared: isShared, turn: make(chan struct{}, 1)}
	for began := time.Now(); ; {
		err := v.Check(ctx)
		if !errors.Is(err, ErrTaken) || time.Since(began) > takePatience {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(serveCheckEvery):
		}
	}
}

// Check reports whether this server still has the right to serve, and takes it again
// where it was lost with the connection and nobody else has it.
func (v *Serving) Check(ctx context.Context) error {
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if time.Since(v.checked) < serveCheckEvery {
		return v.err
	}
	v.err = v.look(ctx)
	v.checked = time.Now()
	return v.err
}

// look asks the database. It must be its caller's turn.
func (v *Serving) look(ctx context.Context) error {
	if v.conn != nil {
		if err := v.conn.PingContext(ctx); err == nil {
			return nil
		}
		discard(v.conn)
		v.conn = nil
	}
	c, err := v.schema.keeper.Conn(ctx)
	if err != nil {
		return err
	}
	if err := v.take(ctx, c); err != nil {
		discard(c) // and with it whatever lock it got
		return err
	}
	v.conn = c
	return nil
}

// take takes the lock on a connection, or says who has it.
func (v *Serving) take(ctx context.Context, c *sql.Conn) error {
	alone, shared := "SELECT pg_try_advisory_lock(?)", "SELECT pg_try_advisory_lock_shared(?)"
	var isTaken bool
	if !v.isShared {
		err := c.QueryRowContext(ctx, alone, lockServing).Scan(&isTaken)
		if err != nil || isTaken {
			return err
		}
	}
	err := c.QueryRowContext(ctx, shared, lockServing).Scan(&isTaken)
	switch {
	case err != nil:
		return err
	case !isTaken:
		return errTakenByOne
	case !v.isShared: // only those who share it let us in
		return errTakenByOthers
	}
	return nil
}

// Close gives the right back.
func (v *Serving) Close() error {
	v.turn <- struct{}{}
	defer func() { <-v.turn }()
	if v.conn != nil {
		discard(v.conn)
		v.conn = nil
	}
	return nil
}
