package session

import (
	"context"
	"time"

	"parley/shared/wire"
)

// Drain admits nobody more, warns who is here, waits until they have left or
// ctx is over, and ends the rest with server_shutdown.
func (a *Sessions) Drain(ctx context.Context) error {
	by, ok := ctx.Deadline()
	if !ok {
		var cancel context.CancelFunc
		by = time.Now().Add(DefaultDrain)
		ctx, cancel = context.WithDeadline(ctx, by)
		defer cancel()
	}
	empty := a.startDrain(by)
	for _, s := range a.list() {
		if s.isMadeUp {
			s.End(wire.ServerShutdown, "")
			continue
		}
		s.tellAnew()
	}
	select {
	case <-empty:
	case <-ctx.Done():
		a.endAll()
	}
	return nil
}

func (a *Sessions) startDrain(by time.Time) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drainBy = by
	if a.empty == nil {
		a.empty = make(chan struct{})
	}
	empty := a.empty
	a.closeIfEmptyLocked()
	return empty
}

func (a *Sessions) endAll() {
	for _, s := range a.list() {
		s.End(wire.ServerShutdown, "")
	}
}

// drainDeadline gives when a drain ends everything, or the zero time.
func (a *Sessions) drainDeadline() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.drainBy
}
