package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"parley/shared/rest"
)

// AuditReader reads the audit log.
type AuditReader struct {
	control *database
	mask    Mask
}

// OpenAuditReader opens the audit log of a directory to read it, also while a server
// uses it. It migrates nothing and refuses a schema that isn't this version's.
func OpenAuditReader(ctx context.Context, dir string) (*AuditReader, error) {
	f, err := openToRead(filepath.Join(dir, ControlName))
	if err != nil {
		return nil, err
	}
	l := &AuditReader{control: f.database, mask: unmasked{}}
	if err := l.fits(ctx, "sqlite"); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *AuditReader) fits(ctx context.Context, engine string) error {
	files, err := migrationFiles(engine, "control")
	if err != nil {
		return err
	}
	newest, err := newestIn(files)
	if err != nil {
		return err
	}
	var version int64
	err = l.control.queryRow(ctx, "reading the schema's version", "SELECT max(version_id) FROM goose_db_version", nil, &version)
	if err != nil {
		return err
	}
	if version < newest {
		return fmt.Errorf("the database's schema is %d, older than %d: start the server once", version, newest)
	}
	return checkKnownVersion(version, newest)
}

// Close closes it.
func (l *AuditReader) Close() error {
	if l.control == nil {
		return nil
	}
	return l.control.close()
}

const auditFrom = `SELECT audit.id, audit.seq, audit.t, audit.actor, audit.actor_org, audit.org, audit.remote, audit.action,
	audit.target, audit.outcome, audit.reason, audit.request_id, audit.node, audit.details, audit.prev_hash, audit.hash FROM audit`

// Audit gives a page of the audit log and the cursor of the next. One that is
// searched for a text may be short before the end, like Logs.
func (l *AuditReader) Audit(ctx context.Context, q rest.AuditQuery) ([]rest.AuditEntry, string, error) {
	f, ids, err := auditFilter(q)
	if err != nil {
		return nil, "", err
	}
	entries := make([]rest.AuditEntry, 0, limit(q.Limit))
	scan := func(r rowScanner) (int64, error) {
		e, err := scanAudit(r)
		maskAudit(l.mask, &e)
		if err == nil && !q.Passes(&e) { // by what is shown: what a mask hides is not found
			return e.ID, errUnseen
		}
		entries = append(entries, e)
		return e.ID, err
	}
	table := queryTable{l.control, "audit", auditFrom}
	if q.Q == "" {
		next, err := table.page(ctx, &f, ids, limit(q.Limit), scan)
		return entries, next, err
	}
	f.auditText(q.Q)
	next, err := table.walk(ctx, &f, ids, limit(q.Limit), scan)
	return entries, next, err
}

// auditFilter has all conditions of a query but that on texts.
func auditFilter(q rest.AuditQuery) (f filter, ids timeSpan, err error) {
	if ids, err = f.between("audit.t", q.From, q.To, q.Cursor); err != nil {
		return f, ids, err
	}
	f.add("audit.seq > (SELECT seq FROM audit_anchor)")
	f.is("audit.actor", q.Actor)
	f.is("audit.action", string(q.Action))
	f.is("audit.target", q.Target)
	f.is("audit.outcome", q.Outcome)
	f.is("audit.node", q.Node)
	f.is("audit.org", q.Org)
	return f, ids, nil
}

// auditText leaves out lines that can't show a text. Engines lower what is not ASCII
// each in a way of its own: there, what is shown decides alone.
func (f *filter) auditText(q string) {
	text := strings.TrimSpace(q)
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return
		}
	}
	f.add(`lower(audit.actor || ' ' || audit.action || ' ' || audit.target || ' ' || audit.reason || ' ' || audit.remote || ' ' ||
		audit.request_id) LIKE ? ESCAPE '\'`, like(text))
}

// auditBatch is how many lines AuditAll reads at once, so that no reader holds
// on to an old state of the file for long.
const auditBatch = 500

// AuditAll calls yield with every line from seq on, oldest first, until it
// returns an error. Lines up to the anchor are gone.
func (l *AuditReader) AuditAll(ctx context.Context, from int64, yield func(rest.AuditEntry) error) error {
	for {
		batch := make([]rest.AuditEntry, 0, auditBatch)
		err := l.control.read(ctx, "reading the audit log",
			auditFrom+" WHERE audit.seq >= ? AND audit.seq > (SELECT seq FROM audit_anchor) ORDER BY audit.seq LIMIT ?",
			[]any{from, auditBatch}, func(r rowScanner) error {
				e, err := scanAudit(r)
				if err == nil {
					batch = append(batch, e)
				}
				return err
			})
		for _, e := range batch { // those before one that can't be read, too
			if err := yield(e); err != nil {
				return err
			}
		}
		if err != nil || len(batch) == 0 {
			return err
		}
		from = batch[len(batch)-1].Seq + 1
	}
}

// AuditAnchor tells where the chain begins: the last line that retention took
// out and its hash, which is the PrevHash of the line after. 0 and "" if none.
func (l *AuditReader) AuditAnchor(ctx context.Context) (seq int64, hash string, err error) {
	err = l.control.queryRow(ctx, "reading the anchor", "SELECT seq, hash FROM audit_anchor", nil, &seq, &hash)
	return seq, hash, err
}

func scanAudit(r rowScanner) (e rest.AuditEntry, err error) {
	var t int64
	var details string
	err = r.Scan(&e.ID, &e.Seq, &t, &e.Actor, &e.ActorOrg, &e.Org, &e.Remote, &e.Action,
		&e.Target, &e.Outcome, &e.Reason, &e.RequestID, &e.Node, &details, &e.PrevHash, &e.Hash)
	if err != nil {
		return e, err
	}
	e.T, e.Details = fromMS(t), readDetails(details)
	return e, err
}
