package logexport

import (
	"context"
	"log/slog"
	"net/url"
	"time"
)

// What tests look at.
const (
	MaxRetry      = maxRetry
	MaxRetryAfter = maxRetryAfter
	FailingAfter  = failingAfter
	MaxBatch      = maxBatch
	SetAsideAfter = setAsideAfter
	MaxAside      = maxAside
)

var (
	RetryAfter  = retryAfter
	EscapeParam = escapeParam
	HeaderName  = headerName
)

// Refused is the error of an answer.
func Refused(status int, after time.Duration) error { return &refusedError{status, after} }

// ExportTo returns an Exporter of the access log alone that sends by a function.
func ExportTo(store Store, logger *slog.Logger, send func(paths [][]byte) error) *Exporter {
	cfg := Config{Destination: &url.URL{Scheme: "https", Host: "collector.example"}, Store: store, Logger: logger}
	e, err := New(cfg)
	if err != nil {
		panic(err)
	}
	e.streams = e.streams[:1]
	e.streams[0].to = sendFunc(send)
	return e
}

type sendFunc func([][]byte) error

func (f sendFunc) send(_ context.Context, batch []line) error {
	bodies := make([][]byte, len(batch))
	for i := range batch {
		bodies[i] = batch[i].body
	}
	return f(bodies)
}
