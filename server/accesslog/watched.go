package accesslog

import (
	"bufio"
	"net"
	"net/http"
)

// responseRecorder sees an answer go by.
type responseRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *responseRecorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseRecorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController what it needs.
func (w *responseRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// outcome is the status that was sent; net/http sends 200 for a handler that
// says nothing.
func (w *responseRecorder) outcome() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// writer gives what the handler is to write to: with Hijack where the server
// has it, for a WebSocket asks for the method itself.
func (w *responseRecorder) writer() http.ResponseWriter {
	if h, ok := w.ResponseWriter.(http.Hijacker); ok {
		return &hijackable{responseRecorder: w, hijacker: h}
	}
	return w
}

type hijackable struct {
	*responseRecorder
	hijacker http.Hijacker
}

// Hijack implements http.Hijacker.
func (w *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := w.hijacker.Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buf, err
}
