package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/shared/rest"
)

// stream holds one stream open and tells its frames. It returns why it ended:
// never nil.
func (w *Watch) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !w.opening(cancel) {
		return errAsleep
	}
	defer w.handleClosed()
	stall := time.AfterFunc(stallAfter, func() { cancel(errStalled) })
	defer stall.Stop()

	var r eventReader
	res, err := w.client.streams.Open(ctx, w.request(), w.handleOpened, func(chunk []byte) {
		if ctx.Err() != nil {
			return
		}
		stall.Reset(stallAfter)
		if err := w.feed(&r, chunk); err != nil {
			cancel(err)
		}
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s: %w (%w)", rest.PathStream, ErrNetwork, err)
	case res.Status != 200:
		return problem(res)
	}
	return errEnded
}

// request asks to go on after the last event, while that makes sense.
func (w *Watch) request() Request {
	header := map[string]string{"Accept": "text/event-stream"}
	if w.synced && w.cursor != "" {
		header["Last-Event-ID"] = w.cursor
	}
	return Request{Method: "GET", Path: rest.PathStream, Header: header}
}

func (w *Watch) handleOpened() {
	w.heard, w.polling, w.offline = time.Now(), false, false
	w.emitFrames(Status{State: Live, Since: w.heard, Renewed: w.renewed})
	w.renewed = false
}

// feed takes a chunk of the stream. An error ends the stream.
func (w *Watch) feed(r *eventReader, chunk []byte) error {
	w.heard = time.Now()
	var frames []Frame
	var stop error
	err := r.feed(chunk, func(e event) {
		if stop != nil {
			return
		}
		var f Frame
		if f, stop = w.take(e); f != nil {
			frames = append(frames, f)
		}
	})
	if len(frames) > 0 {
		w.emitFrames(frames...)
	}
	return errors.Join(stop, err)
}

// epochOf is which start of which server gave out an event's id.
func epochOf(id string) string {
	epoch, _, _ := strings.Cut(id, ".")
	return epoch
}

// take puts an event in its place in the sequence.
func (w *Watch) take(e event) (Frame, error) {
	switch rest.EventName(e.name) {
	case rest.EventRenew:
		w.renewed = true
		return nil, errRenew
	case rest.EventResync:
		w.synced = false // a snapshot follows
		return nil, nil
	}
	f, seq, err := w.read(e)
	if err != nil {
		w.synced = false
		return nil, err
	}
	snap, whole := f.(Snapshot)
	if whole {
		snap.IsAnew = w.cursor != "" && epochOf(w.cursor) != epochOf(e.id)
		f = snap
	}
	if !w.synced && !whole {
		return nil, nil
	}
	// The same number twice is one step told in several events; a smaller one is
	// a server that began anew.
	if !whole && seq != w.seq && seq != w.seq+1 {
		w.synced = false
		return nil, errGap
	}
	w.seq, w.synced, w.cursor = seq, true, e.id
	return f, nil
}
