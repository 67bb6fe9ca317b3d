package alert_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/alert"
	"parley/shared/rest"
)

// request is one attempt as the receiver saw it.
type request struct {
	method string
	header http.Header
	body   []byte
	at     time.Time // of its arrival
}

// receiver is a real server that answers as it is told.
type receiver struct {
	*httptest.Server
	got chan request
}

func newReceiver(t *testing.T, answer func(attempt int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	var attempts atomic.Int64
	rc := &receiver{got: make(chan request, 1000)}
	rc.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		rc.got <- request{r.Method, r.Header.Clone(), body, time.Now()}
		answer(int(attempts.Add(1)), w, r)
	}))
	t.Cleanup(rc.Close)
	return rc
}

func (rc *receiver) hook() rest.Webhook {
	return rest.Webhook{URL: rc.URL + "/hook?key=k", Secret: secret}
}

// next waits for an attempt.
func (rc *receiver) next(t *testing.T) request {
	t.Helper()
	select {
	case r := <-rc.got:
		return r
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		return request{}
	}
}

// sending runs a sender until the test ends.
func sending(t *testing.T, c alert.WebhookSenderConfig) *alert.WebhookSender {
	t.Helper()
	s := alert.NewWebhookSender(c)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// quick is for receivers on this machine, with short waits.
func quick() alert.WebhookSenderConfig {
	return alert.WebhookSenderConfig{AllowPrivate: true, Node: "n1", FirstWait: time.Millisecond, Timeout: 2 * time.Second}
}

func raised() rest.Alert {
	return rest.Alert{
		ID: "a_1", Rule: "live_of_cap", Title: "Calls at 90 % of the cap", State: rest.AlertFiring,
		Value: 0.95, Limit: 0.9, RaisedAt: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), AcknowledgedBy: "root",
	}
}

// dropped waits until a number of deliveries were given up.
func dropped(t *testing.T, s *alert.WebhookSender, n int64) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for s.Dropped() < n {
		if time.Now().After(deadline) {
			t.Fatalf("%d given up, want %d", s.Dropped(), n)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// verify is what a receiver does with a signature, in its own words.
func verify(r request, secret string) error {
	parts := strings.Split(r.header.Get("X-Parley-Signature"), ",")
	if len(parts) != 2 || !strings.HasPrefix(parts[0], "t=") || !strings.HasPrefix(parts[1], "v1=") {
		return fmt.Errorf("signature %q", parts)
	}
	unix, err := strconv.ParseInt(parts[0][2:], 10, 64)
	if err != nil || r.at.Sub(time.Unix(unix, 0)).Abs() > 5*time.Second {
		return fmt.Errorf("signed at %q", parts[0])
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", parts[0][2:], r.body)
	if want := hex.EncodeToString(mac.Sum(nil)); parts[1][3:] != want {
		return fmt.Errorf("signature %s, want %s", parts[1][3:], want)
	}
	return nil
}

func TestAWebhookIsSignedAndTold(t *testing.T) {
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	s := sending(t, quick())
	s.Send(rc.hook(), raised())
	r := rc.next(t)
	if err := verify(r, secret); err != nil {
		t.Error(err)
	}
	if verify(r, "another secret !") == nil {
		t.Error("any secret fits")
	}
	r.body = append(r.body, ' ')
	if verify(r, secret) == nil {
		t.Error("any body fits")
	}
	var p alert.Payload
	dec := json.NewDecoder(strings.NewReader(string(r.body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		t.Fatal(err)
	}
	want := raised()
	want.AcknowledgedBy = "" // who took it is nobody's business outside
	if !reflect.DeepEqual(p.Alert, want) || p.Event != "alert.firing" || p.Node != "n1" || !p.At.Equal(want.RaisedAt) || p.ID == "" {
		t.Errorf("%+v", p)
	}
	if r.method != http.MethodPost || r.header.Get("Content-Type") != "application/json" || r.header.Get("Idempotency-Key") != p.ID {
		t.Errorf("%+v", r)
	}
}

func TestWebhooksAreTriedAgain(t *testing.T) {
	status := func(codes ...int) func(int, http.ResponseWriter, *http.Request) {
		return func(attempt int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(codes[min(attempt, len(codes))-1])
		}
	}
	cases := map[string]struct {
		answer   func(int, http.ResponseWriter, *http.Request)
		attempts int
		dropped  int64
	}{
		"taken":              {status(204), 1, 0},
		"broken once":        {status(500, 200), 2, 0},
		"busy for a while":   {status(503, 429, 408, 502, 200), 5, 0},
		"broken for good":    {status(500), alert.MaxAttempts, 1},
		"refused":            {status(403), 1, 1},
		"gone":               {status(410), 1, 1},
		"refused at the end": {status(500, 500, 404), 3, 1},
		"a connection cut":   {cutOnce, 2, 0},
		"an answer that hangs": {func(attempt int, w http.ResponseWriter, r *http.Request) {
			if attempt == 1 {
				<-r.Context().Done() // until the sender has had enough
			}
		}, 2, 0},
		"a body without end": {func(_ int, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, 1, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rc := newReceiver(t, c.answer)
			config := quick()
			config.Timeout = 300 * time.Millisecond
			s := sending(t, config)
			s.Send(rc.hook(), raised())
			ids := map[string]bool{}
			for range c.attempts {
				r := rc.next(t)
				ids[r.header.Get("Idempotency-Key")] = true
				if err := verify(r, secret); err != nil {
					t.Error(err)
				}
			}
			if len(ids) != 1 {
				t.Errorf("deliveries %v", ids)
			}
			dropped(t, s, c.dropped)
			// Another one shows that the first is done: nothing comes between.
			if c.dropped == 0 {
				s.Send(rc.hook(), raised())
				if r := rc.next(t); ids[r.header.Get("Idempotency-Key")] {
					t.Errorf("once more: %s", r.body)
				}
			}
		})
	}
}

// cutOnce closes the first connection without an answer.
func cutOnce(attempt int, w http.ResponseWriter, _ *http.Request) {
	if attempt > 1 {
		return
	}
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// One receiver that hangs keeps none of the others waiting.
func TestAHangingReceiverDelaysNobody(t *testing.T) {
	t.Parallel()
	hanging := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	fine := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	config := quick()
	config.Timeout = 30 * time.Second
	s := sending(t, config)
	s.Send(hanging.hook(), raised())
	hanging.next(t)
	begun := time.Now()
	for range 20 {
		s.Send(fine.hook(), raised())
		fine.next(t)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("twenty deliveries took %v", took)
	}
}

// Redirects lead anywhere: they are not followed, and not tried again.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		target := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
		rc := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, code) })
		s := sending(t, quick())
		s.Send(rc.hook(), raised())
		dropped(t, s, 1)
		if len(rc.got) != 1 || len(target.got) != 0 {
			t.Errorf("%d: %d attempts, %d followed", code, len(rc.got), len(target.got))
		}
	}
}

// Whatever name or spelling leads to this machine: nobody is connected to.
func TestNothingInsideIsReached(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	u, err := url.Parse(rc.URL)
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{
		"127.0.0.1", "127.1", "127.0.0.2", "0", "0.0.0.0", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1",
		"localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]",
	}
	if name := rebinding(t); name != "" {
		hosts = append(hosts, name)
	}
	c := quick()
	c.AllowPrivate, c.Timeout = false, 2*time.Second
	for _, host := range hosts {
		s := sending(t, c)
		s.Send(rest.Webhook{URL: "http://" + host + ":" + u.Port() + "/", Secret: secret}, raised())
		// Refused for good where the address is known, or never resolved at all.
		dropped(t, s, 1)
		if len(rc.got) != 0 {
			t.Fatalf("%s was reached", host)
		}
	}
	// The server was there all the time.
	s := sending(t, quick())
	s.Send(rest.Webhook{URL: "http://localhost:" + u.Port() + "/", Secret: secret}, raised())
	rc.next(t)
}

// rebinding is another name of this machine, if it has one that leads to
// loopback: what an attacker's DNS would answer the second time.
func rebinding(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"ip6-localhost", "localhost.localdomain"} {
		addrs, err := net.DefaultResolver.LookupNetIP(t.Context(), "ip", name)
		if err == nil && len(addrs) > 0 && addrs[0].Unmap().IsLoopback() {
			return name
		}
	}
	return ""
}

