package main

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/rest"
	"parley/shared/wire"
)

// Twice as many as there are places come at once. Exactly the cap get in; each
// other one is told when to come back, before there is a socket; and the server
// stays well.
func TestOverloadTakesExactlyTheCap(t *testing.T) {
	const places, crowd = 250, 500
	p := spawn(t, "--max-sessions="+strconv.Itoa(places), "--trusted-proxies=127.0.0.0/8") // one address for all of them
	tokens, late, offer := p.crowd(t, crowd), p.token(t, "late"), anOffer()

	stop := p.pulse(t)
	in := p.storm(t, tokens, offer, 4*time.Second)
	health := stop()
	t.Logf("%d came, %d are in; health meanwhile: %v", crowd, len(in), health)
	if len(in) != places {
		t.Errorf("%d callers got one of %d places", len(in), places)
	}
	if health.alone(health.p99) >= 500*time.Millisecond {
		t.Errorf("health: %v; the 99th percentile is to be below 500ms of a whole machine", health)
	}
	if live := len(p.active(t)); live != min(places, rest.DefaultLimit) {
		t.Errorf("the admin's first page has %d calls", live)
	}

	in[0].say(wire.Bye{})
	began := time.Now()
	var caller *websocket.Conn
	within(t, "a place is free after a call ended", 5*time.Second, func() bool {
		conn, res, err := p.knock(late)
		if err != nil {
			refusedWithATime(t, res, err)
			return false
		}
		caller = conn
		return true
	})
	t.Logf("a place was free after %v", time.Since(began).Round(time.Millisecond))
	caller.Close()
}

// storm has all callers come at the same moment and gives those who got in. All
// others must be refused by an answer, and come again twice a second.
func (p *program) storm(t *testing.T, tokens []string, offer string, lasts time.Duration) (in []*socket) {
	t.Helper()
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		start = make(chan struct{})
	)
	for _, token := range tokens {
		all.Go(func() {
			<-start
			conn := p.insist(t, token, lasts)
			if conn == nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			s := &socket{conn, t}
			if err := s.call(offer); err != nil {
				t.Errorf("one who got in: %v", err)
			}
			mu.Lock()
			in = append(in, s)
			mu.Unlock()
		})
	}
	close(start)
	all.Wait()
	return in
}

// insist knocks until the door opens or the time is over.
func (p *program) insist(t *testing.T, token string, lasts time.Duration) *websocket.Conn {
	again := time.NewTicker(time.Second / 2)
	defer again.Stop()
	for until := time.Now().Add(lasts); time.Now().Before(until); <-again.C {
		conn, res, err := p.knock(token)
		if err == nil {
			return conn
		}
		refusedWithATime(t, res, err)
	}
	return nil
}

// call takes the hello, offers, and waits for the answer.
func (s *socket) call(offer string) error {
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	frame, err := wire.Encode(wire.Offer{SDP: offer})
	if err != nil {
		return err
	}
	if err := s.WriteMessage(websocket.TextMessage, frame); err != nil {
		return err
	}
	for {
		m, err := s.next()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case wire.Answer:
			return s.SetReadDeadline(time.Time{})
		case wire.Error:
			return errors.New(string(m.Code))
		}
	}
}

// refusedWithATime holds that an attempt was answered as a problem, by HTTP,
// with a time to come back.
func refusedWithATime(t *testing.T, res *http.Response, err error) {
	t.Helper()
	if !errors.Is(err, websocket.ErrBadHandshake) || res == nil {
		t.Errorf("refused by %v, not by an answer", err)
		return
	}
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	after, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if res.StatusCode != http.StatusServiceUnavailable || err != nil || after < 1 {
		t.Errorf("refused with %s, Retry-After %q: %s", res.Status, res.Header.Get("Retry-After"), &body)
	}
	if !bytes.Contains(body.Bytes(), []byte(rest.CodeCapReached)) && !bytes.Contains(body.Bytes(), []byte(rest.CodeDraining)) {
		t.Errorf("refused by %s", &body)
	}
}
