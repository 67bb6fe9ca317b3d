package main

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"parley/server/api"
	"parley/shared/rest"
)

// opened follows the stream and holds that it was admitted.
func (p *program) opened(t *testing.T, token string) *stream {
	t.Helper()
	s := p.follow(t, token, nil)
	if s.res.StatusCode != http.StatusOK {
		t.Fatalf("a stream is refused: %s", s.res.Status)
	}
	return s
}

func refusedStream(t *testing.T, s *stream) {
	t.Helper()
	after, err := strconv.Atoi(s.res.Header.Get("Retry-After"))
	if s.res.StatusCode != http.StatusTooManyRequests || err != nil || after < 1 || after > 60 {
		t.Errorf("one more stream gets %s, Retry-After %q", s.res.Status, s.res.Header.Get("Retry-After"))
	}
}

// Ten starts a minute, wherever a request says that it comes from.
func TestStreamStartsAreCountedWhateverHeadersSay(t *testing.T) {
	t.Parallel()
	p := spawn(t, "--trusted-proxies=127.0.0.0/8")
	token := p.token(t, "demo-admin")
	from := func(i int) http.Header {
		return http.Header{
			"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i)}, "X-Real-Ip": {fmt.Sprintf("198.51.100.%d", i)},
			"Forwarded": {fmt.Sprintf("for=192.0.2.%d", i)},
		}
	}
	for i := range api.MaxStreamStarts {
		s := p.follow(t, token, from(i))
		if s.res.StatusCode != http.StatusOK {
			t.Fatalf("start %d: %s", i+1, s.res.Status)
		}
		s.close() // only starts count here
	}
	for i := range 3 {
		refusedStream(t, p.follow(t, token, from(100+i)))
	}
	refusedStream(t, p.follow(t, p.token(t, "demo-admin"), nil)) // nor whatever token it is
}

// Ten may be open, also when the minute in which they started is over; who
// closes one may open one.
func tenStreamsAreOpen(t *testing.T) {
	p := spawn(t)
	token := p.token(t, "demo-admin")
	began := time.Now()
	open := make([]*stream, api.MaxOpenStreams)
	for i := range open {
		open[i] = p.opened(t, token)
	}
	minute := time.NewTimer(61 * time.Second)
	defer minute.Stop()
	<-minute.C
	refusedStream(t, p.follow(t, token, nil))
	open[3].close()
	within(t, "a closed stream makes room for another", 5*time.Second, func() bool {
		s := p.follow(t, token, nil)
		return s.res.StatusCode == http.StatusOK
	})
	for i, s := range open {
		select {
		case e, more := <-s.events:
			if i != 3 && !more {
				t.Errorf("stream %d ended after %v, at %+v", i, time.Since(began), e)
			}
		default:
			t.Errorf("stream %d has told nothing", i)
		}
	}
}

// A life that was set by seconds is held as the hour is.
func streamsLiveAsLongAsTold(t *testing.T) {
	const life = 12 * time.Second
	p := spawn(t, "--stream-lifetime="+life.String())
	alive := startStopwatch(p.cmd.Process.Pid)
	s := p.opened(t, p.token(t, "demo-admin"))
	last := s.ends(t, life+patience)
	if took := time.Since(alive.began); took < life-5*time.Second {
		t.Errorf("told to live %v, it lived %v", life, took)
	}
	alive.over(t, fmt.Sprint("a stream that was told to live ", life), life+5*time.Second)
	if last != string(rest.EventRenew) {
		t.Errorf("its last event was %q", last)
	}
}
