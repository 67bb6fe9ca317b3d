package telemetry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
)

// maxAnswer bounds what is read of an answer, so that the connection can be used again.
const maxAnswer = 64 << 10

// collector takes messages of OTLP by HTTP.
type collector struct {
	base   string
	token  func() string
	client *http.Client
}

func newCollector(cfg Config) *collector {
	return &collector{base: strings.TrimSuffix(cfg.Endpoint.String(), "/"), token: cfg.Token, client: &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
			IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 3, MaxResponseHeaderBytes: maxAnswer,
		},
		// The token is for the address that was named, and for no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answerError is an answer other than 2xx.
type answerError struct{ status int }

func (e *answerError) Error() string {
	return fmt.Sprintf("the collector answered %d %s", e.status, http.StatusText(e.status))
}

func (c *collector) post(ctx context.Context, path string, message proto.Message) error {
	body, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "parley")
	if c.token != nil && c.token() != "" {
		req.Header.Set("Authorization", "Bearer "+c.token())
	}
	res, err := c.client.Do(req)
	if err != nil {
		var detail *url.Error
		if errors.As(err, &detail) {
			err = detail.Err
		}
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // only the status counts
	if res.StatusCode/100 == 2 {
		return nil
	}
	return &answerError{res.StatusCode}
}

// signal gathers what is sent in batches: spans, log records.
type signal[T any] struct {
	name    string
	send    func(context.Context, []T) error
	dropped atomic.Int64
	outage  outage

	mu      sync.Mutex
	waiting []T

	batch    []T // that is tried; of run alone
	attempts int
}

// add takes one, or drops it where too many wait.
func (s *signal[T]) add(of ...T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if free := MaxQueue - len(s.waiting); len(of) > free {
		s.dropped.Add(int64(len(of) - free))
		of = of[:free]
	}
	s.waiting = append(s.waiting, of...)
}

func (s *signal[T]) take() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxBatch)
	batch := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
	return batch
}

// run sends at each interval until ctx is done, then once more.
func (s *signal[T]) run(ctx context.Context, interval time.Duration, log *slog.Logger) {
	each := time.NewTicker(interval)
	defer each.Stop()
	for {
		select {
		case <-each.C:
			s.flush(ctx, log)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
			defer cancel()
			s.flush(last, log)
			return
		}
	}
}

// flush sends what waits, until a batch fails.
func (s *signal[T]) flush(ctx context.Context, log *slog.Logger) {
	for {
		if len(s.batch) == 0 {
			s.batch, s.attempts = s.take(), 0
		}
		if len(s.batch) == 0 {
			return
		}
		err := s.send(ctx, s.batch)
		s.outage.note(s.name, err, log)
		if err != nil {
			s.failed(err)
			return
		}
		s.batch = nil
	}
}

// failed keeps the batch for another attempt, or drops it.
func (s *signal[T]) failed(err error) {
	var answer *answerError
	if s.attempts++; s.attempts < maxAttempts && (!errors.As(err, &answer) || isRetryable(answer.status)) {
		return
	}
	s.dropped.Add(int64(len(s.batch)))
	s.batch = nil
}

// outage logs that a collector takes nothing once, and that it does again.
type outage struct{ isOn bool }

func (o *outage) note(what string, err error, log *slog.Logger) {
	switch {
	case err != nil && !o.isOn:
		log.Warn("telemetry can't be sent", "event", "otlp", "signal", what, "err", err)
	case err == nil && o.isOn:
		log.Info("telemetry is sent again", "event", "otlp", "signal", what)
	}
	o.isOn = err != nil
}
