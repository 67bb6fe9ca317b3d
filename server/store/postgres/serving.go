package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ErrTaken: another server uses the database.
var ErrTaken = errors.New("another server uses this database: end it, or give another database")

// serveCheckEvery is how often a server looks whether it still holds its lock.
const serveCheckEvery = time.Second

// takePatience is how long a server waits for the one before it, whose connections the
// database may not have given up yet.
const takePatience = 5 * time.Second

// Serving is the right to serve a database, which one server has at a time: a lock that
// lives as long as a connection does. Sessions, limits and sign-ins are in a server's
// memory, too, so two of them would each undo what the other knows.
type Serving struct {
	schema *Schema
	turn   chan struct{} // holds one while somebody looks: what is below is theirs

	conn    *sql.Conn // nil while the lock is not held
	checked time.Time
	err     error // what the newest look found
}

// Serve takes the right to serve.
func (s *Schema) Serve(ctx context.Context) (*Serving, error) {
	v := &Serving{schema: s, turn: make(chan struct{}, 1)}
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
	var taken bool
	err = c.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(?)", lockServing).Scan(&taken)
	if err == nil && !taken {
		err = ErrTaken
	}
	if err != nil {
		discard(c)
		return err
	}
	v.conn = c
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
