package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/server/events"
	"parley/shared/rest"
)

// Limits of the monitoring stream.
const (
	MaxStreamStarts = 10 // a minute and admin: a page that reconnects in a loop must not cost a snapshot each
	MaxOpenStreams  = 10 // an admin: two screens full of tabs
	// heartbeat keeps proxies, which close after 30–60 s of silence, from
	// closing, and tells a reader that quiet is not dead.
	heartbeat = 15 * time.Second
	// recheck is how often rights are looked up while a stream runs.
	recheck = time.Second
	// streamWriteTimeout is when a reader that takes nothing is given up.
	streamWriteTimeout = 10 * time.Second
	// retryStream is what a refused admin is told: a tab closed meanwhile.
	retryStream = 30 * time.Second
)

// stream serves CONTRACT section 4. It starts no goroutine: a reader has its
// own cursor and its own connection, and delays nobody.
func (a *API) stream(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		setStreamHeaders(w.Header(), r)
		return
	}
	by := caller(r.Context()).Subject
	if !a.open.enter(by) {
		Refuse(w, r, rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: seconds(retryStream)})
		return
	}
	defer a.open.leave(by)
	if wait := a.starts.take(by); wait > 0 {
		Refuse(w, r, rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: seconds(wait)})
		return
	}
	a.streams.Add(1)
	defer a.streams.Done()
	ctx, cancel := context.WithTimeout(r.Context(), a.StreamLifetime)
	defer cancel()
	defer context.AfterFunc(a.closing, cancel)()

	setStreamHeaders(w.Header(), r)
	s := stream{api: a, r: r, w: w, out: http.NewResponseController(w)}
	if err := s.run(ctx); err != nil {
		a.Log.DebugContext(ctx, "stream ended", "user", by, "err", err)
	}
}

func setStreamHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the frames back
	if r.ProtoMajor == 1 {
		// The write deadline outlives the stream: the connection is not used again.
		h.Set("Connection", "close")
	}
}

// stream is one reader.
type stream struct {
	api    *API
	r      *http.Request
	w      http.ResponseWriter
	out    *http.ResponseController
	cursor uint64
	wrote  time.Time
}

// run writes until the reader is gone, its rights are, or its time is over.
func (s *stream) run(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	for s.allowed() {
		err := s.step(ctx)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return s.write([]byte("event: renew\ndata: {}\n\n"))
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// begin goes on where the reader was, or starts from a snapshot.
func (s *stream) begin() error {
	last := s.r.Header.Get("Last-Event-ID")
	if last == "" {
		return s.snapshot(nil)
	}
	seq, ok := s.api.parseCursor(last)
	if !ok {
		return s.resync()
	}
	s.cursor = seq
	return s.write([]byte(": welcome back\n\n"))
}

// step waits a moment for frames and writes them, or a heartbeat when it is due.
func (s *stream) step(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, recheck)
	defer cancel()
	frames, next, err := s.api.Feed.Next(wait, s.cursor)
	switch {
	case errors.Is(err, events.ErrGone):
		return s.resync()
	case err != nil && wait.Err() == nil:
		return err
	case err != nil || len(frames) == 0:
		return s.beat()
	}
	var b bytes.Buffer
	for _, f := range frames {
		if err := s.encode(&b, f); err != nil {
			return err
		}
	}
	s.cursor = next
	return s.write(b.Bytes())
}

func (s *stream) beat() error {
	if time.Since(s.wrote) < heartbeat {
		return nil
	}
	return s.write([]byte(": \n\n"))
}

func (s *stream) resync() error {
	return s.snapshot([]byte("event: resync\ndata: {}\n\n"))
}

func (s *stream) snapshot(before []byte) error {
	snap := s.api.Feed.Snapshot()
	b := bytes.NewBuffer(before)
	if err := s.encode(b, Frame{Seq: snap.Seq, Event: rest.EventSnapshot, Data: snap}); err != nil {
		return err
	}
	s.cursor = snap.Seq
	return s.write(b.Bytes())
}

// encode writes one event. JSON has no line break, which would end the data.
func (s *stream) encode(b *bytes.Buffer, f Frame) error {
	data, err := json.Marshal(f.Data)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", f.Event, err)
	}
	fmt.Fprintf(b, "id: %s.%d\nevent: %s\ndata: %s\n\n", s.api.epoch, f.Seq, f.Event, data)
	return nil
}

func (s *stream) write(b []byte) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(streamWriteTimeout)); err != nil {
		return fmt.Errorf("stream without a deadline: %w", err)
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	s.wrote = time.Now()
	return s.out.Flush()
}

// allowed asks all that was asked at the start again: the token may have run
// out or been revoked, the admin be none any more.
func (s *stream) allowed() bool {
	id, err := s.api.Auth.Authenticate(s.r)
	return err == nil && s.api.Auth.Admin(id)
}

// parseCursor reads an id that this life of the server gave out.
func (a *API) parseCursor(id string) (uint64, bool) {
	epoch, seq, ok := strings.Cut(id, ".")
	if !ok || epoch != a.epoch {
		return 0, false
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	return n, err == nil
}
