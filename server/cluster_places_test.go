package main

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// startEmbeddedCluster starts two nodes whose own NATS servers join each other.
func startEmbeddedCluster(t *testing.T, flags ...string) (a, b *program) {
	t.Helper()
	first, second := freeAddress(t), freeAddress(t)
	shared := append(flags, "--database="+newPostgreSQL(t).Address("postgres"), "--cluster=nats://"+first+",nats://"+second)
	a = start(t, append(shared, "--node=a", "--cluster-listen="+first)...)
	b = startIn(t, dirWithSecretsOf(t, a.dir), append(shared, "--node=b", "--cluster-listen="+second)...)
	eventually(t, "each node hears the other", func() bool { return !isDegraded(t, a, "bus") && !isDegraded(t, b, "bus") })
	return a, b
}

// refusalOf is why a caller is not let in; "" where they are.
func refusalOf(t *testing.T, k *talker) rest.ProblemCode {
	t.Helper()
	eventually(t, "the caller is let in or refused", func() bool { return has[peer.CallAccepted](k) || has[peer.CallEnded](k) })
	if has[peer.CallAccepted](k) {
		return ""
	}
	var refusal *rest.Problem
	if errors.As(k.over(t).Err, &refusal) {
		return refusal.Code
	}
	return "none was given"
}

// holders are the names of the nodes that hold calls, as a node tells.
func holders(t *testing.T, p *program) (names []string) {
	t.Helper()
	for _, row := range p.active(t) {
		names = append(names, row.Node)
	}
	slices.Sort(names)
	return names
}

// TestACallIsTakenOverFromAnotherNode: over the nodes' own NATS servers. The call on the
// other node ends as replaced, its place goes with it, and nobody else's is touched.
func TestACallIsTakenOverFromAnotherNode(t *testing.T) {
	t.Parallel()
	a, b := startEmbeddedCluster(t, "--max-sessions=2", "--max-sessions-per-user=1")
	first := a.talking(t, "ann", "echo")
	checkAdmission(t, b, "eve", "", 1)
	checkAdmission(t, b, "ann", rest.CodeUserCap, 0)
	var shown rest.Admission
	if b.ask(t, "demo-admin", http.MethodGet, rest.PathAdmission, nil, &shown); shown.Held != 1 || !slices.Equal(shown.Nodes, []rest.NodePlaces{{Node: "a", Held: 1}}) {
		t.Errorf("an admin sees %+v", shown)
	}
	bystander := a.talking(t, "bob", "echo")
	checkAdmission(t, b, "eve", rest.CodeCapReached, 0)
	if code := refusalOf(t, b.ring(t, "ann", "echo")); code == "" {
		t.Error("a second call of the user is taken at the other node")
	}
	second := b.comesBack(t, b.token(t, "ann"), true, func(*peer.Config) {})
	eventually(t, "the second page is connected", func() bool { return has[peer.CallConnected](second) })
	second.hears(t)
	if end := first.over(t); end.Ended.Cause != wire.Replaced {
		t.Errorf("the first page ended by %+v", end)
	}
	eventually(t, "both nodes list the calls where they are", func() bool {
		want := []string{"a", "b"}
		return slices.Equal(holders(t, a), want) && slices.Equal(holders(t, b), want)
	})
	if code := refusalOf(t, b.ring(t, "eve", "echo")); code != rest.CodeCapReached {
		t.Errorf("a third call of two: %q", code)
	}
	if has[peer.CallEnded](bystander) {
		t.Error("somebody else's call ended")
	}
	back := a.comesBack(t, a.token(t, "ann"), true, func(*peer.Config) {})
	eventually(t, "it is taken back", func() bool {
		if has[peer.CallEnded](back) {
			t.Fatalf("it is not taken back: %+v", back.over(t))
		}
		return has[peer.CallConnected](back)
	})
	if end := second.over(t); end.Ended.Cause != wire.Replaced {
		t.Errorf("the second page ended by %+v", end)
	}
}

// TestPlacesThatLieUnusedAreGivenBack: a node keeps the place of a user whose call is over
// for their next, and gives it to the node that is short of it when that asks. Without a
// bus nobody can ask, and the place comes free by itself only.
func TestPlacesThatLieUnusedAreGivenBack(t *testing.T) {
	t.Parallel()
	t.Run("with a bus", func(t *testing.T) {
		t.Parallel()
		a, b := startEmbeddedCluster(t, "--max-sessions-per-user=1")
		endOwn(t, a, "ann", a.talking(t, "ann", "echo"))
		before := metricsOf(t, b, "parley_bus_requests_total")["parley_bus_requests_total"]
		if code := refusalOf(t, b.ring(t, "ann", "echo")); code != "" {
			t.Errorf("a place that lies unused at the other node is refused: %q", code)
		}
		if after := metricsOf(t, b, "parley_bus_requests_total")["parley_bus_requests_total"]; after == before {
			t.Error("the other node was not asked: the place was not there")
		}
	})
	t.Run("without one", func(t *testing.T) {
		t.Parallel()
		bus := startBus(t, server.RANDOM_PORT)
		a, b := startCluster(t, bus, "--max-sessions-per-user=1")
		k := a.talking(t, "ann", "echo")
		bus.Shutdown()
		bus.WaitForShutdown()
		endOwn(t, a, "ann", k)
		if code := refusalOf(t, b.ring(t, "ann", "echo")); code == "" {
			t.Error("a place that the other node holds was given away with nobody to ask")
		}
		eventually(t, "it comes free by itself", func() bool { return refusalOf(t, b.ring(t, "ann", "echo")) == "" })
	})
}

// checkAdmission holds what a node tells somebody who would call.
func checkAdmission(t *testing.T, p *program, sub string, refused rest.ProblemCode, free int) {
	t.Helper()
	var found struct {
		rest.Admission
		Code rest.ProblemCode `json:"code"`
	}
	p.ask(t, sub, http.MethodGet, rest.PathAdmission, nil, &found)
	if found.Code != refused || found.LinesFree != free || found.Nodes != nil {
		t.Errorf("%s is told %q, %d lines free, %v", sub, found.Code, found.LinesFree, found.Nodes)
	}
}

// endOwn ends a call as its caller does from another page.
func endOwn(t *testing.T, p *program, sub string, k *talker) {
	t.Helper()
	if status := p.ask(t, sub, http.MethodPost, strings.Replace(rest.PathEndOwn, "{id}", k.session(), 1), nil, nil); status != http.StatusNoContent {
		t.Fatalf("ending an own call: %d", status)
	}
	k.over(t)
}
