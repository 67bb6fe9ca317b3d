package audit

import (
	"context"
	"errors"
	"fmt"

	"parley/shared/rest"
)

// Reader reads a log: a store's, or that of a data directory whose server may
// be running.
type Reader interface {
	// AuditAll yields lines from seq on, oldest first, until yield fails.
	AuditAll(ctx context.Context, from int64, yield func(rest.AuditEntry) error) error
	// AuditAnchor is the last line that retention took out: the first that is
	// there follows it.
	AuditAnchor(ctx context.Context) (seq int64, hash string, err error)
}

// Report is what a check found.
type Report struct {
	Anchor Head  // where the log begins
	Head   Head  // the last line that fits; note it to compare with later
	Lines  int64 // that were looked at and fit
	// BrokenAt is the seq of the first line that doesn't fit, 0 if all do, and
	// Fault says in a sentence why not.
	BrokenAt int64
	Fault    string
}

// Intact tells that all lines fit.
func (r Report) Intact() bool { return r.BrokenAt == 0 }

// String says it in one line.
func (r Report) String() string {
	if !r.Intact() {
		return fmt.Sprintf("audit log broken at entry %d: %s", r.BrokenAt, r.Fault)
	}
	text := fmt.Sprintf("audit log intact: %d entries, head %d %s", r.Lines, r.Head.Seq, r.Head.Hash)
	if r.Anchor.Seq > 0 {
		text += fmt.Sprintf(", begins after entry %d, which retention deleted", r.Anchor.Seq)
	}
	return text
}

// Check reads a whole log, line by line, and reports the first line that
// doesn't fit; err says that the log could not be read. Each noted head must be
// there as it was, if retention did not take it out since. Without one, lines
// that were cut off the end aren't missed: nothing points at a last line.
func Check(ctx context.Context, r Reader, noted ...Head) (Report, error) {
	return check(ctx, r, Head{}, noted)
}

// check begins at a line that was checked before, or at the anchor. Where
// retention moved the anchor on beneath it, what doesn't fit says nothing, and
// it begins anew: each time nearer to the end of the log.
func check(ctx context.Context, r Reader, after Head, noted []Head) (Report, error) {
	for {
		anchor, err := anchorOf(ctx, r)
		if err != nil {
			return Report{}, err
		}
		c := newChecker(anchor, after, noted)
		if err := r.AuditAll(ctx, c.Head.Seq+1, c.checkLine); err != nil && !errors.Is(err, errBroken) {
			return c.Report, fmt.Errorf("reading the audit log after entry %d: %w", c.Head.Seq, err)
		}
		c.finish()
		moved, err := anchorOf(ctx, r)
		if err != nil {
			return Report{}, err
		}
		if c.Intact() || moved.Seq <= anchor.Seq {
			return c.Report, nil
		}
	}
}

func anchorOf(ctx context.Context, r Reader) (Head, error) {
	seq, hash, err := r.AuditAnchor(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("reading the audit log's anchor: %w", err)
	}
	return Head{Seq: seq, Hash: hash}, nil
}

// checker holds one line against the one before; that is all it remembers.
type checker struct {
	Report
	isWhole    bool // it began at the anchor
	isBlind    bool // what comes before the next line isn't known
	checkpoint []Head
	attested   Head // the newest anchor that a line of retention speaks of
}

// errBroken ends the reading.
var errBroken = errors.New("broken")

func newChecker(anchor, after Head, noted []Head) *checker {
	c := &checker{Report: Report{Anchor: anchor, Head: anchor}, checkpoint: noted, isWhole: after.Seq <= anchor.Seq}
	if c.isWhole {
		c.compare(c.Head)
		return c
	}
	// The line that was checked is read again: it must still be there.
	c.Head, c.isBlind = Head{Seq: after.Seq - 1}, true
	c.checkpoint = append([]Head{after}, noted...)
	return c
}

func (c *checker) checkLine(e rest.AuditEntry) error {
	if !c.Intact() {
		return errBroken
	}
	next := c.Head.Seq + 1
	switch {
	case e.Seq > next:
		return c.broken(next, "it is missing")
	case e.Seq < next:
		return c.broken(e.Seq, "it is there twice")
	case e.Hash != Seal(e.PrevHash, e):
		return c.broken(e.Seq, "it was changed after it was written")
	case e.PrevHash != c.Head.Hash && !c.isBlind:
		return c.broken(e.Seq, "it was not written after the entry before it")
	}
	c.Head, c.isBlind = Head{Seq: e.Seq, Hash: e.Hash}, false
	c.Lines++
	c.compare(c.Head)
	if e.Action == rest.AuditRetention {
		c.attest(e)
	}
	if !c.Intact() {
		return errBroken
	}
	return nil
}

// attest reads the anchor in a line of retention, as the store writes it.
func (c *checker) attest(e rest.AuditEntry) {
	hash, _ := e.Details["anchor_hash"].(string)
	var seq int64
	if _, err := fmt.Sscan(fmt.Sprint(e.Details["anchor_seq"]), &seq); err == nil && hash != "" {
		c.attested = Head{Seq: seq, Hash: hash}
	}
}

// compare holds a line against the heads that were noted.
func (c *checker) compare(h Head) {
	for _, n := range c.checkpoint {
		if n.Seq == h.Seq && n.Seq > 0 && n.Hash != h.Hash && c.Intact() {
			_ = c.broken(h.Seq, "it is another one than was noted, though it fits: it and others were written anew")
		}
	}
}

// finish asks what only the end of the log can tell.
func (c *checker) finish() {
	if !c.Intact() {
		return
	}
	for _, n := range c.checkpoint {
		if n.Seq > c.Head.Seq {
			_ = c.broken(c.Head.Seq+1, fmt.Sprintf("it is missing, as is all up to entry %d at least", n.Seq))
			return
		}
	}
	if c.isWhole && c.Anchor.Seq > 0 && c.attested != c.Anchor {
		_ = c.broken(c.Anchor.Seq+1, fmt.Sprintf("entries up to %d were deleted, but not by retention", c.Anchor.Seq))
	}
}

func (c *checker) broken(at int64, fault string) error {
	c.BrokenAt, c.Fault = at, fault
	return errBroken
}
