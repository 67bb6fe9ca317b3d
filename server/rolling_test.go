package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"parley/shared/rest"
	"parley/shared/wire"
)

// nextMigration is what a later version may do to the schema while nodes of this one run:
// it adds, and takes nothing away.
const nextMigration = `-- +goose Up
ALTER TABLE session ADD COLUMN of_the_next_version TEXT NOT NULL DEFAULT '';
CREATE TABLE next_version (id BIGINT PRIMARY KEY);
`

// buildNext builds the program as a later version, whose schema is ahead by one step.
func buildNext(t *testing.T) (path string) {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("store", "migrations", "postgres", "control"))
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	step, overlay := filepath.Join(scratch, "next.sql"), filepath.Join(scratch, "overlay.json")
	replaceFile(t, step, []byte(nextMigration))
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, "09999_next.sql"): step}})
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, overlay, text)
	path = filepath.Join(scratch, "parley")
	build := exec.Command("go", "build", "-trimpath", "-overlay", overlay, "-ldflags=-X main.version=next", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return path
}

// rolling is a cluster whose nodes are replaced one after the other.
type rolling struct {
	t     *testing.T
	flags []string
	keys  string // the data directory that new ones copy the keys from
}

// startNode starts a node of a version; "" is this one.
func (r *rolling) startNode(name, binary string) *child {
	r.t.Helper()
	dir := r.t.TempDir()
	if r.keys == "" {
		r.keys = dir
	}
	for _, secret := range []string{"user-key", "jwt-secret"} {
		text, err := os.ReadFile(filepath.Join(r.keys, secret))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, secret), text, 0o600)
		}
		if err != nil && r.keys != dir {
			r.t.Fatal(err)
		}
	}
	return spawnProgram(r.t, binary, dir, append(r.flags, "--node="+name)...)
}

// drainAndStop takes a node out as OPERATE.md says: drained at another, it is stopped when
// its calls have ended.
func (r *rolling) drainAndStop(node, at *child, name string, calls ...*talker) {
	r.t.Helper()
	setDraining(r.t, at, name, true)
	for _, k := range calls {
		select {
		case <-k.end:
			r.t.Error("a call ended because its node drains")
		default:
		}
		k.call.Hangup()
		if over := k.over(r.t); over.Ended.Cause != wire.CallerLeft {
			r.t.Errorf("a call of a node that drains ended as %s", over.Ended.Cause)
		}
	}
	eventually(r.t, name+" has no calls", func() bool {
		n, ok := nodeAt(r.t, at, name)
		return ok && n.Draining && n.Calls == 0
	})
	node.signal(r.t, syscall.SIGTERM)
	if code := node.exitWithin(r.t, patience); code != 0 {
		r.t.Errorf("%s ended with %d", name, code)
	}
	node.killed = true // the cleanup has nothing to stop
}

// nodeAt is a node as another lists it.
func nodeAt(t *testing.T, at *child, name string) (n rest.Node, ok bool) {
	t.Helper()
	var page rest.Page[rest.Node]
	at.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &page)
	for _, n := range page.Items {
		if n.Name == name && n.State == "live" {
			return n, true
		}
	}
	return n, false
}

// TestTwoVersionsSideBySide: the nodes of a cluster are replaced one after the other by a
// later version whose schema is ahead. Calls go on on those that aren't replaced yet, the
// cap holds over both versions, both take calls and write to the record; only a node of
// the old version that starts anew is refused, and says why.
func TestTwoVersionsSideBySide(t *testing.T) {
	t.Parallel()
	record := newPostgreSQL(t)
	next := buildNext(t)
	r := &rolling{t: t, flags: []string{"--database=" + record.Address("postgres"), "--cluster=" + startBus(t, server.RANDOM_PORT).ClientURL(), "--max-sessions=2"}}
	a := r.startNode("a", built.path(t))
	b := r.startNode("b", built.path(t))
	eventually(t, "they hear each other", func() bool { return !isDegraded(t, a.program, "bus") && !isDegraded(t, b.program, "bus") })
	ofA, ofB := a.talking(t, "ann", "echo"), b.talking(t, "bob", "echo")

	r.drainAndStop(a, b, "a", ofA)
	a = r.startNode("a", next)
	eventually(t, "the later version is one of the cluster", func() bool {
		n, ok := nodeAt(t, b, "a")
		return ok && n.Version == "next" && n.Reachable && !n.Draining
	})
	ofA = a.ringUntilIn(t, "ann")
	for _, node := range []*child{a, b} { // its cap holds over both
		if end := node.ring(t, "cyd", "echo").over(t); !strings.Contains(end.Err.Error(), string(rest.CodeCapReached)) {
			t.Errorf("a third call of two: %+v", end)
		}
	}
	ofA.call.Hangup()
	ofA.over(t)
	onOld := b.ringUntilIn(t, "dan") // the old version writes to the later schema
	if status := b.ask(t, "demo-admin", http.MethodPost, rest.PathSessions+"/"+onOld.session()+"/end", rest.EndRequest{Reason: "over"}, nil); status >= 300 {
		t.Errorf("an admin's act at the old version: %d", status)
	}
	if status := a.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingIdleTimeout: 7}, nil); status != http.StatusOK {
		t.Errorf("a change at the later version: %d", status)
	}
	eventually(t, "it holds at the old version", func() bool {
		var all rest.Settings
		b.ask(t, "demo-admin", http.MethodGet, rest.PathSettings, nil, &all)
		return all.Settings[rest.SettingIdleTimeout].Value == float64(7)
	})

	late := launchProgram(t, built.path(t), t.TempDir(), append(r.flags, "--node=c")...)
	late.killed = true
	if code := late.exitWithin(t, patience); code == 0 || !strings.Contains(late.logs.String(), "of a newer version of Parley") {
		t.Errorf("an old version that starts after a later one: %d %s", code, late.logs)
	}

	r.drainAndStop(b, a, "b", ofB)
	b = r.startNode("b", next)
	b.ringUntilIn(t, "bob")
}
