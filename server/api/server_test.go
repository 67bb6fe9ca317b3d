package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/rest"
)

// raw opens a connection and writes the beginning of a request.
func (r *rig) raw(text string) net.Conn {
	r.t.Helper()
	conn, err := r.pipes.dial(context.Background(), "", "")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

func TestHalfARequestIsNotWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		text    string
		trickle bool
		within  time.Duration
	}{
		"half a header":     {"GET / HTTP/1.1\r\nHost: x", false, 20 * time.Second},
		"a trickled header": {"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", true, 20 * time.Second},
		"a trickled body": {"POST " + rest.PathAuthSession + " HTTP/1.1\r\nHost: parley.test\r\n" +
			"Content-Type: application/json\r\nContent-Length: 60000\r\nAuthorization: Bearer TOKEN\r\n\r\n{", true, 65 * time.Second},
		"a trickled body of a stranger": {"POST " + rest.PathAuthSession + " HTTP/1.1\r\nHost: parley.test\r\n" +
			"Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{", true, 65 * time.Second},
		"silence after a request": {"GET /healthz HTTP/1.1\r\nHost: parley.test\r\n\r\n", false, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				begin := time.Now()
				conn := r.raw(strings.ReplaceAll(test.text, "TOKEN", r.token("alice", time.Hour)))
				go func() { _, _ = io.Copy(io.Discard, conn) }()
				if test.trickle {
					go func() {
						for {
							time.Sleep(time.Second)
							if _, err := io.WriteString(conn, " "); err != nil {
								return
							}
						}
					}()
				}
				if got := r.do("GET", rest.PathHealth, ""); got.status != 200 {
					t.Fatalf("others meanwhile: %d", got.status)
				}
				time.Sleep(test.within)
				if ended := r.pipes.closedAt(); len(ended) == 0 {
					t.Fatalf("still open after %s", time.Since(begin))
				}
			})
		})
	}
}

func TestLongHeaders(t *testing.T) {
	r := newRig(t, nil)
	if got := r.do("GET", rest.PathHealth, "", with("X-Pad", strings.Repeat("x", 32<<10))); got.status != 200 {
		t.Fatalf("32 KiB: %d", got.status)
	}
	got := r.do("GET", rest.PathHealth, "", with("X-Pad", strings.Repeat("x", 64<<10)))
	if got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatalf("64 KiB: %d", got.status)
	}
}

// TestAnswerNobodyTakes: a reader that stops ends after two minutes, not never.
func TestAnswerNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		begin := time.Now()
		r.raw("GET /healthz HTTP/1.1\r\nHost: parley.test\r\n\r\n")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if ended := r.pipes.closedAt(); len(ended) != 1 || !ended[0].Equal(begin.Add(2*time.Minute)) {
			t.Fatalf("closed at %v, began %v", ended, begin)
		}
	})
}
