package main

import (
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"parley/shared/rest"
	"parley/shared/wire"
)

// startBus starts an external NATS server, on a port that is free or on one that was.
func startBus(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return s
}

// startCluster starts two servers that are nodes of one cluster.
func startCluster(t *testing.T, bus *server.Server, flags ...string) (a, b *program) {
	t.Helper()
	database := newPostgreSQL(t)
	flags = append(flags, "--database="+database.Address("postgres"), "--cluster="+bus.ClientURL())
	a = start(t, append(flags, "--node=a", "--node-address=https://a.example.org")...)
	return a, startIn(t, dirWithSecretsOf(t, a.dir), append(flags, "--node=b")...)
}

// dirWithSecretsOf is a data directory with what a node has in common with the first.
func dirWithSecretsOf(t *testing.T, first string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"user-key", "jwt-secret"} {
		secret, err := os.ReadFile(filepath.Join(first, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), secret, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestTwoNodesAreOneServer: an admin at one node sees and ends a call on the other; settings
// and revocations hold on both; without the bus each serves its own calls, and says so.
func TestTwoNodesAreOneServer(t *testing.T) {
	t.Parallel()
	bus := startBus(t, server.RANDOM_PORT)
	a, b := startCluster(t, bus)
	live := func(p *program) []rest.Session {
		var page rest.Page[rest.Session]
		if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathActive, nil, &page); status != http.StatusOK {
			t.Errorf("live: %d", status)
		}
		return page.Items
	}
	var all rest.Page[rest.Node]
	eventually(t, "each node reaches the other", func() bool {
		if status := b.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &all); status != http.StatusOK {
			t.Errorf("nodes: %d", status)
		}
		return len(all.Items) == 2 && all.Items[0].Reachable
	})
	if n := all.Items[0]; n.Name != "a" || n.Self || !all.Items[1].Self || n.State != "live" {
		t.Errorf("nodes: %+v", all.Items)
	}
	eventually(t, "the other node tells how it does", func() bool {
		b.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &all)
		n := all.Items[0]
		return n.ResidentBytes > 1<<20 && n.CPU > 0 && n.ClockSkewMS != nil && math.Abs(*n.ClockSkewMS) < 500 && n.HeartbeatAgeS != nil && *n.HeartbeatAgeS < 4
	})
	k := a.talking(t, "ann", "echo")
	eventually(t, "the call is seen at the other node", func() bool {
		rows := live(b)
		return len(rows) == 1 && rows[0].ID == k.session() && rows[0].Node == "a"
	})
	end := func(p *program, id string) int {
		return p.ask(t, "demo-admin", http.MethodPost, rest.PathSessions+"/"+id+"/end", rest.EndRequest{Reason: "over"}, nil)
	}
	if status := end(b, k.session()); status >= 300 {
		t.Fatalf("ending a call of the other node: %d", status)
	}
	eventually(t, "the call is over at both", func() bool { return len(live(a))+len(live(b)) == 0 })

	if status := b.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingMaxSessions: 7}, nil); status != http.StatusOK {
		t.Fatalf("settings: %d", status)
	}
	eventually(t, "the setting holds at the other node", func() bool {
		var all rest.Settings
		a.ask(t, "demo-admin", http.MethodGet, rest.PathSettings, nil, &all)
		return all.Settings[rest.SettingMaxSessions].Value == float64(7)
	})

	drainsFromElsewhere(t, a, b)
	endsFromElsewhere(t, a, b)
	callersActFromElsewhere(t, a, b)
	judgedByOne(t, a, b)

	port := bus.Addr().(*net.TCPAddr).Port
	bus.Shutdown()
	bus.WaitForShutdown()
	k = a.talking(t, "bob", "echo")
	eventually(t, "the node says that the bus is away", func() bool { return isDegraded(t, a, "bus") && isDegraded(t, b, "bus") })
	if status := end(b, k.session()); status != http.StatusServiceUnavailable {
		t.Errorf("ending a call that can't be reached: %d", status)
	}
	if got := metricsOf(t, b, "parley_bus_"); got["parley_bus_connected"] != "0" || got[`parley_bus_request_failures_total{reason="unreachable"}`] == "0" {
		t.Errorf("counted while the bus is away: %v", got)
	}
	startBus(t, port)
	eventually(t, "all is as before", func() bool {
		return !isDegraded(t, a, "bus") && !isDegraded(t, b, "bus") && len(live(b)) == 1
	})
	if status := end(b, k.session()); status >= 300 {
		t.Errorf("ending it then: %d", status)
	}
	got := metricsOf(t, b, "parley_bus_")
	for _, name := range []string{"parley_bus_connected", "parley_bus_reconnects_total", "parley_bus_messages_sent_total", "parley_bus_messages_received_total", "parley_bus_requests_total"} {
		if got[name] == "" || got[name] == "0" {
			t.Errorf("%s is %q after all that", name, got[name])
		}
	}
}

