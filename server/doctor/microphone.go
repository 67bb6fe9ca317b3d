package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// microphone is the browsers' rule: only a page of a secure context gets it (W3C Secure
// Contexts §3.1), which is one by HTTPS, or of the machine itself.
func (x *examination) microphone(context.Context) []Finding {
	const act = "Write --domain, or --tls-cert and --tls-key; or put a proxy with HTTPS in front and name its address with --trusted-proxies."
	u, err := url.Parse(x.URL)
	isHTTP := x.URL != "" && err == nil && u.Scheme == "http"
	switch {
	case isHTTP && !isLoopback(u.Hostname()):
		return one("microphone", Fault, fmt.Sprintf("Browsers give no microphone to a page of %s, which is plain HTTP.", x.URL), act)
	case x.IsHTTPS:
		return one("microphone", OK, "The server speaks HTTPS: browsers give its pages the microphone.", "")
	case x.IsProxied:
		return one("microphone", OK, "A proxy is in front: browsers give the microphone if it speaks HTTPS to them.", "")
	case x.URL != "" && !isHTTP:
		return one("microphone", Warning, fmt.Sprintf("%s is HTTPS, the server speaks plain HTTP, and no proxy is named: the server doesn't know that it is secure.", x.URL),
			"Write the proxy's address to --trusted-proxies.")
	case isHTTP || listensHere(x.HTTP):
		return one("microphone", OK, "Plain HTTP on this machine alone: browsers here give the microphone.", "")
	case x.IsDemo:
		return one("microphone", Warning, "Plain HTTP: browsers give the microphone on this machine (http://localhost) and on no other.", act)
	}
	return one("microphone", Fault, "Plain HTTP: browsers give the microphone to pages of HTTPS alone.", act)
}

// listensHere reports whether nobody but this machine can come by an address.
func listensHere(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
