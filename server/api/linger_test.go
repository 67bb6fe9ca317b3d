package api_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/api"
	"parley/shared/rest"
)

// tcp serves the rig over real TCP too, and gives the address.
func (r *rig) tcp() string {
	r.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(r.t, 0, err)
	server := api.Server(r.lines.Wrap(r.api), slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	r.t.Cleanup(func() { _ = server.Close(); <-done })
	return listener.Addr().String()
}

// A client that sends all before it reads gets the answer, however early it was
// refused. Most do so: curl, Python's and Java's HTTP clients among them.
func TestARefusalReachesAClientThatIsStillSending(t *testing.T) {
	const large = 8 << 20 // more than both ends' buffers hold
	r := newRig(t, func(c *api.Config) {
		c.Site = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.Refuse(w, r, rest.Problem{Code: rest.CodeMethod}) })
	})
	s1 := r.call("alice", "")
	addr := r.tcp()
	me, end := r.token("alice", time.Hour), strings.Replace(rest.PathEnd, "{id}", s1, 1)
	chief := "Authorization: Bearer " + r.token("root", time.Hour) + "\r\n"
	json, bearer := "Content-Type: application/json\r\n", "Authorization: Bearer "+me+"\r\n"
	for range api.MaxUnsafe {
		r.do("POST", rest.PathAuthSession, "", r.as("hasty"))
	}
	for name, test := range map[string]struct {
		start  string
		status int
	}{
		"no token":         {"POST " + end + " HTTP/1.1\r\nHost: parley.test\r\n" + json, 401},
		"no admin":         {"POST " + end + " HTTP/1.1\r\nHost: parley.test\r\n" + bearer + json, 403},
		"foreign origin":   {"POST " + end + " HTTP/1.1\r\nHost: parley.test\r\nOrigin: https://evil.test\r\n" + chief + json, 403},
		"too large":        {"POST " + end + " HTTP/1.1\r\nHost: parley.test\r\n" + chief + json, 413},
		"unknown path":     {"POST /api/v1/nothing HTTP/1.1\r\nHost: parley.test\r\n" + json, 404},
		"another method":   {"PUT " + rest.PathMe + " HTTP/1.1\r\nHost: parley.test\r\n" + bearer + json, 405},
		"a page":           {"POST / HTTP/1.1\r\nHost: parley.test\r\n" + json, 405},
		"no host":          {"POST " + end + " HTTP/1.1\r\nHost: x:y\r\n" + chief + json, 400},
		"a query twice":    {"POST " + end + "?a=1&a=2 HTTP/1.1\r\nHost: parley.test\r\n" + chief + json, 422},
		"too many":         {"POST " + rest.PathAuthSession + " HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer " + r.token("hasty", time.Hour) + "\r\n" + json, 429},
		"a body by HTTP/1": {"POST " + end + " HTTP/1.0\r\nHost: parley.test\r\n" + json, 401},
	} {
		t.Run(name, func(t *testing.T) {
			sent := fmt.Sprintf("%sContent-Length: %d\r\n\r\n", test.start, large)
			if got := sendThenRead(t, addr, sent, strings.Repeat("x", large)); got != test.status {
				t.Errorf("%d, want %d", got, test.status)
			}
			if strings.Contains(test.start, "HTTP/1.0") {
				return // it knows no chunks
			}
			sent = test.start + "Transfer-Encoding: chunked\r\n\r\n"
			pieces := strings.Repeat("8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n", large/0x8000) + "0\r\n\r\n"
			if got := sendThenRead(t, addr, sent, pieces); got != test.status {
				t.Errorf("%d in pieces, want %d", got, test.status)
			}
		})
	}
}

// What is no JSON is told by its type before its length is known, and by its
// length first where that is.
func TestAnotherTypeIsRefusedWhileItIsStillSent(t *testing.T) {
	r := newRig(t, nil)
	addr, start := r.tcp(), "POST "+rest.PathTimeout+" HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer "+r.token("root", time.Hour)+"\r\n"
	if got := sendThenRead(t, addr, start+"Content-Length: 60000\r\n\r\n", strings.Repeat("x", 60000)); got != 415 {
		t.Errorf("%d, want 415", got)
	}
	piece := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
	if got := sendThenRead(t, addr, start+"Transfer-Encoding: chunked\r\n\r\n", strings.Repeat(piece, 256)+"0\r\n\r\n"); got != 415 {
		t.Errorf("%d in pieces, want 415", got)
	}
}

// sendThenRead sends a whole request, then reads the answer's status.
func sendThenRead(t *testing.T, addr, head, body string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, head+body); err != nil {
		t.Errorf("cut off while sending: %v", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Errorf("half an answer: %v", err)
	}
	return res.StatusCode
}

// Who never ends a body that nobody asked for is read for five seconds, or
// 16 MiB.
func TestReadingAfterARefusalEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		begin := time.Now()
		conn := r.raw("POST " + rest.PathTimeout + " HTTP/1.1\r\nHost: parley.test\r\nContent-Length: 1000\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != 401 || time.Since(begin) != 0 {
			t.Fatalf("%v %v after %v", res, err, time.Since(begin))
		}
		time.Sleep(5*time.Second - time.Nanosecond)
		synctest.Wait()
		if ended := r.pipes.closedAt(); len(ended) != 0 {
			t.Fatalf("closed at %v", ended)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if ended := r.pipes.closedAt(); len(ended) != 1 {
			t.Fatal("still open after five seconds")
		}
	})
}
