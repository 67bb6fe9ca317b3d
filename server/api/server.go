package api

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of a connection.
const (
	// readHeaderTimeout ends half-sent headers, and a TLS handshake that stalls.
	readHeaderTimeout = 10 * time.Second
	// idleTimeout outlasts the 60 s after which proxies close an idle
	// connection, so that it is they who do and no request meets a closed one.
	idleTimeout = 90 * time.Second
	// maxHeader bounds what a stranger makes us keep: room for an 8 KiB token
	// and a browser's other cookies.
	maxHeader = 64 << 10
)

// Server gives the settings of an HTTP server for h. It has no ReadTimeout or
// WriteTimeout: they would end sockets and streams; a request has deadlines of
// its own. What net/http logs of strangers' broken requests goes to debug.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           lingering(h),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		// net/http adds 4 KiB, and may hold 4 KiB more in its buffer.
		MaxHeaderBytes: maxHeader - 8192,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100,
			SendPingTimeout:      30 * time.Second, // a dead peer is noticed under a quiet stream
			WriteByteTimeout:     streamWriteTimeout,
		},
	}
}
