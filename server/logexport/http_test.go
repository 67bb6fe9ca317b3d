package logexport_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"parley/server/logexport"
	"parley/server/logtest"
)

// Answers of all kinds, and a connection that breaks: each line arrives, in order, and
// again only after an answer that wasn't 2xx.
func TestEachLineArrivesByHTTP(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var lines []string
	plan := []func(http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter) {
			http.Redirect(w, httptest.NewRequest("GET", "/", nil), "/elsewhere", http.StatusFound)
		},
	}
	cuts := len(plan)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h := r.Header
		if err != nil || r.URL.String() != "/in?key=of-ours" || h.Get("Content-Type") != "application/x-ndjson" || h.Get("Authorization") != "Bearer a-token-of-tests" || h.Get("User-Agent") != "parley/1.2" {
			t.Errorf("%s %s %+v %v", r.Method, r.URL, h, err)
		}
		mu.Lock()
		defer mu.Unlock()
		lines = slices.AppendSeq(lines, strings.Lines(string(body)))
		if len(plan) > 0 {
			answer := plan[0]
			plan = plan[1:]
			answer(w)
		}
	}))
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	defer srv.Close()
	_, pool := certificate(t)
	s := &spool{}
	s.add(600)
	var logs logtest.Buffer
	e, stop := export(t, logexport.Config{
		Store: s, RootCAs: pool, Token: func() string { return "a-token-of-tests" }, Version: "1.2", Logger: loggerTo(&logs),
	}, srv.URL+"/in?key=of-ours")
	eventually(t, "last confirmation", func() bool { return s.confirmed() == 600 })
	stop()
	mu.Lock()
	defer mu.Unlock()
	checkArrival(t, lines, 600, cuts)
	if f := e.Figures()[0]; f.Sent != 600 || strings.Contains(logs.String(), "of-ours") || strings.Contains(logs.String(), "a-token") {
		t.Errorf("%+v\n%s", f, &logs)
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "x": 0, "-1": 0, "0": 0, "7": 7 * time.Second, "99999999999": logexport.MaxRetryAfter, "Wed, 04 Mar 2026 12:00:30 GMT": 30 * time.Second, "Wed, 04 Mar 2026 11:00:00 GMT": 0,
	} {
		if got := logexport.RetryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestDestinations(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://c.example/in?x=1": true, "http://127.0.0.1:9000": true, "syslog+tls://c.example": true, "syslog+tls://c.example:6514/": true, "syslog+tcp://[::1]:601": true,
		"c.example": false, "ftp://c.example": false, "https://": false, "syslog+tls://:6514": false, "https://u:p@c.example": false,
		"https://c.example/#x": false, "syslog+tls://c.example/in": false, "syslog+udp://c.example": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := logexport.CheckDestination(u); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Whatever a name holds, a header stays a header.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{"", "n1", "a b", `a"]\`, "ü\x00\xff", strings.Repeat("x", 1000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, param := logexport.HeaderName(text, 255), logexport.EscapeParam(text)
		if name == "" || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("header %q", name)
		}
		bare := strings.NewReplacer(`\\`, "", `\"`, "", `\]`, "").Replace(param)
		if strings.ContainsAny(bare, `"]\`) || !utf8.ValidString(param) {
			t.Errorf("parameter %q", param)
		}
	})
}