func TestTheQueueIsBounded(t *testing.T) {
	s := alert.NewWebhookSender(quick()) // nothing is taken out of it
	for range alert.MaxQueue + 5 {
		s.Send(rest.Webhook{URL: "http://localhost/", Secret: secret}, raised())
	}
	if n := s.Dropped(); n != 5 {
		t.Errorf("%d dropped", n)
	}
}

// From a full server to a receiver: raised, silenced, resolved.
func TestAlertsReachWebhooks(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	var live atomic.Int64
	a := alert.New(alert.Config{AllowPrivate: true, Node: "n1", Readings: func() alert.Readings {
		return alert.Readings{Live: int(live.Load()), Cap: 100}
	}})
	want := a.Rules()
	want.Webhooks = []rest.Webhook{rc.hook()}
	if _, err := a.Change(t.Context(), want, putRules); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for _, event := range []string{"alert.firing", "alert.resolved"} {
		live.Store(map[string]int64{"alert.firing": 100}[event])
		r := rc.next(t)
		var p alert.Payload
		if err := json.Unmarshal(r.body, &p); err != nil || p.Event != event || p.Alert.Rule != "live_of_cap" {
			t.Errorf("%s: %s, %v", event, r.body, err)
		}
		if err := verify(r, secret); err != nil {
			t.Error(err)
		}
	}
}

// What is silenced, and what rules don't tell, goes nowhere.
func TestSilencedAlertsReachNobody(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	var live, attempts atomic.Int64
	tell := make(chan rest.Alert, 10)
	a := alert.New(alert.Config{AllowPrivate: true, OnChange: func(a rest.Alert) { tell <- a }, Readings: func() alert.Readings {
		return alert.Readings{Live: int(live.Load()), Cap: 100, StorageAttempts: attempts.Load()}
	}})
	want := a.Rules()
	want.Webhooks = []rest.Webhook{rc.hook()}
	for i := range want.Rules {
		want.Rules[i].Webhooks = want.Rules[i].Metric == rest.AlertLiveOfCap
	}
	if _, err := a.Change(t.Context(), want, putRules); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	defer func() { cancel(); <-done }()
	attempts.Store(1) // raised, and told to no webhook
	<-tell
	live.Store(100)
	full := <-tell
	rc.next(t)
	if _, err := a.Silence(t.Context(), full.ID, "", 1, put); err != nil {
		t.Fatal(err)
	}
	<-tell
	live.Store(0)
	if over := <-tell; over.State != rest.AlertResolved {
		t.Errorf("%+v", over)
	}
	cancel()
	<-done
	if len(rc.got) != 0 {
		t.Errorf("told %s", (<-rc.got).body)
	}
}