// metricsOf are the series whose names begin so.
func metricsOf(t *testing.T, p *program, prefix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(p.text(t, rest.PathMetrics)) {
		if series, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(series, prefix) {
			found[series] = value
		}
	}
	return found
}

// drainsFromElsewhere has b take no new calls, and then calls again, by a; both are seen in
// the list of nodes at either.
func drainsFromElsewhere(t *testing.T, a, b *program) {
	t.Helper()
	for _, drains := range []bool{true, false} {
		path := map[bool]string{true: rest.PathDrainNode, false: rest.PathUndrainNode}[drains]
		if status := a.ask(t, "demo-admin", http.MethodPost, strings.Replace(path, "{id}", "b", 1), nil, nil); status >= 300 {
			t.Fatalf("draining %t: %d", drains, status)
		}
		eventually(t, "all see it", func() bool {
			var page rest.Page[rest.Node]
			status := a.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &page)
			i := slices.IndexFunc(page.Items, func(n rest.Node) bool { return n.Name == "b" })
			return status == http.StatusOK && len(page.Items) == 2 && i >= 0 && page.Items[i].Draining == drains && page.Items[i].Reachable
		})
		want := map[bool]int{true: http.StatusServiceUnavailable, false: http.StatusOK}[drains]
		var refusal rest.Problem
		if status := b.ask(t, "eve", http.MethodGet, rest.PathAdmission, nil, &refusal); status != want {
			t.Errorf("draining %t: a call is answered with %d", drains, status)
		}
		if drains && (refusal.Code != rest.CodeDraining || refusal.RetryAfterS != 1 || !slices.Equal(refusal.Nodes, []string{"https://a.example.org"})) {
			t.Errorf("who is refused is sent nowhere: %+v", refusal)
		}
		if status := b.ask(t, "", http.MethodGet, rest.PathReady, nil, nil); status != want {
			t.Errorf("draining %t: the balancer is told %d", drains, status)
		}
	}
}

// endsFromElsewhere has all calls of a end by b, with a reason.
func endsFromElsewhere(t *testing.T, a, b *program) {
	t.Helper()
	first, second := a.talking(t, "fay", "echo"), a.talking(t, "gus", "echo")
	var done rest.NodeCallsEnded
	status := b.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathEndNodeCalls, "{id}", "a", 1), rest.EndRequest{Reason: "power"}, &done)
	if status != http.StatusOK || done.Ended != 2 {
		t.Errorf("%d calls ended: %d", done.Ended, status)
	}
	for _, k := range []*talker{first, second} {
		if over := k.over(t); over.Ended.Cause != wire.AdminEnded || over.Ended.Message != "power" {
			t.Errorf("a call of a node whose calls were ended: %+v", over)
		}
	}
}

// isDegraded reports whether a server says that a part of it doesn't work.
func isDegraded(t *testing.T, p *program, part string) bool {
	t.Helper()
	return strings.Contains(p.text(t, rest.PathReady), `"`+part+`"`)
}
