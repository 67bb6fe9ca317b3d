package accesslog_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/accesslog"
	"parley/shared/rest"
)

// askAs sends n requests from an address, as a user or as nobody.
func askAs(l *accesslog.Log, remote, user string, n int) {
	h := l.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user != "" {
			accesslog.LineOf(r.Context()).User(user, "")
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	for range n {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/me", nil)
		r.RemoteAddr = remote
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// tally counts lines of one request, and the requests that lines of many stand for.
func tally(lines []rest.LogEntry) (single int, counted map[string]int64) {
	counted = map[string]int64{}
	for _, line := range lines {
		if line.Kind == rest.LogCounted {
			counted[line.Remote] += line.Count
		} else {
			single++
		}
	}
	return single, counted
}

func TestStrangersHaveALimitOfLines(t *testing.T) {
	const limit = accesslog.DefaultStrangerLines
	for name, test := range map[string]struct {
		ask         func(*accesslog.Log)
		wantSingle  int
		wantCounted map[string]int64
	}{
		"at the limit":  {func(l *accesslog.Log) { askAs(l, "203.0.113.7:1", "", limit) }, limit, map[string]int64{}},
		"one beyond it": {func(l *accesslog.Log) { askAs(l, "203.0.113.7:1", "", limit+1) }, limit, map[string]int64{"203.0.113.•": 1}},
		"a flood":       {func(l *accesslog.Log) { askAs(l, "203.0.113.7:1", "", 20_000) }, limit, map[string]int64{"203.0.113.•": 20_000 - limit}},
		"by address, whatever the port": {func(l *accesslog.Log) {
			for port := range 2 * limit {
				askAs(l, fmt.Sprintf("203.0.113.7:%d", port+1), "", 1)
			}
			askAs(l, "198.51.100.1:1", "", limit)
		}, 2 * limit, map[string]int64{"203.0.113.•": limit}},
		"by subscriber of IPv6": {func(l *accesslog.Log) {
			for host := range 2 * limit {
				askAs(l, fmt.Sprintf("[2001:db8:1:2::%x]:1", host+1), "", 1)
			}
		}, limit, map[string]int64{"2001:db8:1::•": limit}},
		"who has a token has all lines": {func(l *accesslog.Log) { askAs(l, "203.0.113.7:1", "ada", 3*limit) }, 3 * limit, map[string]int64{}},
		"a user and a stranger of one address": {func(l *accesslog.Log) {
			askAs(l, "203.0.113.7:1", "", 2*limit)
			askAs(l, "203.0.113.7:1", "ada", 10)
		}, limit + 10, map[string]int64{"203.0.113.•": limit}},
	} {
		t.Run(name, func(t *testing.T) {
			s := new(memorySink)
			l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t)})
			test.ask(l)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			l.Run(ended)
			single, counted := tally(s.lines())
			if single != test.wantSingle || fmt.Sprint(counted) != fmt.Sprint(test.wantCounted) {
				t.Errorf("%d lines and %v, want %d and %v", single, counted, test.wantSingle, test.wantCounted)
			}
		})
	}
}

// Each second has its own lines, and its own count.
func TestStrangersAreCountedBySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(memorySink)
		l := accesslog.New(accesslog.Config{Sink: s, Mask: mask(t)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); l.Run(ctx) }()
		for range 3 {
			askAs(l, "203.0.113.7:1", "", accesslog.DefaultStrangerLines+7)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		cancel()
		<-done
		single, counted := tally(s.lines())
		if single != 3*accesslog.DefaultStrangerLines || counted["203.0.113.•"] != 21 {
			t.Errorf("%d lines, %v", single, counted)
		}
		for _, line := range s.lines() {
			if line.Kind == rest.LogCounted && line.Count != 7 {
				t.Errorf("a second's line counts %d", line.Count)
			}
		}
	})
}
