package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/client"
	"parley/shared/rest"
)

// server is a scripted far end: each stream that is opened plays the next act;
// when there are no more, nobody answers.
type server struct {
	mu     sync.Mutex
	acts   []act
	opens  []open
	answer func(client.Request) (client.Response, error) // to Fetch
	asked  []time.Time                                   // Fetches of the active list
}

type open struct {
	at     time.Time
	lastID string
}

// act is one stream. It returns when the stream is over.
type act func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error)

var errUnreachable = errors.New("connection refused")

func (s *server) Open(ctx context.Context, r client.Request, opened func(), chunk func([]byte)) (client.Response, error) {
	s.mu.Lock()
	s.opens = append(s.opens, open{time.Now(), r.Header["Last-Event-ID"]})
	var next act
	if len(s.acts) > 0 {
		next, s.acts = s.acts[0], s.acts[1:]
	}
	s.mu.Unlock()
	if next == nil {
		return client.Response{}, errUnreachable
	}
	return next(ctx, opened, chunk)
}

func (s *server) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	if strings.HasPrefix(r.Path, rest.PathActive) {
		s.mu.Lock()
		s.asked = append(s.asked, time.Now())
		s.mu.Unlock()
	}
	if s.answer == nil {
		return client.Response{}, errUnreachable
	}
	return s.answer(r)
}

// opened gives the streams that were opened until now.
func (s *server) opened() []open {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.opens)
}

// polled gives when the active list was asked for until now.
func (s *server) polled() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// sends opens, sends the events one after another, and stays open.
func sends(events ...string) act {
	return func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error) {
		open()
		for _, e := range events {
			chunk([]byte(e))
		}
		for {
			select {
			case <-ctx.Done():
				return client.Response{Status: 200}, ctx.Err()
			case <-time.After(15 * time.Second):
				chunk([]byte(": heartbeat\n\n"))
			}
		}
	}
}

// refuses answers with a problem.
func refuses(status, retryAfter int) act {
	return func(context.Context, func(), func([]byte)) (client.Response, error) {
		return refusal(status, retryAfter), nil
	}
}

func refusal(status, retryAfter int) client.Response {
	body, _ := json.Marshal(rest.Problem{Status: status, Code: rest.CodeServerError, RequestID: "req_8F3K", RetryAfterS: retryAfter})
	return client.Response{Status: status, Header: map[string]string{"Content-Type": "application/problem+json"}, Body: body}
}

func encode(name rest.EventName, seq uint64, data any) string {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("id: c%d\nevent: %s\ndata: %s\n\n", seq, name, body)
}

func snapshot(seq uint64, ids ...string) string {
	s := rest.Snapshot{Seq: seq}
	for _, id := range ids {
		s.Sessions = append(s.Sessions, rest.Session{ID: id})
	}
	return encode(rest.EventSnapshot, seq, s)
}

func upsert(seq uint64, id string) string {
	return encode(rest.EventSessions, seq, rest.SessionsFrame{Seq: seq, Upsert: []rest.Session{{ID: id}}})
}

// said is what a watch told, one line each.
type said struct {
	mu    sync.Mutex
	lines []string
	anew  []bool // of the snapshots, whether they are of another start of the server
}

func (s *said) on(frames []client.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range frames {
		switch f := f.(type) {
		case client.Snapshot:
			s.anew = append(s.anew, f.IsAnew)
			s.lines = append(s.lines, fmt.Sprintf("snapshot %d of %d polled=%t", f.Seq, len(f.Sessions), f.Polled))
		case client.Sessions:
			s.lines = append(s.lines, fmt.Sprintf("sessions %d", f.Seq))
		case client.Counts:
			s.lines = append(s.lines, fmt.Sprintf("counts %d", f.Seq))
		case client.Activities:
			s.lines = append(s.lines, fmt.Sprintf("activities %d", f.Seq))
		case client.Status:
			line := string(f.State)
			if f.Polling {
				line += " polling"
			}
			if f.Renewed {
				line += " renewed"
			}
			s.lines = append(s.lines, line)
		}
	}
}

func (s *said) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// watching runs a watch of the scripted server inside a bubble and hands over
// to body; afterwards it ends the watch and gives Run's error.
func watching(t *testing.T, s *server, body func(w *client.Watch, heard *said)) (err error) {
	t.Helper()
	heard := &said{}
	w := client.New(s, s).Watch(heard.on)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); err = w.Run(ctx) }()
	synctest.Wait()
	body(w, heard)
	cancel()
	<-done
	return err
}
