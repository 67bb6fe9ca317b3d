package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
	"parley/wasm/peer"
)

// balancers are those whose configuration OPERATE.md has: each starts one before two nodes,
// in the clear, and returns its address.
func balancers() map[string]func(t *testing.T, a, b *child) string {
	return map[string]func(t *testing.T, a, b *child) string{"nginx": startBalancingNginx, "haproxy": startBalancingHAProxy}
}

func startBalancingNginx(t *testing.T, a, b *child) string {
	t.Helper()
	addr, dir := freeAddress(t), t.TempDir()
	server := adapt(t, fencedIn(t, "OPERATE.md", "nginx"), "listen 443 ssl", "listen "+addr,
		"    ssl_certificate     /etc/ssl/parley/cert.pem;\n", "", "    ssl_certificate_key /etc/ssl/parley/key.pem;\n", "",
		"10.0.0.1:8080", strings.TrimPrefix(a.base, "http://"), "10.0.0.2:8080", strings.TrimPrefix(b.base, "http://"))
	config := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr; master_process off;
events {}
http {
access_log off;
client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[2]s}
`, dir, server)
	file := filepath.Join(dir, "nginx.conf")
	replaceFile(t, file, []byte(config))
	startProxy(t, addr, "nginx", "-p", dir, "-c", file)
	return "http://" + addr
}

func startBalancingHAProxy(t *testing.T, a, b *child) string {
	t.Helper()
	addr, file := freeAddress(t), filepath.Join(t.TempDir(), "haproxy.cfg")
	config := adapt(t, fencedIn(t, "OPERATE.md", "haproxy"), "bind :443 ssl crt /etc/haproxy/parley.pem alpn h2,http/1.1", "bind "+addr,
		"10.0.0.1:8080", strings.TrimPrefix(a.base, "http://"), "10.0.0.2:8080", strings.TrimPrefix(b.base, "http://"))
	replaceFile(t, file, []byte(config))
	startProxy(t, addr, "haproxy", "-f", file)
	return "http://" + addr
}

// setDraining drains a node, or has it take calls again, at another; the rest hear of it
// within a second.
func setDraining(t *testing.T, at *child, name string, isDraining bool) {
	t.Helper()
	path := map[bool]string{true: rest.PathDrainNode, false: rest.PathUndrainNode}[isDraining]
	if status := at.ask(t, "demo-admin", http.MethodPost, strings.Replace(path, "{id}", name, 1), nil, nil); status >= 300 {
		t.Fatalf("draining %s %t: %d", name, isDraining, status)
	}
}

// ringUntilIn calls as sub, again while they are refused.
func (p *program) ringUntilIn(t *testing.T, sub string) (in *talker) {
	t.Helper()
	eventually(t, sub+" is in a call", func() bool {
		in = p.ring(t, sub, "echo")
		eventually(t, sub+" is let in or refused", func() bool { return has[peer.CallConnected](in) || has[peer.CallEnded](in) })
		return has[peer.CallConnected](in)
	})
	return in
}

// anewWithin is how long a caller whose node was killed may be without a call.
const anewWithin = 5 * time.Second

// TestCallersBehindABalancer: nobody is sent to a node that drains, and whoever is in a call
// when a node is killed is told, and has a new call on the other within five seconds. It is
// not parallel, for that is measured.
func TestCallersBehindABalancer(t *testing.T) {
	for name, start := range balancers() {
		t.Run(name, func(t *testing.T) {
			_, nodes := spawnNodes(t, "a", "b")
			byName := map[string]*child{"a": nodes[0], "b": nodes[1]}
			balanced := &program{base: start(t, nodes[0], nodes[1]), dir: nodes[0].dir}
			eventually(t, "both hear each other", func() bool { return !isDegraded(t, nodes[0].program, "bus") && !isDegraded(t, nodes[1].program, "bus") })

			setDraining(t, nodes[1], "a", true)
			eventually(t, "the balancer finds the one that takes calls", func() bool {
				return balanced.ask(t, "ann", http.MethodGet, rest.PathAdmission, nil, nil) == http.StatusOK
			})
			for range 4 { // a balancer that sent every other one to a would be caught
				if status := balanced.ask(t, "ann", http.MethodGet, rest.PathAdmission, nil, nil); status != http.StatusOK {
					t.Errorf("while a drains a caller is answered with %d", status)
				}
			}
			first := balanced.talking(t, "ann", "echo")
			if node := events[peer.CallAccepted](first)[0].Hello.Node; node != "b" {
				t.Fatalf("a call came to %s, which drains", node)
			}
			setDraining(t, nodes[1], "a", false)
			eventually(t, "the balancer takes a back", func() bool {
				k := balanced.ringUntilIn(t, "bob")
				defer endOwn(t, balanced, "bob", k)
				return events[peer.CallAccepted](k)[0].Hello.Node == "a"
			})

			killedAt := time.Now()
			byName["b"].kill(t)
			first.over(t)
			toldAfter := time.Since(killedAt)
			second := balanced.ringUntilIn(t, "ann")
			t.Logf("behind %s: told %v after the node was killed, in a new call after %v", name, toldAfter, time.Since(killedAt))
			if took := time.Since(killedAt); took > anewWithin {
				t.Errorf("behind %s the caller was without a call for %v", name, took)
			}
			if node := events[peer.CallAccepted](second)[0].Hello.Node; node != "a" {
				t.Errorf("the new call is on %s", node)
			}
		})
	}
}
