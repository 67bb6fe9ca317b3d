package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"parley/shared/wire"
)

// Life bounds a credential: no token, and so no session without a new one, lives longer.
const Life = 24 * time.Hour

// CheckLife is how long a credential for a look at the line lasts, which no session
// stands behind.
const CheckLife = 2 * time.Minute

// secretSize is that of the key that credentials are made with, in bytes.
const secretSize = 32

// A Holder is whom credentials are made for.
type Holder struct {
	// Session is the session that they are bound to; "" for a look at the line before
	// a call.
	Session string
	// Account counts the looks of one user together.
	Account string
	// Expires is when the holder's token does; the zero time: in Life.
	Expires time.Time
	// Host is "host:port" by which the holder reached this server over its own HTTPS;
	// "" if it was another way.
	Host string
}

// IssuerConfig wires an Issuer.
type IssuerConfig struct {
	// Addrs are where this server's own TURN server is found over UDP and TCP; nil:
	// it has none.
	Addrs func() ([]netip.AddrPort, error)
	// External are the STUN and TURN servers of others.
	External []External
}

// Issuer makes the ICE servers of each caller, with credentials of their own: a user
// name that tells when they expire and whose they are, and a password that is its HMAC
// (draft-uberti-behave-turn-rest-00). Its key lives as long as the process, like the
// sessions that its credentials are bound to.
type Issuer struct {
	cfg    IssuerConfig
	secret []byte
}

// NewIssuer returns an Issuer with a key of its own.
func NewIssuer(cfg IssuerConfig) *Issuer {
	i := &Issuer{cfg: cfg, secret: make([]byte, secretSize)}
	_, _ = rand.Read(i.secret) // never fails, crypto/rand says
	return i
}

// ICEServers are those that a caller is told: this server's own, then those of others;
// never nil.
func (i *Issuer) ICEServers(h Holder) []wire.ICEServer {
	servers := []wire.ICEServer{}
	name := i.username(h, time.Now())
	if urls := i.urls(h); len(urls) > 0 {
		servers = append(servers, wire.ICEServer{URLs: urls, Username: name, Credential: password(i.secret, name)})
	}
	for _, e := range i.cfg.External {
		servers = append(servers, e.server(name))
	}
	return servers
}

// urls are those of this server's own TURN server (RFC 7065). For a call UDP is not among
// them: where it gets through to the media port, calls need no relay, and Chromium takes
// whatever comes from an address that it knows as a TURN server's for that server's, so
// that calls would lose their direct way. A look at the line is to find that out.
func (i *Issuer) urls(h Holder) (urls []string) {
	if i.cfg.Addrs == nil {
		return nil
	}
	addrs, err := i.cfg.Addrs()
	if err != nil {
		return nil // then there are no addresses for a call, either, which says so
	}
	for _, at := range addrs {
		urls = append(urls, "turn:"+at.String()+"?transport=tcp")
	}
	if h.Host != "" {
		urls = append(urls, "turns:"+withPort(h.Host, "443")+"?transport=tcp")
	}
	if h.Session != "" {
		return urls
	}
	for _, at := range addrs {
		urls = append(urls, "turn:"+at.String()+"?transport=udp")
	}
	return urls
}

func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// username is "<expiry in Unix seconds>:<session>".
func (i *Issuer) username(h Holder, now time.Time) string {
	id, expires := h.Session, h.Expires
	if id == "" {
		mac := hmac.New(sha1.New, i.secret)
		mac.Write([]byte("account " + h.Account))
		id, expires = checkPrefix+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), now.Add(CheckLife)
	}
	if last := now.Add(Life); expires.IsZero() || expires.After(last) {
		expires = last
	}
	return strconv.FormatInt(expires.Unix(), 10) + ":" + id
}

// checkPrefix marks who has credentials without a session. No session's id has a dot.
const checkPrefix = "check."

// password is the credential of a user name: HMAC-SHA1, as TURN servers everywhere
// take it.
func password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// A claim is what a user name says.
type claim struct {
	id      string
	expires time.Time
}

func (c claim) isCheck() bool { return strings.HasPrefix(c.id, checkPrefix) }

// readUsername is false for one that the Issuer would not make.
func readUsername(name string) (claim, bool) {
	expiry, id, ok := strings.Cut(name, ":")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if !ok || err != nil || id == "" || len(name) > maxUsername {
		return claim{}, false
	}
	return claim{id, time.Unix(seconds, 0)}, true
}

// maxUsername is longer than any that the Issuer makes.
const maxUsername = 128
