package client

import (
	"context"
	"time"
)

// Hidden tells that nobody sees the page. After HideAfter the stream is closed.
func (w *Watch) Hidden() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		w.timer = time.AfterFunc(HideAfter, w.sleep)
	}
}

// Visible tells that the page is seen again: the stream opens at once.
func (w *Watch) Visible() {
	w.Retry()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if w.wake != nil {
		close(w.wake)
		w.wake = nil
	}
}

// Retry ends a back-off early, as when the browser says that it is online. It
// never shortens a wait that the server asked for.
func (w *Watch) Retry() {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

func (w *Watch) sleep() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil || w.wake != nil {
		return // seen again just before
	}
	w.wake = make(chan struct{})
	if w.close != nil {
		w.close(errAsleep)
	}
}

func (w *Watch) isSleeping() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wake != nil
}

// opening leaves the means to close the stream. It is false when the page fell
// asleep just now.
func (w *Watch) opening(closeStream context.CancelCauseFunc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.close = closeStream
	return w.wake == nil
}

func (w *Watch) handleClosed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.close = nil
}

// isAwake waits until the page is seen.
func (w *Watch) isAwake(ctx context.Context) error {
	w.mu.Lock()
	wake := w.wake
	w.mu.Unlock()
	if wake == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-wake:
		return nil
	}
}
