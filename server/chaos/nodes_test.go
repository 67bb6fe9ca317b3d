//go:build linux

package chaos_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"parley/server/auth"
	"parley/server/logtest"
	"parley/shared/rest"
)

const (
	parley   = "../../bin/parley" // what `make build` makes
	admin    = "boss"
	patience = 90 * time.Second // of two cores that carry three nodes and 300 callers
)

// deployment is what all nodes have in common.
type deployment struct {
	t      *testing.T
	net    *network
	flags  []string
	secret []byte
	keys   *auth.Auth
	nodes  []*node
}

// node is one server of the deployment.
type node struct {
	of   *deployment
	n    int
	dir  string
	cmd  *exec.Cmd
	logs logtest.Buffer
}

func (n *node) base() string { return "http://" + addressOf(n.n) + ":8080" }

// start starts a node, again if it was killed, and waits until it serves.
func (n *node) start() {
	t := n.of.t
	t.Helper()
	path, err := filepath.Abs(parley)
	if err != nil {
		t.Fatal(err)
	}
	n.cmd = n.of.net.in(n.n, path, append([]string{
		"serve", "--admins=" + admin, "--agent=echo", "--drain-timeout=2s", "--media-private",
		"--http=" + addressOf(n.n) + ":8080", "--media-addr=" + addressOf(n.n) + ":8081",
		"--data-dir=" + n.dir, fmt.Sprintf("--node=node%d", n.n), "--node-address=" + n.base(),
	}, n.of.flags...)...)
	n.cmd.Stdout, n.cmd.Stderr = &n.logs, &n.logs
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n.of.eventually(fmt.Sprintf("node %d serves", n.n), func() bool {
		res, err := http.Get(n.base() + rest.PathHealth)
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// kill ends a node as a power cut does.
func (n *node) kill() {
	n.signal(syscall.SIGKILL)
	_ = n.cmd.Wait() // by the signal
}

// signal signals the server itself: `ip netns exec` has become it.
func (n *node) signal(s syscall.Signal) {
	n.of.t.Helper()
	if err := n.cmd.Process.Signal(s); err != nil {
		n.of.t.Fatal(err)
	}
}

// stop asks the node to end.
func (n *node) stop() {
	if n.cmd == nil || n.cmd.ProcessState != nil {
		return
	}
	n.signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = n.cmd.Process.Signal(syscall.SIGQUIT) }) // which says what it waits for
	defer kill.Stop()
	if err := n.cmd.Wait(); err != nil {
		n.of.t.Errorf("node %d ended with %v:\n%s", n.n, err, n.logs.String())
	}
}

// ask sends a request as sub and decodes the answer into out.
func (n *node) ask(ctx context.Context, sub, method, path string, body, out any) (status int, err error) {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, n.base()+path, sent)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+n.of.token(sub))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if out == nil || res.StatusCode != http.StatusOK {
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	return res.StatusCode, json.NewDecoder(res.Body).Decode(out)
}

func (d *deployment) token(sub string) string {
	d.t.Helper()
	token, err := d.keys.Mint(auth.Claims{Subject: sub}, time.Hour)
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

func (d *deployment) eventually(what string, is func() bool) {
	d.t.Helper()
	for began := time.Now(); !is(); pause(d.t.Context(), 100*time.Millisecond) {
		if time.Since(began) > patience {
			d.t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// say writes what happens and when, so that a failure can be followed.
func (d *deployment) say(what string, args ...any) {
	d.t.Helper()
	d.t.Logf("%s %s", time.Now().Format("15:04:05.000"), fmt.Sprintf(what, args...))
}

// writeSecret is the token secret in a file that all nodes read.
func writeSecret(t *testing.T) (file string, secret []byte) {
	t.Helper()
	secret = []byte(rand.Text() + rand.Text())
	file = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, secret
}
