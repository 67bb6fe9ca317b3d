package turn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"go.uber.org/goleak"

	"parley/server/turn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Each way in gets an address of the media port's own, of a port that nobody listens on.
func TestEachWayGetsARelayedAddress(t *testing.T) {
	r := newRig(t)
	for _, way := range []string{"udp", "tcp", "tls"} {
		t.Run(way, func(t *testing.T) {
			conn := r.allocate(t, way, "s1")
			at := conn.LocalAddr().(*net.UDPAddr)
			if at.IP.String() != "127.0.0.1" || at.Port < 1024 || at.Port > 32767 {
				t.Errorf("relayed address %v", at)
			}
			if n := r.server.Figures().Opened[way]; n != 1 {
				t.Errorf("%d opened", n)
			}
		})
	}
}

func TestWhoGetsNothing(t *testing.T) {
	r := newRig(t)
	inAnHour := time.Now().Add(time.Hour)
	name, password := r.credentials("s1", inAnHour)
	_, othersPassword := r.credentials("s2", inAnHour)
	expired, expiredPassword := r.credentials("s1", time.Now().Add(-time.Second))
	unknown, unknownPassword := r.credentials("s3", inAnHour)
	for what, c := range map[string][2]string{
		"a wrong password":               {name, "wrong"},
		"another session's password":     {name, othersPassword},
		"expired credentials":            {expired, expiredPassword},
		"a session that has ended":       {unknown, unknownPassword},
		"a user name without an expiry":  {"s1", password},
		"a user name that no one issued": {"x:s1", password},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, way := range []string{"udp", "tls"} {
				before := r.server.Figures()
				conn, err := allocate(t, r.client(t, way, c[0], c[1]))
				if err == nil {
					t.Fatalf("%s: got %v", way, conn.LocalAddr())
				}
				if r.server.Figures().Refused[turn.RefusedCredentials] <= before.Refused[turn.RefusedCredentials] {
					t.Error("not counted")
				}
			}
		})
	}
}

// A relayed address has one peer: the media port of its own address.
func TestPeersOfOthersAreRefused(t *testing.T) {
	r := newRig(t)
	name, password := r.credentials("s1", time.Now().Add(time.Hour))
	c := r.client(t, "udp", name, password)
	if _, err := allocate(t, c); err != nil {
		t.Fatal(err)
	}
	if err := c.CreatePermission(net.UDPAddrFromAddrPort(r.mediaPort(t))); err != nil {
		t.Errorf("the media port: %v", err)
	}
	for _, ip := range []string{"127.0.0.2", "10.0.0.1", "8.8.8.8", "169.254.169.254"} {
		if err := c.CreatePermission(&net.UDPAddr{IP: net.ParseIP(ip), Port: 53}); !isRefused(err, "403") {
			t.Errorf("%s: %v", ip, err)
		}
	}
}

// A permission is for an address, whatever the port: what goes to another port of this
// machine is lost.
func TestNoOtherPortIsReached(t *testing.T) {
	r := newRig(t)
	other, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn := r.allocate(t, "tcp", "s1")
	if _, err := conn.WriteTo([]byte("psst"), other.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("nobody:here"))
	if _, err := conn.WriteTo(binding.Raw, net.UDPAddrFromAddrPort(r.mediaPort(t))); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both went through", func() bool { return r.server.Figures().Received >= int64(4+len(binding.Raw)) })
	if err := other.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, from, err := other.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes from %v", n, from)
	}
}

// Whoever has an address loses it with the session, and can't keep it by a refresh.
func TestTheEndOfASessionEndsWhatIsRelayed(t *testing.T) {
	r := newRig(t)
	name, password := r.credentials("s1", time.Now().Add(time.Hour))
	c := r.client(t, "tls", name, password)
	if _, err := allocate(t, c); err != nil {
		t.Fatal(err)
	}
	r.allocate(t, "udp", "s2")
	r.end("s1")
	if err := c.CreatePermission(net.UDPAddrFromAddrPort(r.mediaPort(t))); !isRefused(err, "400") {
		t.Errorf("a request afterwards: %v", err)
	}
	eventually(t, "only the other session's is left", func() bool { return r.server.Figures().Allocations == 1 })
}

func TestASessionsShare(t *testing.T) {
	r := newRig(t)
	for range turn.MaxPerSession {
		r.allocate(t, "udp", "s1")
	}
	name, password := r.credentials("s1", time.Now().Add(time.Hour))
	if _, err := allocate(t, r.client(t, "udp", name, password)); !isRefused(err, "486") {
		t.Errorf("one more: %v", err)
	}
	r.allocate(t, "udp", "s2")
}
