package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// spawnNodes starts processes that are nodes of one cluster.
func spawnNodes(t *testing.T, names ...string) (database string, nodes []*child) {
	t.Helper()
	record := newPostgreSQL(t)
	database = "--database=" + record.Address("postgres")
	bus := startBus(t, server.RANDOM_PORT)
	for _, name := range names {
		dir := t.TempDir()
		if len(nodes) > 0 {
			dir = dirWithSecretsOf(t, nodes[0].dir)
		}
		nodes = append(nodes, spawnIn(t, dir, database, "--cluster="+bus.ClientURL(), "--node="+name, "--max-sessions=3"))
	}
	return database, nodes
}

// TestNodesThatDieOrStandStill: of three nodes whose cap is reached one is killed and one
// stands still for longer than its lease. Their calls end once, as node_lost, their places
// are free then and not before, the one that comes back joins again, and the chain holds.
func TestNodesThatDieOrStandStill(t *testing.T) {
	t.Parallel()
	database, nodes := spawnNodes(t, "a", "b", "c")
	a, b, c := nodes[0], nodes[1], nodes[2]
	calls := map[string]wire.EndCause{}
	for i, node := range nodes {
		k := node.talking(t, []string{"ann", "bob", "cyd"}[i], "echo")
		calls[k.session()] = wire.NodeLost
		if node == a {
			calls[k.session()] = ""
		}
	}
	isRefused := func() bool {
		var refusal *rest.Problem
		return errors.As(a.ring(t, "dan", "echo").over(t).Err, &refusal) && refusal.Code == rest.CodeCapReached
	}
	if !isRefused() {
		t.Error("a fourth call of three is not refused")
	}
	b.kill(t)
	c.signal(t, syscall.SIGSTOP)
	if !isRefused() {
		t.Error("places are given away while the leases that they stand for are in force")
	}
	causes := func() map[string]wire.EndCause {
		var page rest.Page[rest.SessionRecord]
		if status := a.ask(t, "demo-admin", http.MethodGet, rest.PathSessions, nil, &page); status != http.StatusOK {
			t.Errorf("the record: %d", status)
		}
		found := map[string]wire.EndCause{}
		for _, r := range page.Items {
			found[r.ID] = r.EndCause
		}
		return found
	}
	areAsWanted := func() bool {
		found := causes()
		for id, want := range calls {
			if found[id] != want {
				return false
			}
		}
		return true
	}
	eventually(t, "the calls of both are ended in the record", areAsWanted)
	k := a.talking(t, "dan", "echo") // their places are free
	calls[k.session()] = ""
	c.signal(t, syscall.SIGCONT)
	eventually(t, "the one that stood still has a lease again", func() bool {
		return strings.Contains(c.logs.String(), "joined the cluster again") && !isDegraded(t, c.program, "lease")
	})
	if found := causes(); !areAsWanted() {
		t.Errorf("after it came back: %v, want %v", found, calls)
	}
	c.talking(t, "eve", "echo")
	var said bytes.Buffer
	if err := run(t.Context(), []string{"audit", "verify", database, "--data-dir=" + a.dir}, &said, &said, nil); err != nil || !strings.Contains(said.String(), "intact") {
		t.Errorf("the chain: %v %s", err, said.String())
	}
}

// TestWhoGaveUpOnAServerThatStoodStillCallsAtOnce: their request waited in the kernel, was
// answered when the server went on, and holds no place.
func TestWhoGaveUpOnAServerThatStoodStillCallsAtOnce(t *testing.T) {
	t.Parallel()
	c := spawn(t, "--max-sessions-per-user=1")
	token := c.token(t, "eve")
	c.signal(t, syscall.SIGSTOP)
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: parley\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", rest.PathSocket, token, wire.Subprotocol)
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	wentOn := time.Now()
	c.signal(t, syscall.SIGCONT)
	eventually(t, "the request is answered", func() bool { return strings.Contains(c.logs.String(), "cause="+string(wire.ConnectionLost)) })
	if took := time.Since(wentOn); took > session.DefaultReconnectGrace/2 {
		t.Errorf("its place was free after %v", took)
	}
	if code := refusalOf(t, c.ring(t, "eve", "echo")); code != "" {
		t.Errorf("refused with %q", code)
	}
}
