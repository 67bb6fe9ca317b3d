package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/server/e2e/netpath"
)

// only443 are the rules of a network that lets out nothing but TCP to port 443.
const only443 = `
table inet office {
  chain in  { type filter hook input priority 0; policy drop; iif lo accept; ct state established,related accept; }
  chain out { type filter hook output priority 0; policy drop; oif lo accept; tcp dport 443 accept; }
}`

// addFirewall puts rules into a namespace; they go with it.
func addFirewall(t *testing.T, in *netpath.Namespace, rules string) {
	t.Helper()
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if err := in.Wrap(nft); err != nil {
		t.Fatal(err)
	}
	if out, err := nft.CombinedOutput(); err != nil {
		t.Skipf("this machine takes no firewall rules: %v\n%s", err, out)
	}
}

// startServerByHTTPS starts one on port 443 of a namespace, with a certificate of its own.
func startServerByHTTPS(t *testing.T, in *netpath.Namespace, flags ...string) *server {
	t.Helper()
	address, dir := in.Addr.String(), t.TempDir()
	cert, key := writeServerCertificate(t, dir, address)
	s := &server{t: t, binary: parleyBinary, in: in, flags: append(flags, "--tls-cert="+cert, "--tls-key="+key), dataDir: filepath.Join(dir, "data"), tempDir: dir}
	s.client.Transport = &http.Transport{DialContext: in.Dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // its own, made above
	s.start(net.JoinHostPort(address, "443"), net.JoinHostPort(address, "0"))
	t.Cleanup(s.stop)
	return s
}

func writeServerCertificate(t *testing.T, dir, address string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.ParseIP(address)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// relayOnly has the page's connections use nothing but relays.
const relayOnly = `(() => {
  const real = window.RTCPeerConnection;
  window.RTCPeerConnection = new Proxy(real, { construct(target, [config, ...more]) {
    return new target({ ...config, iceTransportPolicy: 'relay' }, ...more);
  } });
})()`

// selectedCandidate is the type of the local candidate in use, and what leads to its relay.
const selectedCandidate = `(async () => {
  const all = [...(await parleyProbe.peers.at(-1).getStats()).values()];
  const pair = all.find(r => r.type === 'candidate-pair' && r.nominated && r.state === 'succeeded');
  const local = pair && all.find(r => r.id === pair.localCandidateId);
  return local ? local.candidateType + ' ' + (local.relayProtocol ?? '') : '';
})()`

// From behind a firewall that lets out TCP 443 alone, a caller talks: the call goes over
// TURN in the TLS of the very port that the pages come from.
func TestACallFromBehindAFirewall(t *testing.T) {
	t.Parallel()
	path := openPath(t)
	addFirewall(t, path.A, only443)
	srv := startServerByHTTPS(t, path.B, "--agent=echo")
	b := startBrowser(t, microphone{voice: voice(t)}, path.A, chromedp.Flag("ignore-certificate-errors", true))
	for name, scripts := range map[string][]string{"all ways tried": nil, "relay alone": {relayOnly}} {
		caller := b.open(srv.callerLink, scripts...)
		caller.says("Your call goes through a relay over TLS") // before there is one
		caller.keep("before")
		caller.startCall()
		eventually(t, "the caller hears the echo", patience, func() (string, bool) {
			s := caller.sound()
			return fmt.Sprintf("%+v", s), s.Heard > 0.001
		})
		if way := evaluate[string](caller, selectedCandidate); way != "relay tls" {
			t.Errorf("%s: the call goes by %q", name, way)
		}
		caller.keep("firewall")
		caller.press("End")
		caller.says("Call ended")
		caller.close()
	}
}
