package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// ringRelayed calls the server by its TURN server alone.
func (p *program) ringRelayed(t *testing.T, sub string) *talker {
	t.Helper()
	k := &talker{end: make(chan peer.CallEnded, 1)}
	k.Caller = native.New(native.Config{Server: p.base, Token: p.token(t, sub), Agent: "echo", Heard: k.heard, RelayOnly: true})
	k.call = peer.New(k.Peer(k.saw))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { k.end <- k.call.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-k.end
	})
	return k
}

func TestACallIsRelayed(t *testing.T) {
	t.Parallel()
	p := start(t)
	k := p.ringRelayed(t, "ann")
	eventually(t, "ann is connected", func() bool { return has[peer.CallConnected](k) })
	k.say(t, time.Second, true)
	eventually(t, "nearly all of 50 packets come back", func() bool { return len(k.back()) >= 45 })
	if !strings.Contains(p.logs.String(), "msg=relayed event=turn session="+k.session()+" transport=tcp") {
		t.Error("nothing was relayed over TCP")
	}
	k.call.Hangup()
	eventually(t, "nothing is relayed after the call", func() bool {
		logs := p.logs.String()
		return strings.Count(logs, `msg="no longer relayed"`) == strings.Count(logs, "msg=relayed ")
	})
}

// What INSTALL.md shows can be written so.
func TestInstallsICEServersAreRead(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("INSTALL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```yaml\nice_servers:")
	block, _, _ = strings.Cut("ice_servers:"+block, "```")
	dir := t.TempDir()
	for _, name := range []string{"turn-secret", "turn-password"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "ice-servers.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(block, "/etc/parley", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--ice-servers="+file)
	var admission rest.Admission
	p.ask(t, "ann", "GET", rest.PathAdmission, nil, &admission)
	if len(admission.ICEServers) != 4 || !strings.HasPrefix(admission.ICEServers[0].URLs[0], "turn:127.0.0.1:") ||
		admission.ICEServers[3].Username != "parley" || admission.ICEServers[3].Credential != "secret" {
		t.Errorf("callers are told of %+v", admission.ICEServers)
	}
}

func TestNothingIsRelayedWhenItIsOff(t *testing.T) {
	t.Parallel()
	p := start(t, "--turn=off")
	var admission rest.Admission
	p.ask(t, "ann", "GET", rest.PathAdmission, nil, &admission)
	if len(admission.ICEServers) != 0 {
		t.Errorf("callers are told of %+v", admission.ICEServers)
	}
	k := p.talking(t, "ann", "echo")
	k.say(t, time.Second, true)
	eventually(t, "the call is as ever", func() bool { return len(k.back()) >= 45 })
}
