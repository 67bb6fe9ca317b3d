package audit

import (
	"context"
	"fmt"
	"time"

	"parley/shared/rest"
)

// Chain is the state of the chain as of the newest check. It costs nothing.
func (l *Log[Tx]) Chain() rest.Chain {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chain
}

// IsIntact tells whether the newest check of the chain held.
func (l *Log[Tx]) IsIntact() bool { return l.Chain().Intact }

// Verify checks the whole log now. An error says that it could not be read; the
// state then stays what it was.
func (l *Log[Tx]) Verify(ctx context.Context) (rest.Chain, error) {
	_, err := l.check(ctx, Head{})
	return l.Chain(), err
}

// check checks the lines from one that was checked before, with what this server
// remembers of the log as heads that were noted.
func (l *Log[Tx]) check(ctx context.Context, after Head) (Report, error) {
	l.mu.Lock()
	noted := []Head{l.cfg.Checkpoint, l.head}
	l.mu.Unlock()
	report, err := check(ctx, l.cfg.Store, after, noted)
	if err == nil {
		l.recordFault(report)
	}
	return report, err
}

func (l *Log[Tx]) recordFault(r Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chain.Intact && !r.Intact() {
		l.cfg.Logger.Error("the audit chain is broken", "event", "audit_chain", "cause", r.String())
	}
	l.chain = rest.Chain{Intact: r.Intact(), CheckedTo: r.Head.Seq, CheckedAt: l.cfg.Now().UTC(), BrokenAt: r.BrokenAt}
	if r.Intact() && r.Head.Seq > l.head.Seq {
		l.head = r.Head
	}
}

// observeHead remembers the newest line that was written. A line in the place of one
// that was there means that the log was cut; from then on, what was there stays
// remembered.
func (l *Log[Tx]) observeHead(h Head) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.chain.Intact:
	case h.Seq > l.head.Seq:
		l.head = h
	case h.Seq == l.head.Seq && h.Hash != l.head.Hash:
		l.chain.Intact, l.chain.BrokenAt = false, h.Seq
		l.cfg.Logger.Error("the audit chain is broken", "event", "audit_chain", "cause", fmt.Sprintf("entry %d stands in the place of another", h.Seq))
	}
}

// saveCheckpoint keeps the head elsewhere. Of a broken chain it is what was there before.
func (l *Log[Tx]) saveCheckpoint() error {
	l.mu.Lock()
	h, known := l.head, l.head == l.saved
	l.mu.Unlock()
	if known {
		return nil
	}
	if err := l.cfg.SaveCheckpoint(h); err != nil {
		return fmt.Errorf("noting the audit log's head: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saved = h
	return nil
}

// Run checks the whole log at once and each VerifyEvery, and what is new each
// CheckEvery, until ctx is done.
func (l *Log[Tx]) Run(ctx context.Context) {
	every := time.NewTicker(l.cfg.CheckEvery)
	defer every.Stop()
	checked, whole := l.runCheckRound(ctx, Head{}), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if time.Since(whole) >= l.cfg.VerifyEvery {
			checked, whole = Head{}, time.Now()
		}
		checked = l.runCheckRound(ctx, checked)
	}
}

// runCheckRound is one check of Run. It gives where the next may begin: at the start,
// after one that failed or found the chain broken.
func (l *Log[Tx]) runCheckRound(ctx context.Context, after Head) Head {
	report, err := l.check(ctx, after)
	if err != nil {
		if ctx.Err() == nil {
			l.cfg.Logger.Warn("the audit chain can't be checked", "event", "audit_chain", "err", err)
		}
		return Head{}
	}
	if !report.Intact() {
		return Head{}
	}
	if err := l.saveCheckpoint(); err != nil {
		l.cfg.Logger.Warn("the audit chain has no second witness", "event", "audit_chain", "err", err)
	}
	return report.Head
}
