package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/server/fault"
	"parley/server/store/postgres"
	"parley/shared/rest"
)

// Seal hashes a line onto the one before. The line has its ID, Seq, T and
// PrevHash, and its details are as they will be read back.
type Seal = func(prevHash string, e rest.AuditEntry) (hash string)

// AppendAudit adds a line to the audit log together with the change that it
// records, in one transaction: both are on the disk when it returns nil, and
// else neither is. change may be nil; its error comes back as it is. The line
// comes back as it was kept.
func (s *Store) AppendAudit(ctx context.Context, e rest.AuditEntry, seal Seal, change func(*Tx) error) (rest.AuditEntry, error) {
	err := s.control.write(ctx, "adding to the audit log", func(ctx context.Context, tx *sql.Tx) error {
		if change != nil {
			if err := change(s.newTx(ctx, tx)); err != nil {
				return err
			}
		}
		kept, err := s.appendAudit(ctx, tx, e, seal)
		e = kept
		return err
	})
	if err != nil {
		return rest.AuditEntry{}, err
	}
	return e, nil
}

func (s *Store) appendAudit(ctx context.Context, tx *sql.Tx, e rest.AuditEntry, seal Seal) (rest.AuditEntry, error) {
	details, err := encodeDetails(e.Details)
	if err != nil {
		return e, err
	}
	if e.Details, err = decodeDetails(details); err != nil {
		return e, err
	}
	if details, err = encodeDetails(e.Details); err != nil { // now with the keys of structs in order, too
		return e, err
	}
	if e.T.IsZero() {
		e.T = s.ids.now()
	}
	e.T = e.T.UTC().Truncate(time.Millisecond)
	if e.Node == "" {
		e.Node = s.node
	}
	for _, text := range []*string{&e.Actor, &e.ActorOrg, &e.Org, &e.Remote, &e.Target, &e.Outcome, &e.Reason, &e.RequestID, &e.Node} {
		*text = postgres.Storable(*text) // before it is sealed
	}
	if err := s.control.engine.lockChain(ctx, tx); err != nil {
		return e, err
	}
	var last int64
	if err := tx.StmtContext(ctx, s.audits.head).QueryRowContext(ctx).Scan(&e.Seq, &e.PrevHash, &last); err != nil {
		return e, err
	}
	e.ID, e.Seq = s.ids.next(), e.Seq+1
	if e.ID <= last { // a node wrote it whose clock is ahead of ours
		s.ids.after(last)
		e.ID = s.ids.next()
	}
	e.Hash = seal(e.PrevHash, e)
	_, err = tx.StmtContext(ctx, s.audits.insert).ExecContext(ctx,
		e.ID, e.Seq, ms(e.T), e.Actor, e.ActorOrg, e.Org, e.Remote, string(e.Action),
		e.Target, e.Outcome, e.Reason, e.RequestID, e.Node, details, e.PrevHash, e.Hash)
	return e, err
}

// auditWriter holds the two statements of a line; its triggers make them dear to
// compile.
type auditWriter struct{ head, insert *sql.Stmt }

func (w *auditWriter) prepare(ctx context.Context, f *database) error {
	err := f.prepare(ctx, &w.head, "SELECT seq, hash, id FROM audit UNION ALL SELECT seq, hash, 0 FROM audit_anchor ORDER BY seq DESC LIMIT 1")
	if err != nil {
		return err
	}
	return f.prepare(ctx, &w.insert, "INSERT INTO audit ("+auditColumns+") VALUES ("+placeholders(16)+")")
}

const auditColumns = `id, seq, t, actor, actor_org, org, remote, action,
	target, outcome, reason, request_id, node, details, prev_hash, hash`

// Details are kept as JSON and read with their numbers as they were written, so
// that a line hashes the same before and after.
func encodeDetails(d map[string]any) (string, error) {
	if len(d) == 0 {
		return "", nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return "", fmt.Errorf("audit details: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func decodeDetails(text string) (d map[string]any, err error) {
	if text == "" {
		return nil, nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("%w: audit details: %w", fault.Unavailable, err)
	}
	return d, nil
}

// readDetails gives details as they were kept. A text that encodeDetails would
// not have written, somebody else did: it is given whole under another name, so
// that the line is seen, and seen not to fit its hash.
func readDetails(text string) map[string]any {
	d, err := decodeDetails(text)
	if err == nil {
		if again, err := encodeDetails(d); err == nil && again == text {
			return d
		}
	}
	return map[string]any{"unreadable": text}
}

// RetainAudit deletes the audit lines from before a time. It first moves the
// anchor of the chain and adds the line e that says so, in one transaction; e's
// details are given the anchor. Then the lines go in small steps; if that is cut
// short, the next call goes on. It adds nothing where there is nothing to delete.
func (s *Store) RetainAudit(ctx context.Context, before time.Time, e rest.AuditEntry, seal Seal) (deleted int64, err error) {
	err = s.control.write(ctx, "moving the audit log's anchor", func(ctx context.Context, tx *sql.Tx) error {
		var seq, last int64
		var hash string
		// The newest line stays, however old: the next one is chained to it.
		err := tx.QueryRowContext(ctx, `SELECT seq, hash, (SELECT max(seq) FROM audit) FROM audit WHERE id < ? AND t < ?
			AND seq > (SELECT seq FROM audit_anchor) AND seq < (SELECT max(seq) FROM audit) ORDER BY id DESC LIMIT 1`,
			firstID(before.Add(clockSlack)), ms(before)).Scan(&seq, &hash, &last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.countUnsentAudit(ctx, tx, seq); err != nil {
			return err
		}
		e.Details = withAnchor(e.Details, seq, hash, before)
		if _, err := s.appendAudit(ctx, tx, e, seal); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE audit_anchor SET seq = ?, hash = ? WHERE one = 1", seq, hash)
		return err
	})
	if err != nil {
		return 0, err
	}
	deleted, err = s.sweep(ctx, s.control, "audit", "seq <= (SELECT seq FROM audit_anchor)")
	if deleted > 0 {
		s.deleted.setPending(s.control, true, s.ids.now())
	}
	return deleted, err
}

func withAnchor(details map[string]any, seq int64, hash string, before time.Time) map[string]any {
	d := map[string]any{"anchor_seq": seq, "anchor_hash": hash, "before": before.UTC().Format(time.RFC3339)}
	for k, v := range details {
		d[k] = v
	}
	return d
}
