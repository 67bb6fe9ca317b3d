package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/api"
	"parley/server/auth"
	"parley/server/monitor"
	"parley/shared/rest"
)

// desk holds live sessions in memory and tells the monitor, as the real ones do.
type desk struct {
	monitor *monitor.Monitor

	mu   sync.Mutex
	live map[string]rest.Session
}

func (d *desk) start(id, user string) {
	row := rest.Session{ID: id, User: user, Agent: "parrot", State: "active", AgentState: "listening", StartedAt: time.Now()}
	d.mu.Lock()
	d.live[id] = row
	d.mu.Unlock()
	d.monitor.SessionChanged(row)
}

func (d *desk) Admission(user string) (rest.Admission, error) {
	if user == "busy" {
		return rest.Admission{}, &rest.Problem{Code: rest.CodeUserCap}
	}
	return rest.Admission{LinesFree: 99, Cap: 100, Agents: []rest.Agent{{Name: "parrot"}}, ICEServers: []rest.ICEServer{}}, nil
}

func (d *desk) End(id, reason string) error {
	d.mu.Lock()
	row, ok := d.live[id]
	delete(d.live, id)
	d.mu.Unlock()
	if !ok {
		return api.ErrUnknown
	}
	now := time.Now()
	row.State, row.EndCause, row.EndReason, row.EndedAt = "ended", "admin_ended", reason, &now
	d.monitor.SessionChanged(row)
	return nil
}

// feed hands the monitor's frames on.
type feed struct{ *monitor.Monitor }

func (f feed) Next(ctx context.Context, cursor uint64) ([]api.Frame, uint64, error) {
	frames, next, err := f.Monitor.Next(ctx, cursor)
	out := make([]api.Frame, len(frames))
	for i, frame := range frames {
		out[i] = api.Frame(frame)
	}
	return out, next, err
}

// rig is a whole server over pipes: all of net/http but the network, so that
// time can be the bubble's.
type rig struct {
	t       *testing.T
	auth    *auth.Auth
	api     *api.API
	desk    *desk
	monitor *monitor.Monitor
	pipes   *pipes
	log     *lockedBuffer
	client  *http.Client
}

func newRig(t *testing.T, change func(*api.Config)) *rig {
	t.Helper()
	authority, err := auth.New(auth.Config{Secret: []byte("k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u"), Admins: []string{"root", "chief"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, auth: authority, pipes: newPipes(), log: new(lockedBuffer)}
	r.monitor = monitor.New(monitor.Config{Caps: func() (int, int, int) { return 0, 100, 1 }})
	r.desk = &desk{monitor: r.monitor, live: make(map[string]rest.Session)}
	log := slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	config := api.Config{
		Auth: authority, Sessions: r.desk, Monitor: r.monitor, Feed: feed{r.monitor}, Act: r.monitor.Act,
		Log: log, Version: "1.2.3",
		Remote: func(r *http.Request) string { return cmpOr(r.Header.Get("X-Test-Peer"), "192.0.2.1") },
	}
	if change != nil {
		change(&config)
	}
	r.api = api.New(config)
	server := api.Server(r.api, log)
	transport := &http.Transport{DialContext: r.pipes.dial, DisableCompression: true}
	r.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(r.pipes) })
	t.Cleanup(func() {
		r.api.Close()
		_ = server.Close()
		transport.CloseIdleConnections()
		running.Wait()
	})
	return r
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func (r *rig) token(user string, ttl time.Duration) string {
	r.t.Helper()
	token, err := r.auth.Mint(auth.Claims{Subject: user, Name: "Name of " + user}, ttl)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) problem(t *testing.T) rest.Problem {
	t.Helper()
	var p rest.Problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("not a problem: %d %s", a.status, a.body)
	}
	return p
}

// edit changes a request before it goes out.
type edit func(*http.Request)

func with(name string, values ...string) edit {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func bearer(token string) edit { return with("Authorization", "Bearer "+token) }

func (r *rig) as(user string) edit { return bearer(r.token(user, time.Hour)) }

func (r *rig) do(method, path, body string, edits ...edit) answer {
	r.t.Helper()
	res := r.open(method, path, body, edits...)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, raw}
}

func (r *rig) open(method, path, body string, edits ...edit) *http.Response {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://parley.test"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, change := range edits {
		change(req)
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res
}

// pipes is a listener of net.Pipe, which works in a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	ended []time.Time // when the server closed a connection
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case p.conns <- &watched{Conn: theirs, pipes: p}:
		return mine, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) closedAt() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.ended...)
}

// watched notes when the server lets go of a connection.
type watched struct {
	net.Conn
	pipes *pipes
	once  sync.Once
}

func (c *watched) Close() error {
	c.once.Do(func() {
		c.pipes.mu.Lock()
		c.pipes.ended = append(c.pipes.ended, time.Now())
		c.pipes.mu.Unlock()
	})
	return c.Conn.Close()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
