package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// certificate is what browsers are shown: the running server's, or the one that a
// server would show.
func (x *examination) certificate(ctx context.Context) (found []Finding) {
	if !x.IsHTTPS {
		return nil // whoever ends TLS has one
	}
	if x.Certificate != nil {
		pair, err := x.Certificate()
		if err != nil {
			return one("certificate", Fault, fmt.Sprintf("The certificate can't be shown: %v.", err), "Correct --tls-cert and --tls-key: PEM files that belong together.")
		}
		chain, err := parseChain(pair.Certificate)
		return []Finding{x.judge(x.host(), chain, err, "Get a new one and write it over --tls-cert and --tls-key: it is taken up within a minute.")}
	}
	for _, domain := range x.Domains {
		chain, err := x.issued(ctx, domain)
		if err == nil && chain == nil {
			found = append(found, Finding{"certificate", Untried, fmt.Sprintf("There is none for %s yet: the server asks %s for it when it starts.", domain, x.ACMECA), ""})
			continue
		}
		found = append(found, x.judge(domain, chain, err, "Look for event=certificate in the server's log, which says why it wasn't renewed."))
	}
	return found
}

// issued is what the running server shows for a domain, or what is kept of it; nil if
// there is none.
func (x *examination) issued(ctx context.Context, domain string) ([]*x509.Certificate, error) {
	if x.running != nil {
		dialer := tls.Dialer{Config: &tls.Config{ServerName: domain, InsecureSkipVerify: true}}
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		c, err := dialer.DialContext(ctx, "tcp", near(x.HTTP))
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return c.(*tls.Conn).ConnectionState().PeerCertificates, nil
	}
	kept, err := filepath.Glob(filepath.Join(x.CertificateDir, "certificates", "*", domain, domain+".crt"))
	if err != nil || len(kept) == 0 {
		return nil, err
	}
	text, err := os.ReadFile(kept[0])
	if err != nil {
		return nil, err
	}
	var raw [][]byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		raw = append(raw, block.Bytes)
	}
	return parseChain(raw)
}

func parseChain(raw [][]byte) (chain []*x509.Certificate, err error) {
	for _, der := range raw {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("the file has none")
	}
	return chain, nil
}

// judge says what a browser that comes by name makes of a chain; renew is what to do
// about its end.
func (x *examination) judge(name string, chain []*x509.Certificate, err error, renew string) Finding {
	if err != nil {
		return Finding{"certificate", Fault, fmt.Sprintf("The certificate can't be read: %v.", err), renew}
	}
	leaf, now := chain[0], time.Now()
	end := leaf.NotAfter.Format(time.DateOnly)
	switch {
	case now.Before(leaf.NotBefore):
		return Finding{"certificate", Fault, fmt.Sprintf("The certificate begins on %s: browsers refuse it now.", leaf.NotBefore.Format(time.DateTime)), "Look at this machine's clock; if it is right, wait, or get another certificate."}
	case now.After(leaf.NotAfter):
		return Finding{"certificate", Fault, fmt.Sprintf("The certificate expired on %s: browsers refuse it.", end), renew}
	case name != "" && leaf.VerifyHostname(name) != nil:
		return Finding{"certificate", Fault, fmt.Sprintf("The certificate is for %s, and browsers that open %s refuse it.", strings.Join(namesOf(leaf), ", "), name), "Get one for that name, or have people open the name that it is for."}
	}
	if says := x.untrusted(chain, now); says != "" {
		return Finding{"certificate", Warning, says, "Put the authority's intermediate certificates behind the server's own in --tls-cert; if the authority is your own, have every caller's device trust it."}
	}
	if leaf.NotAfter.Sub(now) < leaf.NotAfter.Sub(leaf.NotBefore)/6 { // as /readyz says it
		return Finding{"certificate", Warning, fmt.Sprintf("The certificate ends soon, on %s.", end), renew}
	}
	of := strings.Join(namesOf(leaf), ", ")
	if name == "" {
		return Finding{"certificate", OK, fmt.Sprintf("It is for %s, until %s; write --url to have it compared with the address that people open.", of, end), ""}
	}
	return Finding{"certificate", OK, fmt.Sprintf("It is for %s, until %s.", of, end), ""}
}

// untrusted says why this machine doesn't trust a chain; "" if it does.
func (x *examination) untrusted(chain []*x509.Certificate, now time.Time) string {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: x.Roots, Intermediates: between, CurrentTime: now})
	switch {
	case err == nil:
		return ""
	case chain[0].CheckSignatureFrom(chain[0]) == nil || chain[0].Issuer.String() == chain[0].Subject.String():
		return "The certificate is signed by itself: browsers warn of it."
	}
	return fmt.Sprintf("The certificate doesn't lead to an authority that this machine trusts: its issuer, %s, is unknown.", chain[len(chain)-1].Issuer.CommonName)
}

func namesOf(c *x509.Certificate) []string {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return []string{"no name at all"}
	}
	return names
}

// tls is how a browser looks at the server's certificate.
func (x *examination) tls() *tls.Config { return &tls.Config{RootCAs: x.Roots} }
