// Package doctor looks at a machine and at the configuration that a server would serve
// with on it, and says what would keep calls from working: each fault in a sentence,
// with what to do about it. It changes nothing: what it opens it closes at once, and it
// writes no file. Where a server runs already, it is asked.
package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"sync"
	"time"

	"parley/shared/wire"
)

// answerTimeout bounds each question to the network: whoever doesn't answer in it is
// too far for a call, too.
const answerTimeout = 5 * time.Second

// Result is what came of a check.
type Result string

// Results. Untried is what can't be checked from here: neither good nor bad.
const (
	OK      Result = "ok"
	Untried Result = "untried"
	Warning Result = "warning" // some callers, or soon
	Fault   Result = "fault"   // calls, or the server, won't work
)

// Finding is one thing that was looked at.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Says   string `json:"says"`          // a sentence
	Act    string `json:"act,omitempty"` // what to do; empty where nothing is to be done
}

// File is a file that a server reads at its start.
type File struct {
	Name string
	Read func() error
	Act  string // for when it can't be read
}

// Config is what would be served.
type Config struct {
	// HTTP, Redirect and Media are the addresses to listen on; Redirect may be empty.
	HTTP, Redirect, Media string
	// IsHTTPS: the server ends TLS itself. IsProxied: somebody before it does.
	IsHTTPS, IsProxied bool
	// IsDemo: it is tried out, on a machine that nobody else need reach.
	IsDemo bool
	// URL is the address that browsers open; "": nobody said.
	URL string

	// Addresses are those that callers are told for media. PublicIPs are those of them
	// that the operator named.
	Addresses    func() ([]netip.Addr, error)
	PublicIPs    []netip.Addr
	AllowPrivate bool

	// Certificate is the one from files; nil: there are none. Domains are the names
	// whose certificates an authority issues, which are kept in CertificateDir.
	Certificate    func() (*tls.Certificate, error)
	Domains        []string
	CertificateDir string
	Roots          *x509.CertPool // what certificates are to hang from; nil: the machine's

	// TURN: the server relays. ICEServers are the STUN and TURN servers of others.
	TURN       bool
	ICEServers func() ([]wire.ICEServer, error)
	// Token makes one that the running server takes.
	Token func() (string, error)

	DataDir     string
	DiskReserve int64 // stays free for the audit log, in bytes
	LogMaxSize  int64 // of the access log, in bytes
	// FreeSpace is what may still be written on the disk of a folder, in bytes.
	FreeSpace func(dir string) (free, all int64, known bool)
	// Database asks the database that the record is in; nil: it is in files.
	Database func(context.Context) error
	Files    []File
	// Recipients are whom the server sends to by itself.
	Recipients []Recipient

	Issuer     string // of OpenID Connect; "": none
	KeysURL    string // of the keys of tokens; "": none
	ACMECA     string // directory of the authority
	ACMERoots  *x509.CertPool
	ClockError time.Duration // that tokens are still taken with

	// LookupIP finds the addresses of a name; nil: as the machine does.
	LookupIP func(ctx context.Context, host string) ([]netip.Addr, error)
}

// examination is one look at all of it.
type examination struct {
	Config
	running *running // nil: no server runs there
}

// Examine looks at everything, and returns what it found in the order of a start.
func Examine(ctx context.Context, c Config) []Finding {
	if c.LookupIP == nil {
		c.LookupIP = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	x := &examination{Config: c}
	found := x.ports(ctx) // first: the others ask the server that runs there
	checks := []func(context.Context) []Finding{
		x.address, x.names, x.reach, x.certificate, x.microphone, x.turn, x.directory, x.disk, x.database, x.files, x.recipients, x.signIn, x.clock,
	}
	results := make([][]Finding, len(checks))
	var asking sync.WaitGroup
	for i, check := range checks {
		asking.Go(func() {
			results[i] = check(ctx)
		})
	}
	asking.Wait()
	for _, of := range results {
		found = append(found, of...)
	}
	return found
}

// one is what a check returns that found a single thing.
func one(check string, r Result, says, act string) []Finding {
	return []Finding{{check, r, says, act}}
}
