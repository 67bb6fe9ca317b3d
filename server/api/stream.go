package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/events"
	"parley/server/limit"
	"parley/shared/rest"
)

// Limits of the monitoring stream.
const (
	MaxStreamStarts = 10 // a minute and admin: a page that reconnects in a loop must not cost a snapshot each
	MaxOpenStreams  = 10 // an admin: two screens full of tabs
	// heartbeat keeps proxies, which close after 30–60 s of silence, from
	// closing, and tells a reader that quiet is not dead.
	heartbeat = 15 * time.Second
	// recheckEach is how often rights are looked up while a stream runs.
	recheckEach = time.Second
	// streamWriteTimeout is when a reader that takes nothing is given up.
	streamWriteTimeout = 10 * time.Second
	// retryStream is what a refused admin is told: a tab closed meanwhile.
	retryStream = 30 * time.Second
)

// stream is the live picture as it changes. It starts no goroutine: a reader has
// its own cursor and its own connection, and delays nobody.
func (a *API) stream(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		setStreamHeaders(w.Header(), r)
		return
	}
	v := caller(r.Context())
	if wait := a.admitStream(v.Account()); wait > 0 {
		a.StreamRefused()
		Refuse(w, r, rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: limit.Seconds(wait)})
		return
	}
	defer a.open.Leave(v.Account())
	if a.Meter != nil {
		a.Meter.CountStreams(1)
		defer a.Meter.CountStreams(-1)
	}
	if err := a.Audit.Record(r.Context(), v.entry(rest.AuditStreamOpened, "")); err != nil {
		a.fail(w, r, err)
		return
	}
	a.streams.Add(1)
	defer a.streams.Done()
	ctx, cancel := context.WithTimeout(r.Context(), a.StreamLifetime)
	defer cancel()
	defer context.AfterFunc(a.closing, cancel)()

	setStreamHeaders(w.Header(), r)
	s := streamReader{api: a, r: r, w: w, out: http.NewResponseController(w), scope: v.scope, startedAt: time.Now()}
	defer s.recordEnd(v)
	s.cause = causeLeft
	if err := s.run(ctx); err != nil {
		if r.Context().Err() == nil {
			s.cause = causeFailed
		}
		a.Log.DebugContext(ctx, "stream ended", "user", v.Subject, "err", err)
	}
}

// admitStream takes a place for one more stream, or says how long to wait.
func (a *API) admitStream(by string) (wait time.Duration) {
	if !a.open.Enter(by) {
		return retryStream
	}
	if wait = a.starts.Take(by); wait > 0 {
		a.open.Leave(by)
	}
	return wait
}

// Why a stream ended, for the record.
const (
	causeLeft    = "left"    // the reader went away
	causeRenew   = "renew"   // its time was over
	causeRights  = "rights"  // the token or the rights ran out
	causeClosing = "closing" // of the server
	causeFailed  = "failed"  // a reader that took nothing, mostly
)

// recordEnd: what was read is on record since the start, so an end that can't be
// recorded only leaves open how long it was.
func (s *streamReader) recordEnd(v visitor) {
	ctx := context.WithoutCancel(s.r.Context())
	accesslog.LineOf(ctx).Code(s.cause)
	err := s.api.Audit.Record(ctx, with(v.entry(rest.AuditStreamClosed, ""), "", map[string]any{
		"cause": s.cause, "seconds": int(time.Since(s.startedAt).Seconds()), "frames": s.frames,
	}))
	if err != nil {
		s.api.Log.WarnContext(ctx, "end of a stream not recorded", "event", "audit", "err", err)
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

// streamReader is one reader of the stream.
type streamReader struct {
	api       *API
	r         *http.Request
	w         http.ResponseWriter
	out       *http.ResponseController
	scope     auth.Scope // at the start: another one needs another stream
	cursor    uint64
	writtenAt time.Time

	startedAt time.Time
	frames    int
	cause     string
}

// run writes until the reader is gone, its rights are, or its time is over.
func (s *streamReader) run(ctx context.Context) error {
	if err := s.resume(); err != nil {
		return err
	}
	for s.hasRights() {
		err := s.writeNext(ctx)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			s.cause = causeRenew
			return s.write([]byte("event: renew\ndata: {}\n\n"))
		case s.api.closing.Err() != nil:
			s.cause = causeClosing
			return nil
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
	s.cause = causeRights
	return nil
}

// resume goes on where the reader was, or starts from a snapshot.
func (s *streamReader) resume() error {
	last := s.r.Header.Get("Last-Event-ID")
	if last == "" {
		return s.writeSnapshot(nil)
	}
	seq, ok := s.api.parseCursor(last)
	if !ok {
		return s.resync()
	}
	s.cursor = seq
	return s.write([]byte(": welcome back\n\n"))
}

// writeNext waits a moment for frames and writes them, or a heartbeat when it is due.
func (s *streamReader) writeNext(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, recheckEach)
	defer cancel()
	frames, next, err := s.api.Stream.Follow(wait, s.scope.Org, s.cursor)
	switch {
	case errors.Is(err, events.ErrCursorLost):
		return s.resync()
	case err != nil && wait.Err() == nil:
		return err
	case err != nil || len(frames) == 0:
		return s.writeHeartbeat()
	}
	var b bytes.Buffer
	for _, e := range frames {
		s.appendEvent(&b, e)
	}
	s.cursor = next
	return s.write(b.Bytes())
}

func (s *streamReader) writeHeartbeat() error {
	if time.Since(s.writtenAt) < heartbeat {
		return nil
	}
	return s.write([]byte(": \n\n"))
}

func (s *streamReader) resync() error {
	return s.writeSnapshot([]byte("event: resync\ndata: {}\n\n"))
}

func (s *streamReader) writeSnapshot(before []byte) error {
	snap := s.api.Stream.Snapshot(s.scope.Org)
	data, err := s.api.encoder.Encode(snap)
	if err != nil {
		return fmt.Errorf("encode snapshot: %w", err)
	}
	b := bytes.NewBuffer(before)
	s.appendEvent(b, rest.StreamEvent{Seq: snap.Seq, Name: rest.EventSnapshot, Data: data})
	s.cursor = snap.Seq
	return s.write(b.Bytes())
}

// appendEvent writes one event to b. JSON has no line break, which would end the data.
func (s *streamReader) appendEvent(b *bytes.Buffer, e rest.StreamEvent) {
	fmt.Fprintf(b, "id: %s.%d\nevent: %s\ndata: %s\n\n", s.api.epoch, e.Seq, e.Name, e.Data)
	s.frames++
}

func (s *streamReader) write(b []byte) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(streamWriteTimeout)); err != nil {
		return fmt.Errorf("stream without a deadline: %w", err)
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	s.writtenAt = time.Now()
	return s.out.Flush()
}

// hasRights asks all that was asked at the start again: the token may have run
// out or been revoked, the admin be none any more, or of something else.
func (s *streamReader) hasRights() bool {
	id, err := s.api.Auth.Authenticate(s.r)
	if err != nil || !s.api.Auth.AdminAllowed(s.r) {
		return false
	}
	scope, ok := s.api.Auth.Scope(id)
	return ok && scope == s.scope
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
