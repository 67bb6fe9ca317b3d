//go:build linux

package chaos_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/nats-io/nats-server/v2/server"

	"parley/server/auth"
	"parley/server/store/postgres/postgrestest"
	"parley/shared/rest"
)

const (
	databaseAddress = "postgres://parley@" + hub + ":5432/postgres?sslmode=disable"
	busPort         = 4222
)

// deploy starts the database, the bus and the nodes.
func deploy(t *testing.T) (d *deployment, database *postgrestest.Cluster, b *bus) {
	t.Helper()
	net := openNetwork(t, nodes)
	hba := filepath.Join(t.TempDir(), "hba")
	if err := os.WriteFile(hba, []byte("local all all trust\nhost all all 10.77.0.0/24 trust\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(hba); dir != os.TempDir(); dir = filepath.Dir(dir) { // PostgreSQL is another user
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	database, err := postgrestest.Start("listen_addresses="+hub, "port=5432", "hba_file="+hba)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	file, secret := writeSecret(t)
	d = &deployment{t: t, net: net, secret: secret, flags: []string{
		"--jwt-secret-file=" + file, "--database=" + databaseAddress, fmt.Sprintf("--cluster=nats://%s:%d", hub, busPort), "--end-calls-without-lease",
		fmt.Sprintf("--max-sessions=%d", callCap),
	}}
	if d.keys, err = auth.New(auth.Config{Secret: secret}); err != nil {
		t.Fatal(err)
	}
	b = &bus{t: t}
	b.start()
	t.Cleanup(b.kill)
	for i := range nodes {
		n := &node{of: d, n: i, dir: filepath.Join(t.TempDir(), "data")}
		d.nodes = append(d.nodes, n)
		if i > 0 {
			n.takeKeys(d.nodes[0])
		}
		n.start()
		t.Cleanup(n.stop)
	}
	return d, database, b
}

// takeKeys copies what all nodes have in common from the first one's data directory.
func (n *node) takeKeys(of *node) {
	n.of.must(os.MkdirAll(n.dir, 0o700))
	for _, name := range []string{"user-key"} {
		content, err := os.ReadFile(filepath.Join(of.dir, name))
		n.of.must(err)
		n.of.must(os.WriteFile(filepath.Join(n.dir, name), content, 0o600))
	}
}

func (d *deployment) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// bus is a NATS server in a process of its own, so that it can be killed.
type bus struct {
	t   *testing.T
	cmd *exec.Cmd
}

func (b *bus) start() {
	b.cmd = exec.Command(os.Args[0])
	b.cmd.Env = append(os.Environ(), natsPort+"="+hub)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bus) kill() {
	if b.cmd == nil {
		return
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait() // by the signal
	b.cmd = nil
}

// serveBus is the whole life of a copy of this binary that is the bus.
func serveBus(host string) int {
	s, err := server.NewServer(&server.Options{Host: host, Port: busPort, NoSigs: true})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s.Start()
	s.WaitForShutdown()
	return 0
}

// open connects to the database over the network.
func (d *deployment) open() *sql.DB {
	db, err := sql.Open("pgx", databaseAddress)
	d.must(err)
	d.t.Cleanup(func() { _ = db.Close() })
	return db
}

// listed is how many calls the nodes list as live, the most that one of them says; -1
// where one doesn't answer.
func (d *deployment) listed() (most int) {
	for _, n := range d.nodes {
		var stats rest.Stats
		if status, err := n.ask(context.Background(), admin, "GET", rest.PathStats, nil, &stats); err != nil || status != 200 {
			return -1
		}
		most = max(most, stats.Live)
	}
	return most
}
