package logexport_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/logexport"
	"parley/server/logtest"
	"parley/shared/rest"
)

// behaviour is what a collector does with a connection.
type behaviour int

const (
	takesAll     behaviour = iota // reads up to the end, and closes
	closesAtOnce                  // before it reads anything
	diesInMid                     // after three frames, with more unread
	resets                        // after the last frame, without an end in order
)

// collector is a syslog server that reads frames (RFC 6587 §3.4.1), and that dies as
// often as it is told to.
type collector struct {
	t       *testing.T
	tls     *tls.Config
	serving sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	plan     []behaviour // of the next connections; then takesAll
	frames   []string
}

func collect(t *testing.T, secure *tls.Config, plan ...behaviour) *collector {
	t.Helper()
	c := &collector{t: t, tls: secure, plan: plan}
	c.listen("127.0.0.1:0")
	t.Cleanup(c.stop)
	return c
}

func (c *collector) listen(address string) {
	c.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.listener = l
	c.mu.Unlock()
	c.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.serving.Go(func() { c.serve(conn) })
		}
	})
}

func (c *collector) address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listener.Addr().String()
}

func (c *collector) stop() {
	c.mu.Lock()
	_ = c.listener.Close()
	c.mu.Unlock()
	c.serving.Wait()
}

func (c *collector) next() (b behaviour) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.plan) > 0 {
		b, c.plan = c.plan[0], c.plan[1:]
	}
	return b
}

// received are the messages that were read, in their order.
func (c *collector) received() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.frames...)
}

func (c *collector) serve(plain net.Conn) {
	does, conn := c.next(), plain
	if c.tls != nil {
		conn = tls.Server(plain, c.tls)
	}
	defer conn.Close()
	if does == closesAtOnce {
		return
	}
	in := bufio.NewReaderSize(conn, 16)
	for n := 1; ; n++ {
		length, err := in.ReadString(' ')
		if err != nil {
			break
		}
		size, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			c.t.Errorf("not a length: %q", length)
			break
		}
		message := make([]byte, size)
		if _, err := io.ReadFull(in, message); err != nil {
			break
		}
		c.mu.Lock()
		c.frames = append(c.frames, string(message))
		c.mu.Unlock()
		if does == diesInMid && n == 3 {
			break
		}
	}
	if does == resets {
		_ = plain.(*net.TCPConn).SetLinger(0)
		_ = plain.Close()
	}
}

// number is of the line of a message, by its path.
func number(t *testing.T, message string) int {
	t.Helper()
	_, after, _ := strings.Cut(message, `"path":"/`)
	digits, _, _ := strings.Cut(after, `"`)
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatalf("%q", message)
	}
	return n
}

// checkArrival holds that lines 1 to last arrived, in their order, and that after each
// cut what was sent before comes again from one of those lines on.
func checkArrival(t *testing.T, messages []string, last, cuts int) {
	t.Helper()
	highest, steps := 0, 0
	for i, m := range messages {
		switch n := number(t, m); {
		case n == highest+1:
			highest = n
		case n > highest:
			t.Fatalf("line %d comes after %d", n, highest)
		case i > 0 && n != number(t, messages[i-1])+1:
			steps++
		}
	}
	if highest != last || steps > cuts {
		t.Errorf("%d lines of %d, %d steps back, %d cuts", highest, last, steps, cuts)
	}
}

// Whatever a collector does, each line arrives, in order, and twice only at a cut.
func TestEachLineArrivesThoughTheCollectorDies(t *testing.T) {
	t.Parallel()
	secure, pool := certificate(t)
	for name, test := range map[string]struct {
		tls  *tls.Config
		plan []behaviour
	}{
		"over TLS": {secure, []behaviour{closesAtOnce, takesAll, diesInMid, resets}},
		"over TCP": {nil, []behaviour{closesAtOnce, diesInMid, takesAll, resets}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := collect(t, test.tls, test.plan...)
			scheme := "syslog+tcp"
			if test.tls != nil {
				scheme = "syslog+tls"
			}
			s := &spool{}
			s.add(700) // two batches
			e, stop := export(t, logexport.Config{Store: s, RootCAs: pool}, scheme+"://"+c.address())
			eventually(t, "first confirmation", func() bool { return s.confirmed() >= 500 })
			address := c.address()
			c.stop()
			s.add(100)
			stop() // as a server that ends; the next one goes on
			_, stop = export(t, logexport.Config{Store: s, RootCAs: pool}, scheme+"://"+address)
			s.add(100)
			c.listen(address)
			eventually(t, "last confirmation", func() bool { return s.confirmed() == 900 })
			stop()
			checkArrival(t, c.received(), 900, len(test.plan)+2)
			if f := e.Figures(); len(f) != 2 || f[0].Log != "access" || f[0].Sent < 500 {
				t.Errorf("%+v", f)
			}
		})
	}
}

// A collector that can't be verified gets nothing.
func TestACollectorIsVerified(t *testing.T) {
	t.Parallel()
	secure, _ := certificate(t)
	c := collect(t, secure)
	s := &spool{}
	s.add(1)
	var logs logtest.Buffer
	export(t, logexport.Config{Store: s, Logger: loggerTo(&logs)}, "syslog+tls://"+c.address())
	eventually(t, "word of it", func() bool { return strings.Contains(logs.String(), "certificate") })
	if got := c.received(); len(got) > 0 || s.confirmed() > 0 {
		t.Errorf("%q", got)
	}
}

// The octets are those of RFC 5424 and RFC 5425.
func TestMessagesAreAsTheStandardHasThem(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 5e6, time.FixedZone("", 3600))
	s := &spool{
		logs: []rest.LogEntry{
			{ID: 1, T: at, Kind: rest.LogAPI, Method: "GET", Path: "/1", Status: 200, Node: "n 1\n"},
			{ID: 2, T: at, Kind: rest.LogAPI, Method: "GET", Path: "/ü", Status: 503},
		},
		audit: []rest.AuditEntry{{ID: 3, Seq: 1, T: at, Action: rest.AuditView, Outcome: "done", Node: "n1"}, {ID: 4, Seq: 2, T: at, Outcome: "denied"}},
	}
	c := collect(t, nil)
	export(t, logexport.Config{Store: s, Node: "here", Version: `1"]\ü`}, "syslog+tcp://"+c.address())
	eventually(t, "four lines", func() bool { return len(c.received()) == 4 })
	const origin = `[origin software="Parley" swVersion="1\"\]\\ü"]`
	head := func(priority int, node, log string) string {
		return fmt.Sprintf("<%d>1 2026-03-04T11:00:00.005Z %s parley %d %s %s ", priority, node, os.Getpid(), log, origin)
	}
	all := strings.Join(c.received(), "\n")
	for _, want := range []string{
		head(134, "n1", "access") + `{"log":"access","id":"1","t":"2026-03-04T12:00:00.005+01:00","kind":"api","method":"GET","path":"/1","status":200,`,
		head(132, "here", "access") + "\ufeff" + `{"log":"access","id":"2",`,
		head(109, "n1", "audit") + `{"log":"audit","id":"3","seq":1,`,
		head(108, "here", "audit") + `{"log":"audit","id":"4","seq":2,`,
	} {
		if !strings.Contains("\n"+all, "\n"+want) {
			t.Errorf("no message begins with\n%q\n%q", want, all)
		}
	}
}
