package alert_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/server/alert"
	"parley/shared/rest"
)

// closedPort is an address of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// One attempt each: what an admin is told of it, by receivers of every kind.
func TestWhatComesBackFromATest(t *testing.T) {
	t.Parallel()
	status := func(code int) string {
		return newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }).URL
	}
	elsewhere := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	hanging := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	redirecting := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	cutting := newReceiver(t, cutOnce)
	unknown := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(unknown.Close)
	cases := []struct {
		url   string
		want  string // state
		code  int
		error string
	}{
		{status(204), rest.DeliveryDelivered, 204, ""},
		{status(403), rest.DeliveryFailed, 403, rest.DeliveryStatus},
		{status(503), rest.DeliveryFailed, 503, rest.DeliveryStatus},
		{redirecting.URL, rest.DeliveryFailed, 307, rest.DeliveryRedirect},
		{hanging.URL, rest.DeliveryFailed, 0, rest.DeliveryTimeout},
		{cutting.URL, rest.DeliveryFailed, 0, rest.DeliveryBroken},
		{"http://" + closedPort(t), rest.DeliveryFailed, 0, rest.DeliveryUnreachable},
		{unknown.URL, rest.DeliveryFailed, 0, rest.DeliveryTLS},
		{"http://no-such-host.invalid", rest.DeliveryFailed, 0, rest.DeliveryUnresolved},
		{"http://169.254.169.254", rest.DeliveryFailed, 0, rest.DeliveryForbidden},
	}
	hooks := make([]rest.Webhook, len(cases))
	for i, c := range cases {
		hooks[i] = rest.Webhook{URL: c.url + "/hook?key=k", Secret: secret}
	}
	config := quick()
	config.Timeout = 8 * time.Second
	s := alert.NewWebhookSender(config) // a test needs no Run
	begun := time.Now()
	got, err := s.Test(t.Context(), hooks)
	if took := time.Since(begun); err != nil || len(got) != len(cases) || took > config.Timeout+8*time.Second {
		t.Fatalf("%d results in %v, %v", len(got), took, err)
	}
	for i, c := range cases {
		d := got[i]
		if d.Webhook != c.url || d.State != c.want || d.Status != c.code || d.Error != c.error || d.Attempts != 1 || d.Event != "alert.test" || d.ID == "" {
			t.Errorf("%s: %+v", c.url, d)
		}
		if d.TookMS < 0 || c.error == rest.DeliveryTimeout && d.TookMS < 7900 || c.error == "" && (d.TookMS == 0 || d.TookMS > 7900) {
			t.Errorf("%s took %v ms", c.url, d.TookMS)
		}
	}
	if len(elsewhere.got) != 0 {
		t.Error("a redirect was followed")
	}
	if err := verify(hanging.next(t), secret); err != nil {
		t.Error(err)
	}
	for _, d := range s.Deliveries() {
		if raw, err := json.Marshal(d); err != nil || strings.Contains(string(raw), "key") || strings.Contains(string(raw), secret) {
			t.Errorf("a key is shown: %s, %v", raw, err)
		}
	}
}

// What is sent for an alert is listed as it goes on, the last taken first.
func TestDeliveriesOfLate(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t, func(attempt int, w http.ResponseWriter, _ *http.Request) {
		if attempt == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	s := sending(t, quick())
	s.Send(rest.Webhook{URL: "http://" + closedPort(t), Secret: secret}, raised())
	s.Send(rc.hook(), raised())
	first, second := rc.next(t), rc.next(t)
	if first.header.Get("Idempotency-Key") != second.header.Get("Idempotency-Key") {
		t.Error("two deliveries")
	}
	dropped(t, s, 1)
	for d := s.Deliveries(); d[0].State != rest.DeliveryDelivered; d = s.Deliveries() {
		<-time.After(5 * time.Millisecond) // the answer is on its way
	}
	got := s.Deliveries()
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if d := got[0]; d.Attempts != 2 || d.Status != 200 || d.Error != "" || d.Alert != "a_1" || d.Event != "alert.firing" || d.Webhook != rc.URL ||
		d.ID != first.header.Get("Idempotency-Key") {
		t.Errorf("%+v", d)
	}
	if d := got[1]; d.State != rest.DeliveryFailed || d.Attempts != alert.MaxAttempts || d.Error != rest.DeliveryUnreachable {
		t.Errorf("%+v", d)
	}
}

func TestOnlySoManyDeliveriesAreRemembered(t *testing.T) {
	s := alert.NewWebhookSender(quick()) // nothing is taken out of its queue
	for range alert.MaxQueue + 1 {
		s.Send(rest.Webhook{URL: "http://localhost/", Secret: secret}, raised())
	}
	got := s.Deliveries()
	if len(got) != alert.MaxDeliveries {
		t.Fatalf("%d remembered", len(got))
	}
	if d := got[0]; d.State != rest.DeliveryFailed || d.Error != rest.DeliveryQueueFull || d.Attempts != 0 {
		t.Errorf("one too many: %+v", d)
	}
	if d := got[1]; d.State != rest.DeliveryWaiting || d.Error != "" {
		t.Errorf("the last that was taken: %+v", d)
	}
}
