package bridge

import (
	"context"
	"time"

	"parley/shared/rest"
)

// Archive reads the record of sessions.
type Archive interface {
	Sessions(ctx context.Context, q rest.SessionQuery) ([]rest.SessionRecord, string, error)
	Session(ctx context.Context, id string) (rest.SessionRecord, error)
	Streams(ctx context.Context, session string, from, to time.Time, step time.Duration) ([]rest.StreamQuality, error)
	Turns(ctx context.Context, session string) ([]rest.Turn, []rest.Interruption, error)
	ToolUses(ctx context.Context, session string) ([]rest.ToolUse, error)
}

// History reads the record as of this moment: whatever callers were told before
// (hello, an end) is in it, and a live session has the state that it has now.
type History struct {
	Archive
	bridge *Bridge
}

// History returns the record that archive keeps, up to this moment.
func (b *Bridge) History(archive Archive) *History { return &History{archive, b} }

// Sessions returns a page of sessions.
func (h *History) Sessions(ctx context.Context, q rest.SessionQuery) ([]rest.SessionRecord, string, error) {
	_ = h.bridge.settle(ctx) // while the store takes nothing, what it has is all there is
	items, next, err := h.Archive.Sessions(ctx, q)
	for i := range items {
		h.fillState(&items[i])
	}
	return items, next, err
}

// Session returns one, live or ended.
func (h *History) Session(ctx context.Context, id string) (rest.SessionRecord, error) {
	_ = h.bridge.settle(ctx) // as above
	item, err := h.Archive.Session(ctx, id)
	h.fillState(&item)
	return item, err
}

// fillState sets the state and the receipt of a live session, of which the record
// only knows how it began.
func (h *History) fillState(r *rest.SessionRecord) {
	if r.EndedAt != nil {
		return
	}
	if s, ok := h.bridge.sessions.Snapshot(r.ID); ok {
		r.State = s.State
		r.Receipt.StorageAttempts = h.bridge.cfg.Privacy.StorageAttempts(r.ID)
		r.Receipt.Uses = h.bridge.cfg.Privacy.Uses(r.ID)
	}
}

// settle waits until all that happened to sessions before is on record.
func (b *Bridge) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := b.sessions.WaitForObservedEnds(ctx); err != nil {
		return errNotRecorded
	}
	return b.records.flush(ctx)
}
