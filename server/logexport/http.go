package logexport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAnswer bounds what is read of a collector's answer, so that the connection can be
// used again; nothing of it is kept.
const maxAnswer = 64 << 10

// errTooLarge: the collector takes less at a time.
var errTooLarge = errors.New("the collector takes less at a time")

// refusedError is a collector's answer other than 2xx.
type refusedError struct {
	status     int
	retryAfter time.Duration // 0: it doesn't say
}

func (e *refusedError) Error() string {
	text := fmt.Sprintf("the collector answered %d %s", e.status, http.StatusText(e.status))
	switch {
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden:
		text += ": look at the token of --log-export-token-file"
	case e.status >= 300 && e.status < 400:
		text += ": name the address that it leads to"
	}
	return text
}

// Is makes 413 an errTooLarge, and of what is about the lines an errForGood.
func (e *refusedError) Is(target error) bool {
	return target == errTooLarge && e.status == http.StatusRequestEntityTooLarge || target == errForGood && e.isForGood()
}

// httpSender posts lines of JSON. An answer of 2xx says that the collector has them.
type httpSender struct {
	url     string
	token   func() string
	version string
	client  *http.Client
}

func newHTTPSender(cfg Config) *httpSender {
	return &httpSender{url: cfg.Destination.String(), token: cfg.Token, version: cfg.Version, client: &http.Client{
		Timeout: cfg.Patience,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
			IdleConnTimeout: 2 * patience, MaxIdleConnsPerHost: 2, MaxResponseHeaderBytes: maxAnswer,
		},
		// The token is for the address that was named, and for no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *httpSender) send(ctx context.Context, batch []line) error {
	var body bytes.Buffer
	for i := range batch {
		body.Write(batch[i].body)
		body.WriteByte('\n')
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("User-Agent", "parley/"+s.version)
	if s.token != nil && s.token() != "" {
		req.Header.Set("Authorization", "Bearer "+s.token())
	}
	res, err := s.client.Do(req)
	if err != nil {
		var detail *url.Error
		if errors.As(err, &detail) { // without the address, whose query may be a secret
			err = detail.Err
		}
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // only the status counts
	if res.StatusCode/100 == 2 {
		return nil
	}
	return &refusedError{status: res.StatusCode, retryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now())}
}

// retryAfter reads the header, which is seconds or a date (RFC 9110 §10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
