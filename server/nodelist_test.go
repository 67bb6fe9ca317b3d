package main

import (
	"net/http"
	"strings"
	"testing"

	"parley/shared/rest"
)

// TestAServerAloneIsTheOnlyNode: it is listed, takes no new calls when it is drained, and
// its calls are ended with a reason.
func TestAServerAloneIsTheOnlyNode(t *testing.T) {
	t.Parallel()
	p := start(t)
	only := func() (n rest.Node) {
		t.Helper()
		var page rest.Page[rest.Node]
		if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &page); status != http.StatusOK || len(page.Items) != 1 {
			t.Fatalf("nodes: %d, %+v", status, page.Items)
		}
		return page.Items[0]
	}
	n := only()
	if n.Name == "" || n.State != "live" || !n.Self || !n.Leader || !n.Reachable || n.Cap != 100 || n.Media == "" || n.ResidentBytes == 0 || n.StartedAt.IsZero() {
		t.Errorf("alone it is %+v", n)
	}
	if !n.LeaseBy.IsZero() || n.Heartbeats != "" || n.HeartbeatAgeS != nil {
		t.Errorf("alone it has a lease, or is heard: %+v", n)
	}
	eventually(t, "it finds its own TURN server", func() bool { return only().TURN == rest.TURNReachable })

	k := p.talking(t, "ann", "echo")
	act := func(path string, body any) int {
		return p.ask(t, "demo-admin", http.MethodPost, strings.Replace(path, "{id}", n.Name, 1), body, nil)
	}
	for _, drains := range []bool{true, false} {
		path, want := rest.PathUndrainNode, http.StatusOK
		if drains {
			path, want = rest.PathDrainNode, http.StatusServiceUnavailable
		}
		if status := act(path, nil); status >= 300 {
			t.Fatalf("draining %t: %d", drains, status)
		}
		if status := p.ask(t, "", http.MethodGet, rest.PathReady, nil, nil); status != want || only().Draining != drains || only().Calls != 1 {
			t.Errorf("draining %t: a balancer is told %d, admins %+v", drains, status, only())
		}
	}
	if status := act(rest.PathEndNodeCalls, rest.EndRequest{Reason: "power"}); status != http.StatusOK {
		t.Errorf("its calls are ended with %d", status)
	}
	end := <-k.end
	k.end <- end
	if end.Ended.Message != "power" {
		t.Errorf("the caller is told %+v", end)
	}
	if status := p.ask(t, "demo-admin", http.MethodPost, strings.Replace(rest.PathDrainNode, "{id}", "nobody", 1), nil, nil); status != http.StatusNotFound {
		t.Errorf("a node that there is not is drained: %d", status)
	}
}

// TestWithoutTURNNoneIsLookedFor.
func TestWithoutTURNNoneIsLookedFor(t *testing.T) {
	t.Parallel()
	p := start(t, "--turn=off")
	eventually(t, "it says so", func() bool {
		var page rest.Page[rest.Node]
		p.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &page)
		return len(page.Items) == 1 && page.Items[0].TURN == rest.TURNOff
	})
}
