package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

// startBalancer starts an nginx before two nodes, by the configuration that OPERATE.md has
// but in the clear, and returns its origin.
func startBalancer(t *testing.T, a, b *server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, dir := listener.Addr().String(), t.TempDir()
	listener.Close()
	guide, err := os.ReadFile("../OPERATE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```nginx\n")
	text, _, found := strings.Cut(text, "```\n")
	for _, change := range [][2]string{
		{"listen 443 ssl", "listen " + address},
		{"    ssl_certificate     /etc/ssl/parley/cert.pem;\n", ""},
		{"    ssl_certificate_key /etc/ssl/parley/key.pem;\n", ""},
		{"10.0.0.1:8080", strings.TrimPrefix(a.origin(), "http://")},
		{"10.0.0.2:8080", strings.TrimPrefix(b.origin(), "http://")},
	} {
		if found = found && strings.Contains(text, change[0]); !found {
			t.Fatalf("OPERATE.md's nginx has no %q", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	file := filepath.Join(dir, "nginx.conf")
	config := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr; master_process off;
events {}
http {
access_log off;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[2]s}
`, dir, text)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		nginx = "/usr/sbin/nginx"
	}
	cmd := exec.Command(nginx, "-p", dir, "-c", file)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: make tools installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // its error is the kill
	})
	eventually(t, "nginx listens", patience, func() (string, bool) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err.Error(), false
		}
		conn.Close()
		return "", true
	})
	return "http://" + address
}

// TestACallMovesToAnotherServer: behind a balancer a caller whose server is stopped is told
// so before, and speaks on another server after it, with nothing pressed.
func TestACallMovesToAnotherServer(t *testing.T) {
	t.Parallel()
	a, b := startNodes(t, "--drain-timeout=8s")
	a.waitForNode("b is heard", "b", func(n rest.Node) bool { return n.Reachable })
	b.waitForNode("a is heard", "a", func(n rest.Node) bool { return n.Reachable })
	balancer := startBalancer(t, a, b)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(strings.Replace(a.callerLink, a.origin(), balancer, 1))
	caller.mayComplain("WebSocket")
	caller.mayComplain("net::ERR_")
	caller.mayComplain("503")
	caller.startCall()

	first := a.onlySession(t)
	holder, other := a, b
	if first.Node == "b" {
		holder, other = b, a
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		holder.stop()
		holder.cmd = nil
	}()
	t.Cleanup(func() { <-stopped })
	caller.says("Short interruption coming")
	caller.says("Your call moves to another line, with a pause of about 2 s.")
	caller.pictures("moves")
	<-stopped
	caller.says("Agent is ")
	second := other.onlySession(t)
	if second.ID == first.ID || second.Node == first.Node {
		t.Errorf("after the move the session is %s on %s; it was %s on %s", second.ID, second.Node, first.ID, first.Node)
	}
	heard := caller.sound().Packets
	eventually(t, "the caller hears the other server", patience, func() (string, bool) {
		now := caller.sound().Packets
		return fmt.Sprint(now), now > heard
	})
	if ended := other.record(t, first.ID); ended.EndCause != wire.ServerShutdown {
		t.Errorf("the first call ended with %s", ended.EndCause)
	}
}
