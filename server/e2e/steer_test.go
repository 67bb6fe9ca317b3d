package e2e_test

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// OpenAI's client for Node, and the WebSocket that it is made for. They take nothing else.
const (
	openAIPackage, openAIArchive = "openai@6.49.0", "openai-6.49.0.tgz"
	socketPackage, socketArchive = "ws@8.23.0", "ws-8.23.0.tgz"
)

// steeringProgram is a backend that steers a call by OpenAI's client, unchanged but for
// the address. It prints what it is told.
const steeringProgram = `
const { OpenAI } = require('openai');
const { OpenAIRealtimeWS } = require('openai/realtime/ws');
const client = new OpenAI({ apiKey: process.env.STEERING_TOKEN, baseURL: process.env.PARLEY + '/v1' });
OpenAIRealtimeWS.create(client, { callID: process.env.CALL }).then(call => {
  const tell = (what, value) => console.log(what, JSON.stringify(value));
  call.on('session.created', e => {
    tell('created', e.session.instructions);
    call.send({ type: 'conversation.item.delete', item_id: 'item_1' });
    call.send({ type: 'session.update', session: { type: 'realtime', instructions: 'Only speak of the tangerine.' } });
  });
  call.on('error', e => tell('refused', e.error));
  call.on('session.updated', e => {
    tell('updated', e.session.instructions);
    call.close();
  });
  call.socket.on('close', code => tell('closed', code));
});
`

// steerByOpenAIsClient has a backend join a call: it is told what makes the agent, is
// refused what it may not do, and gives the agent other instructions. OpenAI's client
// speaks TLS only, so that it comes by a proxy.
func steerByOpenAIsClient(t *testing.T, srv *server, call string) {
	t.Helper()
	target, err := url.Parse(srv.origin())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	defer proxy.Close()
	dir := t.TempDir()
	for name, archive := range map[string][2]string{"openai": {openAIPackage, openAIArchive}, "ws": {socketPackage, socketArchive}} {
		unpackModule(t, filepath.Join(dir, "node_modules", name), archive[0], archive[1])
	}
	root := filepath.Join(dir, "root.pem")
	if err := os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "-e", steeringProgram)
	node.Dir = dir
	node.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+root, "PARLEY="+proxy.URL, "STEERING_TOKEN="+steeringToken, "CALL="+call)
	out, err := node.CombinedOutput()
	told := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(told) != 4 {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, want := range []string{`created "` + secretInstructions, "refused {", `updated "Only speak of the tangerine.`, "closed 1000"} {
		if !strings.HasPrefix(told[i], want) {
			t.Errorf("the backend prints %s, want %s", told[i], want)
		}
	}
	if !strings.Contains(told[1], "event_not_allowed") {
		t.Errorf("it is refused by %s", told[1])
	}
}

// unpackModule puts a package of npm's where Node looks for it.
func unpackModule(t *testing.T, dir, name, archive string) {
	t.Helper()
	path, err := npmArchive(name, archive)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", "-xzf", path, "-C", dir, "--strip-components=1").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
