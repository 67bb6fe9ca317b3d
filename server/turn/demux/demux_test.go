package demux_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"go.uber.org/goleak"

	"parley/server/turn/demux"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func message(kind stun.MessageType, with ...stun.Setter) []byte {
	return stun.MustBuild(append([]stun.Setter{stun.TransactionID, kind}, with...)...).Raw
}

func TestWhatIsTURN(t *testing.T) {
	check := message(stun.BindingRequest, stun.NewSoftware("odd"), stun.NewUsername("a:b"), stun.Fingerprint)
	broken := append([]byte(nil), check...)
	broken[4]++ // the cookie
	for name, c := range map[string]struct {
		packet []byte
		isTURN bool
	}{
		"a request for an allocation": {message(stun.NewType(stun.MethodAllocate, stun.ClassRequest)), true},
		"a refresh":                   {message(stun.NewType(stun.MethodRefresh, stun.ClassRequest)), true},
		"data to a peer":              {message(stun.NewType(stun.MethodSend, stun.ClassIndication)), true},
		"a permission":                {message(stun.NewType(stun.MethodCreatePermission, stun.ClassRequest)), true},
		"a channel":                   {message(stun.NewType(stun.MethodChannelBind, stun.ClassRequest)), true},
		"the first channel's data":    {[]byte{0x40, 0, 0, 0}, true},
		"the last channel's data":     {[]byte{0x4f, 0xff, 0, 1, 7}, true},
		"who am I":                    {message(stun.BindingRequest), true},
		"a connectivity check":        {check, false},
		"the answer to one":           {message(stun.BindingSuccess), false},
		"a keepalive":                 {message(stun.NewType(stun.MethodBinding, stun.ClassIndication)), false},
		"an answer of TURN's":         {message(stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)), false},
		"a method of nobody's":        {message(stun.NewType(0x00d, stun.ClassRequest)), false},
		"another cookie":              {broken, false},
		"cut short":                   {check[:19], false},
		"DTLS":                        {[]byte{22, 254, 253, 0, 0, 0, 0}, false},
		"SRTP":                        {[]byte{0x80, 111, 0, 1}, false},
		"before the channels":         {[]byte{0x3f, 0, 0, 0}, false},
		"after them":                  {[]byte{0x50, 0, 0, 0}, false},
		"three bytes":                 {[]byte{0x40, 0, 0}, false},
		"nothing":                     {nil, false},
	} {
		if got := demux.IsTURN(c.packet); got != c.isTURN {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzIsTURN(f *testing.F) {
	f.Add(message(stun.BindingRequest, stun.NewUsername("a:b")))
	f.Fuzz(func(_ *testing.T, b []byte) { demux.IsTURN(b) })
}

func TestWhatAConnectionBeginsWith(t *testing.T) {
	allocate := message(stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	framed := append([]byte{0, byte(len(allocate))}, allocate...)
	for name, c := range map[string]struct {
		first  []byte
		isTURN bool
	}{
		"TURN": {allocate[:8], true}, "ICE over TCP": {framed[:8], false}, "HTTP": {[]byte("GET / HT"), false},
		"HTTP/2": {[]byte("PRI * HT"), false}, "too little": {allocate[:7], false},
	} {
		if got := demux.IsStream(c.first); got != c.isTURN {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// https is a port that HTTPS and TURN share: TURN's connections are told by name.
func https(t *testing.T) (addr string, turn net.Listener) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := demux.SplitTLS(l, config)
	server := &http.Server{TLSConfig: config, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(s.Others) })
	running.Go(func() {
		if err := s.Run(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		server.Close()
		s.Close()
		running.Wait()
	})
	return l.Addr().String(), s.TURN
}

func TestHTTPSAndTURNShareAPort(t *testing.T) {
	addr, turn := https(t)
	for proto, alpn := range map[string][]string{"HTTP/1.1": nil, "HTTP/1.1 ": {"http/1.1"}, "HTTP/2.0": {"h2"}} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, NextProtos: alpn},
			ForceAttemptHTTP2: proto == "HTTP/2.0",
		}
		if proto != "HTTP/2.0" {
			transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		res, err := (&http.Client{Transport: transport}).Get("https://" + addr)
		if err != nil {
			t.Errorf("%s by %v: %v", proto, alpn, err)
			continue
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		transport.CloseIdleConnections()
		if got := string(body); got != proto && got+" " != proto {
			t.Errorf("%s by %v: answered by %s", proto, alpn, got)
		}
	}
	allocate := message(stun.NewType(stun.MethodAllocate, stun.ClassRequest))
	for _, alpn := range [][]string{nil, {"stun.turn"}} {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: alpn})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(allocate); err != nil {
			t.Fatal(err)
		}
		got, err := turn.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		all := make([]byte, len(allocate))
		if _, err := io.ReadFull(got, all); err != nil || string(all) != string(allocate) {
			t.Errorf("by %v: %x, %v", alpn, all, err)
		}
	}
}

// Who says nothing is let go when the port is closed; the test's end waits for it.
func TestASilentConnectionKeepsNothingOpen(t *testing.T) {
	addr, _ := https(t)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
}
