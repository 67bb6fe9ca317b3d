package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	nats "github.com/nats-io/nats-server/v2/server"

	"parley/server/store/postgres/postgrestest"
	"parley/shared/rest"
)

// startNodes starts two servers that are one cluster, over a PostgreSQL and a NATS of
// their own.
func startNodes(t *testing.T, flags ...string) (a, b *server) {
	t.Helper()
	database, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	bus, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: nats.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	bus.Start()
	t.Cleanup(func() { bus.Shutdown(); bus.WaitForShutdown() })
	if !bus.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	flags = append(flags, "--database="+database.Address("postgres"), "--cluster="+bus.ClientURL())
	a = startServer(t, nil, slices.Concat(flags, []string{"--node=a"})...)
	b = &server{t: t, binary: parleyBinary, flags: slices.Concat(flags, []string{"--node=b"}), dataDir: filepath.Join(t.TempDir(), "data"), tempDir: t.TempDir()}
	if err := os.MkdirAll(b.dataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"user-key", "jwt-secret"} {
		text, err := os.ReadFile(filepath.Join(a.dataDir, secret))
		if err == nil {
			err = os.WriteFile(filepath.Join(b.dataDir, secret), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.start("127.0.0.1:0", "127.0.0.1:0")
	t.Cleanup(b.stop)
	return a, b
}

// waitForNode waits until a server lists a node as it should be.
func (s *server) waitForNode(what, name string, is func(rest.Node) bool) {
	s.t.Helper()
	eventually(s.t, what, patience, func() (string, bool) {
		var page rest.Page[rest.Node]
		err := s.get(rest.PathNodes, &page)
		i := slices.IndexFunc(page.Items, func(n rest.Node) bool { return n.Name == name })
		return fmt.Sprintf("%+v, %v", page.Items, err), i >= 0 && is(page.Items[i])
	})
}

// TestAnAdminDrainsANode: at the page of one server another is drained, which both show;
// its calls go on, are found from there, and are ended from there; then it is taken back.
func TestAnAdminDrainsANode(t *testing.T) {
	t.Parallel()
	a, b := startNodes(t)
	a.waitForNode("b is heard", "b", func(n rest.Node) bool { return n.Reachable })
	browser := startBrowser(t, microphone{voice: voice(t)}, nil)
	caller := browser.signIn(b.callerLink)
	caller.startCall()
	b.waitForNode("a is heard", "a", func(n rest.Node) bool { return n.Reachable })
	atA := browser.open(a.adminLink)
	atA.says("Calls by quality, stacked")
	atA.goTo(a.origin() + "/admin/nodes")
	atB := browser.open(b.adminLink)
	atB.says("Calls by quality, stacked")
	atB.goTo(b.origin() + "/admin/nodes")
	atA.says("2 nodes take calls. 1 call in all.")
	if strips := evaluate[int](atA, "document.querySelectorAll('.node-beats[aria-label^=\"Heard in\"]').length"); strips != 2 {
		t.Errorf("%d strips of heartbeats, of two nodes", strips)
	}
	atA.says("reachable")
	atA.isAccessibleWideAndNarrow("nodes")

	atA.press("Drain b")
	atA.says("No new calls here. 1 live call goes on until it ends.")
	atA.isAccessible("a node is drained")
	atA.press("Drain")
	for _, at := range []*screen{atA, atB} {
		at.says("1 node takes calls, 1 draining.")
		at.says("Draining")
	}
	atB.press("Drain a")
	atB.says("No other node takes calls: draining this one stops new calls for everyone.")
	atB.press("Cancel")
	atA.isAccessibleWideAndNarrow("nodes draining")

	atA.press("1 / 100 calls of b")
	atA.says("Any node")
	if at := atA.address(); at != a.origin()+"/admin/sessions?node=b" {
		t.Errorf("the calls of a node are at %s", at)
	}
	atA.goTo(a.origin() + "/admin/nodes")
	atA.press("Access logs of a")
	atA.says("requests shown")
	if node := evaluate[string](atA, "document.querySelector('#filter-node').value"); node != "a" {
		t.Errorf("the lines are filtered by node %q", node)
	}
	atA.goTo(a.origin() + "/admin/nodes")
	atA.press("End calls of b")
	atA.says("End 1 call of b?")
	atA.press("Maintenance")
	atA.press("End calls")
	caller.says("Maintenance")
	atA.saysNot("End 1 call of b?")
	atA.press("Undrain b")
	for _, at := range []*screen{atA, atB} {
		at.says("2 nodes take calls. 0 calls in all.")
	}
}
