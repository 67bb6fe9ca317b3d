package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"parley/server/cluster"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// databasePath is a way to PostgreSQL that can be cut.
type databasePath struct {
	address  string
	listener net.Listener

	mu    sync.Mutex
	conns []net.Conn
	isCut bool
}

// pathTo opens a way beside that of an address, which names a folder of sockets.
func pathTo(t *testing.T, address string) *databasePath {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query, dir := u.Query(), t.TempDir()
	name := ".s.PGSQL." + query.Get("port")
	far := filepath.Join(query.Get("host"), name)
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	p := &databasePath{address: u.String()}
	if p.listener, err = net.Listen("unix", filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = p.listener.Close(); p.cut(); serving.Wait() })
	serving.Go(func() {
		for {
			near, err := p.listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", far)
			if err != nil || !p.add(near, to) {
				_ = near.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{near, to}, {to, near}} {
				serving.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					_, _ = way[0].Close(), way[1].Close()
				})
			}
		}
	})
	return p
}

// add keeps connections to be cut; it reports false where the way is.
func (p *databasePath) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isCut {
		p.conns = append(p.conns, conns...)
		return true
	}
	for _, c := range conns {
		_ = c.Close()
	}
	return false
}

// cut closes what is open, and whatever comes.
func (p *databasePath) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// mend opens the way again.
func (p *databasePath) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut, p.conns = false, nil
}

// TestCallsEndWithTheLeaseWhereTheyShall: of two nodes that can't reach the database one has
// --end-calls-without-lease. Its call ends before others may have its place, and that of the
// other goes on; nobody is admitted in either's place before their leases are over.
func TestCallsEndWithTheLeaseWhereTheyShall(t *testing.T) {
	t.Parallel()
	bus, record := startBus(t, server.RANDOM_PORT), newPostgreSQL(t).Address("postgres")
	ending, staying := pathTo(t, record), pathTo(t, record)
	shared := []string{"--cluster=" + bus.ClientURL(), "--max-sessions=2"}
	a := start(t, append(shared, "--node=a", "--database="+record)...)
	b := startIn(t, dirWithSecretsOf(t, a.dir), append(shared, "--node=b", "--database="+ending.address, "--end-calls-without-lease")...)
	c := startIn(t, dirWithSecretsOf(t, a.dir), append(shared, "--node=c", "--database="+staying.address)...)
	ends, stays := b.talking(t, "bob", "echo"), c.talking(t, "cyd", "echo")
	if code := refusalOf(t, a.ring(t, "ann", "echo")); code == "" {
		t.Fatal("a third call of two")
	}
	defer func() {
		ending.mend()
		staying.mend()
		eventually(t, "both have leases again", func() bool { return !isDegraded(t, b, "lease") && !isDegraded(t, c, "lease") })
	}()
	cutAt := time.Now()
	ending.cut()
	staying.cut()
	for time.Since(cutAt) < cluster.LeaseTTL && !has[peer.CallEnded](ends) {
		if code := refusalOf(t, a.ring(t, "ann", "echo")); code == "" {
			if !has[peer.CallEnded](ends) {
				t.Fatal("a place was given away while the call that held it was on")
			}
			break
		}
	}
	if over := ends.over(t); over.Ended.Cause != wire.NodeLost || time.Since(cutAt) > cluster.LeaseTTL {
		t.Errorf("the call of the node that ends them ended %v after the cut: %+v", time.Since(cutAt), over)
	}
	if has[peer.CallEnded](stays) {
		t.Errorf("the call of the other ended: %+v", stays.over(t))
	}
	eventually(t, "its place is another's", func() bool { return refusalOf(t, a.ring(t, "ann", "echo")) == "" })
}

// TestACertificateOfAnotherNodeIsTold: by the node that leads, with the name of the one that
// has it.
func TestACertificateOfAnotherNodeIsTold(t *testing.T) {
	t.Parallel()
	bus, record := startBus(t, server.RANDOM_PORT), newPostgreSQL(t).Address("postgres")
	cert, key := writeCertificate(t, t.TempDir(), 1) // for an hour
	shared := []string{"--cluster=" + bus.ClientURL(), "--database=" + record}
	a := start(t, append(shared, "--node=a")...)
	b := startIn(t, dirWithSecretsOf(t, a.dir), append(shared, "--node=b", "--tls-cert="+cert, "--tls-key="+key)...)
	isTold := func(all []rest.Alert) bool {
		return slices.ContainsFunc(all, func(of rest.Alert) bool {
			return of.Rule == "certificate_days" && of.State == rest.AlertFiring && strings.Contains(of.Detail, "node b")
		})
	}
	eventually(t, "the node that leads tells", func() bool {
		var page rest.Page[rest.Alert]
		a.ask(t, "demo-admin", http.MethodGet, rest.PathAlerts, nil, &page)
		return isTold(page.Items)
	})
	eventually(t, "and so does the one that has it", func() bool { return isTold(b.alertsOverTLS(t)) })
}
