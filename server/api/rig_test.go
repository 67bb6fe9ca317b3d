package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/accesslog"
	"parley/server/admin"
	"parley/server/alert"
	"parley/server/api"
	"parley/server/audit"
	"parley/server/auth"
	"parley/server/bridge"
	"parley/server/logtest"
	"parley/server/metrics"
	"parley/server/monitor"
	"parley/server/privacy"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/rest"
)

const testSecret = "k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u"

// parts are those of a server, on a directory of their own.
type parts struct {
	dir       string
	auth      *auth.Auth
	api       *api.API
	bridge    *bridge.Bridge
	monitor   *monitor.Monitor
	store     *store.Store
	audit     *audit.Log[*store.Tx]
	settings  *settings.Settings
	privacy   *privacy.Privacy
	alerts    *alert.Alerts
	metrics   *metrics.Metrics
	lines     *accesslog.Log
	readings  func() alert.Readings
	deadlines *deadlines
	nodes     nodeActs
}

// rig is a whole server over pipes: all of net/http but the network, so that
// time can be the bubble's.
type rig struct {
	*parts
	t      testing.TB
	began  time.Time
	pipes  *pipes
	log    *logtest.Buffer
	client *http.Client
}

func newRig(t testing.TB, change func(*api.Config)) *rig {
	t.Helper()
	return newRigIn(t, auth.Config{}, change)
}

// newRigIn has what the tests of modes and networks name of the authority.
func newRigIn(t testing.TB, c auth.Config, change func(*api.Config)) *rig {
	t.Helper()
	r := &rig{parts: new(parts), t: t, began: time.Now().UTC().Truncate(time.Millisecond), pipes: newPipes(), log: new(logtest.Buffer)}
	log := slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.build(t, c, log)
	config := r.config(log)
	if change != nil {
		change(&config)
	}
	r.api = api.New(config)
	server := api.Server(r.lines.Wrap(r.api), log)
	transport := &http.Transport{DialContext: r.pipes.dial, DisableCompression: true}
	r.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(r.pipes) })
	t.Cleanup(func() {
		r.api.Close()
		_ = server.Close()
		transport.CloseIdleConnections()
		running.Wait()
		_ = r.audit.Close()
	})
	return r
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (p *parts) build(t testing.TB, c auth.Config, log *slog.Logger) {
	t.Helper()
	var err error
	p.dir = t.TempDir()
	must(t, 0, os.CopyFS(p.dir, os.DirFS(emptyStore)))
	p.store, err = store.Open(context.Background(), p.dir, store.Options{Node: "a", Logger: log})
	must(t, 0, err)
	p.privacy, err = privacy.New(privacy.Config{On: true, Key: []byte(testSecret)})
	must(t, 0, err)
	c.Secret, c.Admins, c.Auditors, c.TrustedProxies = []byte(testSecret), []string{"root", "chief"}, []string{"eve"}, []string{"127.0.0.1"}
	t.Cleanup(func() { _ = p.store.Close() })
	c.SignInStore, c.UserKey, c.RevokedTokens = p.store, p.privacy.UserKey, map[string]time.Time{}
	p.auth, err = auth.New(c)
	must(t, 0, err)
	p.audit = audit.New(audit.Config[*store.Tx]{Store: p.store, Mask: p.privacy, Node: "a", Logger: log})
	p.settings = settings.New(p.store, p.audit, settings.Config{First: settings.Defaults(), Logger: log})
	verdicts := bridge.NewVerdicts()
	p.monitor = monitor.New(monitor.Config{OnVerdict: verdicts.Put, Encode: api.NewEncoder().Encode})
	p.readings = func() alert.Readings { return alert.Readings{} }
	p.alerts = alert.New(alert.Config{
		Readings: func() alert.Readings { return p.readings() }, Store: p.store, AllowPrivate: true, Node: "a", Logger: log,
	})
	p.metrics = metrics.New(metrics.Config{Version: "1.2.3", DataDir: t.TempDir(), Stats: p.monitor.Stats})
	p.lines = accesslog.New(accesslog.Config{
		Sink: p.store, Mask: p.privacy, Node: "a", Remote: p.auth.Remote, UserKey: p.privacy.UserKey, Enabled: p.settings.Monitoring,
	})
	p.openBridge(t, verdicts, log)
}

func (p *parts) config(log *slog.Logger) api.Config {
	p.deadlines = &deadlines{Sessions: p.bridge.Sessions()}
	acts := admin.New(admin.Config[*store.Tx]{
		Audit: p.audit, Sessions: p.deadlines, Record: p.bridge.SessionRecord, Alerts: p.alerts, Tokens: p.auth, Mask: p.privacy, Telemetry: p.store,
	})
	return api.Config{
		Auth: p.auth, Sessions: p.bridge, Operator: acts, Monitor: p.monitor, Stream: p.monitor,
		Record: p.bridge.History(p.store), CallHistory: p.store, Totals: p.store, Revocations: p.store, Usage: p.store, Ratings: p.store, Agents: p.bridge, Logs: p.store, Audit: p.audit, Settings: p.settings, Alerts: p.alerts, AlertOperator: acts,
		Privacy: p.privacy, Confinement: "none", Meter: p.metrics,
		Act: p.monitor.AddActivity, Log: log, Version: "1.2.3",
		Nodes: func(context.Context) ([]rest.Node, error) {
			return []rest.Node{{Name: "n1", State: "live", Self: true}}, nil
		},
		NodeOperator: &p.nodes,
	}
}

// nodeActs are what admins did to the servers of the cluster last.
type nodeActs struct {
	mu     sync.Mutex
	drains map[string]bool
	ended  string
}

func (n *nodeActs) DrainNode(_ context.Context, name string, isDraining bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drains = map[string]bool{name: isDraining}
	return nil
}

func (n *nodeActs) EndNodeCalls(_ context.Context, name, reason string) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = name + ": " + reason
	return 3, nil
}

func (r *rig) token(user string, ttl time.Duration) string {
	r.t.Helper()
	return r.tokenOf(auth.Claims{Subject: user, Name: "Name of " + user}, ttl)
}

func (r *rig) tokenOf(c auth.Claims, ttl time.Duration) string {
	r.t.Helper()
	token, err := r.auth.Mint(c, ttl)
	return must(r.t, token, err)
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

// read decodes an answer that has to be good.
func read[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// edit changes a request before it goes out.
type edit func(*http.Request)

func with(name string, values ...string) edit {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func bearer(token string) edit { return with("Authorization", "Bearer "+token) }

// from names the peer that the trusted proxy saw.
func from(peer string) edit { return with("X-Forwarded-For", peer) }

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

func (r *rig) get(path string, edits ...edit) answer {
	r.t.Helper()
	return r.do("GET", path, "", append([]edit{r.as("root")}, edits...)...)
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

// record is the audit log, newest first.
func (r *rig) record() []rest.AuditEntry {
	r.t.Helper()
	entries, _, err := r.store.Audit(context.Background(), rest.AuditQuery{Limit: rest.MaxLimit})
	return must(r.t, entries, err)
}

// newest is the newest audit line of an action.
func (r *rig) newest(action rest.AuditAction) rest.AuditEntry {
	r.t.Helper()
	for _, e := range r.record() {
		if e.Action == action {
			return e
		}
	}
	r.t.Fatalf("no %s on record", action)
	return rest.AuditEntry{}
}
