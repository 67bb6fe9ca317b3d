// Package store keeps the record: who called, what was asked, what admins did,
// how the lines were, and the settings. It owns SQL and is the only package that
// knows a database; it refuses to decide and to hash: it is given what may
// be kept, and keeps it; what it gives back is masked anew.
//
// There are two files, so that what must be on the disk before an answer never
// waits for what comes in by the thousand: control.db (audit, sessions, settings,
// revocations, alerts) and telemetry.db (access log, quality, activities). Each
// has one writer and readers apart.
//
// SQL is hand-written in the subset that PostgreSQL shares: ? for parameters, ON
// CONFLICT, RETURNING, milliseconds in BIGINT, JSON in TEXT. What isn't shared
// stays in this package's migrations folder of the engine and in file.go.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"parley/shared/rest"
)

// Engine is what keeps the data, with its version.
const Engine = "SQLite " + sqlite3.SQLITE_VERSION

// The files in the data directory.
const (
	// ControlName is the one that a record can't be without.
	ControlName   = "control.db"
	telemetryName = "telemetry.db"
)

// Options say whose store it is.
type Options struct {
	Node   string // written with what this server does
	NodeID uint16 // 0–MaxNodeID, one of its own for each server of a database
	// IsShared: nodes of a cluster share the database. Nothing may be written before
	// JoinCluster, which gives NodeID, too.
	IsShared bool
	Now      func() time.Time
	Mask     Mask // of what is read for people to see; nil gives it as it was written
	Logger   *slog.Logger
	// DiskReserve is what log lines leave free on the disk; 0 is DefaultDiskReserve.
	DiskReserve int64
	// MaxRewrite is the largest file, in bytes, that is written anew once rows were
	// deleted; 0 is DefaultMaxRewrite.
	MaxRewrite int64
	// IsExported tells that the logs are handed on to a collector: what is deleted
	// before it has them is counted as lost.
	IsExported bool
}

// Store is safe for use by many goroutines.
type Store struct {
	AuditReader
	telemetry  *database
	ids        *ids
	node       string
	log        *slog.Logger
	persons    *persons
	audits     *auditWriter
	sessions   *sessionWriter
	codec      codec
	health     *diskProbe
	space      logSpace
	bulk       bulkTables
	deleted    *deletedSpace
	isExported bool
	isShared   bool
	lastWord   time.Time // of the life before, and of all others
}

// Open opens the store in a directory, makes or migrates its files, and ends
// the sessions that a server before this one left open.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	return openStore(ctx, o, func(s *Store) error { return s.openFiles(ctx, dir, o) })
}

// openStore makes a store, whose databases open opens.
func openStore(ctx context.Context, o Options, open func(*Store) error) (*Store, error) {
	if o.NodeID > MaxNodeID {
		return nil, fmt.Errorf("node id %d: at most %d", o.NodeID, MaxNodeID)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Mask == nil {
		o.Mask = unmasked{}
	}
	s := &Store{
		node: o.Node, log: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)), ids: &ids{node: int64(o.NodeID), now: o.Now},
		persons: new(persons), audits: new(auditWriter), sessions: new(sessionWriter), health: new(diskProbe), deleted: new(deletedSpace),
		isExported: o.IsExported, isShared: o.IsShared,
	}
	s.mask = o.Mask
	s.deleted.maxRewrite = cmp.Or(o.MaxRewrite, DefaultMaxRewrite)
	err := open(s)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Backdated returns the same store as another node writes to it, with a clock of its
// own: the ids of what it keeps carry both. It is for a past that is made up. What
// is kept by each must be told in the order of its clock; only the first is closed.
func (s *Store) Backdated(node uint16, now func() time.Time) *Store {
	other := *s
	other.ids = &ids{node: int64(node), now: now}
	return &other
}

// start goes on where a life before this one ended.
func (s *Store) start(ctx context.Context) (err error) {
	if s.codec, err = newCodec(); err != nil {
		return err
	}
	if err := errors.Join(s.audits.prepare(ctx, s.control), s.sessions.prepare(ctx, s.control)); err != nil {
		return err
	}
	if s.lastWord, err = s.resume(ctx); err != nil {
		return err
	}
	if !s.isShared {
		err = s.endAbandoned(ctx, s.lastWord)
	}
	return errors.Join(err, s.findDeleted(ctx))
}

// resume lets ids go on where the newest kept one ends, whatever the clock says,
// and tells when that was: the last word of the life before.
func (s *Store) resume(ctx context.Context) (time.Time, error) {
	var last int64
	for _, t := range []struct {
		in    *database
		table string
	}{
		{s.control, "audit"}, {s.control, "session"}, {s.control, "alert"},
		{s.telemetry, "log"}, {s.telemetry, "activity"}, {s.telemetry, "quality"},
	} {
		var id int64
		err := t.in.queryRow(ctx, "reading the newest id", "SELECT coalesce(max(id), 0) FROM "+t.table, nil, &id)
		if err != nil {
			return time.Time{}, err
		}
		last = max(last, id)
	}
	// A power cut may have taken lines that a collector has: none may be numbered below.
	var sent int64
	err := s.telemetry.queryRow(ctx, "reading what was handed on", "SELECT coalesce(max(sent), 0) FROM log_export", nil, &sent)
	s.ids.after(max(last, sent))
	return timeOf(last), err
}

// Close waits for what is being written and folds the logs of the files in.
func (s *Store) Close() error {
	err := errors.Join(s.health.close(), s.codec.close(), s.AuditReader.Close())
	if s.telemetry != nil {
		err = errors.Join(err, s.telemetry.close())
	}
	return err
}

// limit brings a page's size into the interface's range.
func limit(n int) int {
	if n <= 0 {
		return rest.DefaultLimit
	}
	return min(n, rest.MaxLimit)
}

// ms and its inverse are how times are kept.
func ms(t time.Time) int64 { return t.UnixMilli() }

func fromMS(n int64) time.Time { return time.UnixMilli(n).UTC() }

func nullMS(t *time.Time) any {
	if t == nil {
		return nil
	}
	return ms(*t)
}

func fromNullMS(n sql.NullInt64) *time.Time {
	if !n.Valid {
		return nil
	}
	return new(fromMS(n.Int64))
}
