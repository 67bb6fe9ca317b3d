package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/demodata"
	"parley/shared/rest"
)

// TestDemoDataIsThereAndGoesAgain: a server that is asked for it has a day of calls and
// live ones within seconds, which take nobody's line and are told apart; the same
// directory without it has none of them.
func TestDemoDataIsThereAndGoesAgain(t *testing.T) {
	t.Parallel()
	p := spawn(t, "--demo-data") // in a process without the race detector: a day of calls is work
	dir := p.dir
	var me rest.Me
	p.ask(t, "demo-admin", http.MethodGet, rest.PathMe, nil, &me)
	if !me.DemoData {
		t.Error("pages aren't told that there is demo data")
	}
	var live rest.Page[rest.Session]
	eventually(t, "calls are alive", func() bool {
		p.ask(t, "demo-admin", http.MethodGet, rest.PathActive, nil, &live)
		return len(live.Items) > demodata.Live/2
	})
	for _, s := range live.Items {
		if !strings.HasPrefix(s.User, "demo-") || !strings.HasPrefix(s.Agent, "demo-") {
			t.Errorf("not told as made up: %+v", s)
		}
	}
	var nodes rest.Page[rest.Node]
	if p.ask(t, "demo-admin", http.MethodGet, rest.PathNodes, nil, &nodes); len(nodes.Items) != 1 || nodes.Items[0].Calls <= demodata.Live/2 {
		t.Errorf("the node has not the calls of its sessions: %+v", nodes.Items)
	}
	var admission rest.Admission
	p.ask(t, "ada", http.MethodGet, rest.PathAdmission, nil, &admission)
	if admission.LinesFree != admission.Cap {
		t.Errorf("%d of %d lines are free", admission.LinesFree, admission.Cap)
	}
	within(t, "the past is filled", 2*patience, func() bool {
		_, err := os.Stat(filepath.Join(dir, demodata.FolderName, "filled-until"))
		return err == nil
	})
	for path, least := range map[string]int{rest.PathSessions: 100, rest.PathLogs: 100, rest.PathActivities: 100, rest.PathAudit: 20, rest.PathAlerts: 5} {
		var page struct {
			Items []struct{} `json:"items"`
			Chain *rest.Chain
		}
		p.ask(t, "demo-admin", http.MethodGet, path, nil, &page)
		if len(page.Items) < least {
			t.Errorf("%s has %d items", path, len(page.Items))
		}
		if page.Chain != nil && !page.Chain.Intact {
			t.Errorf("the chain is broken: %+v", page.Chain)
		}
	}
	var one rest.Connection
	p.ask(t, "demo-admin", http.MethodGet, strings.Replace(rest.PathConnection, "{id}", oldest(t, p.program), 1), nil, &one)
	if len(one.Streams) != 6 {
		t.Errorf("a call of the past has %d streams", len(one.Streams))
	}
	ending := startStopwatch(p.cmd.Process.Pid)
	p.terminate(t)
	p.exitWithin(t, patience)
	ending.over(t, "it ends, for nobody calls", 30*time.Second)

	again := start(t, "--data-dir="+dir)
	if _, err := os.Stat(filepath.Join(dir, demodata.FolderName)); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	for _, path := range []string{rest.PathSessions, rest.PathActive, rest.PathAlerts, rest.PathUsage} {
		var page rest.Page[any]
		again.ask(t, "demo-admin", http.MethodGet, path, nil, &page)
		if len(page.Items) > 0 && path != rest.PathUsage {
			t.Errorf("%s still has %d items", path, len(page.Items))
		}
	}
}

// oldest is the session of the first of the ended ones that was rated.
func oldest(t *testing.T, p *program) string {
	t.Helper()
	var page rest.Page[rest.SessionRecord]
	p.ask(t, "demo-admin", http.MethodGet, rest.PathSessions, nil, &page)
	for _, s := range page.Items {
		if s.Quality.Level != "none" && s.Node == demodata.Node {
			return s.ID
		}
	}
	t.Fatal("no call of the past was rated")
	return ""
}
