//go:build linux

package chaos_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// hub is the address of the callers', the database's and the bus's end of the network.
const hub = "10.77.0.1"

// network joins the namespace of this process with one for each node.
type network struct {
	t     *testing.T
	names []string // of the nodes' namespaces
}

func addressOf(node int) string { return fmt.Sprintf("10.77.0.%d", 11+node) }

// openNetwork makes a bridge with so many nodes on it.
func openNetwork(t *testing.T, nodes int) *network {
	t.Helper()
	n := &network{t: t}
	n.ip("link", "set", "lo", "up")
	n.ip("link", "add", "hub", "type", "bridge")
	n.ip("addr", "add", hub+"/24", "dev", "hub")
	n.ip("link", "set", "hub", "up")
	for i := range nodes {
		name := fmt.Sprintf("%s-%d", os.Getenv(inside), i)
		n.names = append(n.names, name)
		n.ip("netns", "add", name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		here, there := wireOf(i), "eth0"
		n.ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
		n.ip("link", "set", here, "master", "hub", "up")
		n.ip("-n", name, "link", "set", "lo", "up")
		n.ip("-n", name, "addr", "add", addressOf(i)+"/24", "dev", there)
		n.ip("-n", name, "link", "set", there, "up")
	}
	return n
}

func wireOf(node int) string { return fmt.Sprintf("node%d", node) }

// cut takes a node's wire out; mend puts it back.
func (n *network) cut(node int)  { n.t.Helper(); n.ip("link", "set", wireOf(node), "down") }
func (n *network) mend(node int) { n.t.Helper(); n.ip("link", "set", wireOf(node), "up") }

// deafen has nothing arrive at a node, mute nothing leave it; hearAgain and speakAgain end
// that. A queue without room drops all that comes, on the side that sends.
func (n *network) deafen(node int) {
	n.t.Helper()
	n.run("tc", "qdisc", "add", "dev", wireOf(node), "root", "pfifo", "limit", "0")
}

func (n *network) hearAgain(node int) {
	n.t.Helper()
	n.run("tc", "qdisc", "del", "dev", wireOf(node), "root")
}

func (n *network) mute(node int) {
	n.t.Helper()
	n.run("tc", "-n", n.names[node], "qdisc", "add", "dev", "eth0", "root", "pfifo", "limit", "0")
}

func (n *network) speakAgain(node int) {
	n.t.Helper()
	n.run("tc", "-n", n.names[node], "qdisc", "del", "dev", "eth0", "root")
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	n.run("ip", args...)
}

func (n *network) run(program string, args ...string) {
	n.t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s %v: %v: %s", program, args, err, out)
	}
}

// in has a command run on a node.
func (n *network) in(node int, command string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.names[node], command}, args...)...)
}
