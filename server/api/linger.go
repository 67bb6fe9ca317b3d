package api

import (
	"io"
	"net/http"
	"time"
)

// Bounds of what is read after an answer that came before its request's body
// (RFC 9112 §9.6): a connection that is closed over unread bytes is reset, and
// a reset may take the answer from the client before it was read.
const (
	// lingerTimeout is time enough for a client that learns of the refusal only
	// once it has sent all, and half of what a half-sent header gets.
	lingerTimeout = 5 * time.Second
	// maxLinger bounds what is thrown away: no honest client sends more than a
	// picture taken by a phone to the wrong place.
	maxLinger = 16 << 20
)

// lingering answers by next, and then reads on over HTTP/1 what the client is
// still sending. Nothing of it is kept.
func lingering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := r.Body
		next.ServeHTTP(w, r)
		if r.ProtoMajor == 1 && body != http.NoBody {
			discardBody(w, r, body)
		}
	})
}

// discardBody flushes the answer and throws the rest of the body away, except
// where there is none to come: a client that asked (Expect) was told not to
// send it. An answer of unknown length ends only with its handler, so nothing
// may keep that waiting.
func discardBody(w http.ResponseWriter, r *http.Request, body io.Reader) {
	if r.Header.Get("Expect") != "" || w.Header().Get("Content-Length") == "" {
		return
	}
	answer := http.NewResponseController(w)
	if answer.Flush() != nil { // the client is gone, or the connection another's
		return
	}
	if answer.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, body, maxLinger)
	}
}
