package outbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"parley/shared/rest"
)

// HeaderSignature is t=<unix seconds>,v1=<hex HMAC-SHA256 of t, a dot and the
// body>. The time is that of the attempt, so that a receiver can refuse an old one.
const HeaderSignature = "X-Parley-Signature"

// maxAnswerHeader is what is read of an answer's header, in bytes.
const maxAnswerHeader = 16 << 10

// NewClient makes a client that takes no detours: no proxy, no redirect, no
// connection that was checked for another request. timeout is of the whole
// request; half of it may go to the connection, and half to its TLS.
func NewClient(a Addresses, timeout time.Duration) *http.Client {
	dialer := net.Dialer{Timeout: timeout / 2, Control: a.Control}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout / 2,
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Sign gives the signature of a body as it is sent at a moment.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// WithoutURL takes the address out of a client's error: it may hold a key.
func WithoutURL(err error) error {
	type wrapper interface{ Unwrap() error }
	if w, ok := err.(wrapper); ok {
		return w.Unwrap()
	}
	return err
}

// FaultOf sorts what went wrong with a request into the words of the interface:
// an error's text may name what only the server may know. status is the answer's, 0
// if none came.
func FaultOf(status int, err error) string {
	var name *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case status >= 300 && status < 400:
		return rest.DeliveryRedirect
	case status >= 400:
		return rest.DeliveryStatus
	case errors.Is(err, ErrAddress):
		return rest.DeliveryForbidden
	case errors.As(err, &name):
		return rest.DeliveryUnresolved
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return rest.DeliveryTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return rest.DeliveryUnreachable
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return rest.DeliveryTLS
	}
	return rest.DeliveryBroken
}
