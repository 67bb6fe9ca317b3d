package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/shared/rest"
)

// Headers of a webhook.
const (
	// HeaderSignature is t=<unix seconds>,v1=<hex HMAC-SHA256 of t, a dot and the
	// body>. The time is that of the attempt, so that a receiver can refuse an
	// old one.
	HeaderSignature = "X-Parley-Signature"
	// HeaderDelivery is the same in every attempt of one delivery.
	HeaderDelivery = "Idempotency-Key"
)

// Limits of sending.
const (
	// MaxQueue is how many deliveries may wait; more than that are dropped, for
	// the list of alerts has them all.
	MaxQueue = 256
	// MaxAttempts with the waits between them make a good half hour: as long as a
	// receiver may take to restart.
	MaxAttempts = 10
	// FirstWait doubles with each attempt up to LongestWait; each wait is between
	// half of that and the whole, so that receivers aren't met by all at once.
	FirstWait   = 2 * time.Second
	LongestWait = 10 * time.Minute
	// AttemptTimeout is from the dial to the end of the answer.
	AttemptTimeout = 10 * time.Second
	// maxParallel: one receiver that hangs delays nobody else's.
	maxParallel = 4
	// maxAnswer is what is read of an answer, in bytes.
	maxAnswer = 4 << 10
	// maxAnswerHeader is what is read of its header, in bytes.
	maxAnswerHeader = 16 << 10
)

// Payload is the body of a webhook.
type Payload struct {
	ID    string     `json:"id"`    // of the delivery
	Event string     `json:"event"` // alert.firing, alert.resolved
	At    time.Time  `json:"at"`    // of the event
	Node  string     `json:"node,omitempty"`
	Alert rest.Alert `json:"alert"`
}

// SenderConfig is what a Sender needs. All of it may be left out.
type SenderConfig struct {
	AllowPrivate bool // to loopback and private networks: demo and tests
	Node         string
	Timeout      time.Duration // of an attempt; 0 is AttemptTimeout
	FirstWait    time.Duration // 0 is FirstWait
	Logger       *slog.Logger
}

// Sender delivers webhooks. Nothing is sent before Run.
type Sender struct {
	cfg     SenderConfig
	client  *http.Client
	wake    chan struct{}
	dropped atomic.Int64

	mu    sync.Mutex
	queue []*job
}

// job is one delivery under way.
type job struct {
	id       string
	hook     rest.Webhook
	body     []byte
	attempts int
	due      time.Time
}

// NewSender makes a Sender with a client that takes no detours: no proxy, no
// redirect, no connection that was checked for another delivery.
func NewSender(c SenderConfig) *Sender {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Timeout <= 0 {
		c.Timeout = AttemptTimeout
	}
	if c.FirstWait <= 0 {
		c.FirstWait = FirstWait
	}
	dialer := net.Dialer{Timeout: c.Timeout / 2, Control: control(c.AllowPrivate)}
	return &Sender{
		cfg: c, wake: make(chan struct{}, 1),
		client: &http.Client{
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSHandshakeTimeout: c.Timeout / 2,
				DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeader,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Dropped is how many deliveries were given up or never taken.
func (s *Sender) Dropped() int64 { return s.dropped.Load() }

// Send takes a delivery; it never waits. What is not for outsiders is left out.
func (s *Sender) Send(hook rest.Webhook, a rest.Alert) {
	a.AcknowledgedBy = ""
	at := a.RaisedAt
	if a.ResolvedAt != nil {
		at = *a.ResolvedAt
	}
	p := Payload{ID: rand.Text(), Event: "alert." + a.State, At: at, Node: s.cfg.Node, Alert: a}
	body, err := json.Marshal(p)
	if err != nil {
		s.giveUp(p.ID, err)
		return
	}
	s.mu.Lock()
	full := len(s.queue) >= MaxQueue
	if !full {
		s.queue = append(s.queue, &job{id: p.ID, hook: hook, body: body, due: time.Now()})
	}
	s.mu.Unlock()
	if full {
		s.giveUp(p.ID, errors.New("too many wait"))
		return
	}
	s.nudge()
}

func (s *Sender) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Sender) giveUp(id string, err error) {
	s.dropped.Add(1)
	s.cfg.Logger.Warn("a webhook was not delivered", "event", "webhook", "cause", id, "err", err)
}

// Run delivers until ctx is done; what is under way then is given up.
func (s *Sender) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	defer s.client.CloseIdleConnections()
	places := make(chan struct{}, maxParallel)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		for {
			next, wait := s.take(time.Now(), len(places) < maxParallel)
			if next == nil {
				timer.Reset(wait)
				break
			}
			places <- struct{}{}
			running.Go(func() {
				s.deliver(ctx, next)
				<-places
				s.nudge()
			})
		}
	}
}

// take gives the delivery that has been due longest, or how long to wait.
func (s *Sender) take(now time.Time, place bool) (*job, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := -1
	for i, j := range s.queue {
		if first < 0 || j.due.Before(s.queue[first].due) {
			first = i
		}
	}
	if first < 0 || !place {
		return nil, LongestWait // a nudge comes first
	}
	if wait := s.queue[first].due.Sub(now); wait > 0 {
		return nil, wait
	}
	j := s.queue[first]
	s.queue = append(s.queue[:first], s.queue[first+1:]...)
	return j, 0
}

// errFinal marks an answer that another attempt would not change.
var errFinal = errors.New("refused")

// deliver makes one attempt, and plans another where that may help.
func (s *Sender) deliver(ctx context.Context, j *job) {
	j.attempts++
	err := s.attempt(ctx, j)
	switch {
	case err == nil, ctx.Err() != nil:
		return
	case errors.Is(err, errFinal), errors.Is(err, ErrAddress), j.attempts >= MaxAttempts:
		s.giveUp(j.id, fmt.Errorf("after %d attempts: %w", j.attempts, err))
		return
	}
	j.due = time.Now().Add(s.wait(j.attempts))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, j) // the place that it had, and so within MaxQueue and what runs
}

// wait is how long after an attempt the next is made.
func (s *Sender) wait(attempts int) time.Duration {
	longest := s.cfg.FirstWait
	for range attempts - 1 {
		longest = min(2*longest, LongestWait)
	}
	return longest/2 + mathrand.N(longest/2+1)
}

func (s *Sender) attempt(ctx context.Context, j *job) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.hook.URL, bytes.NewReader(j.body))
	if err != nil {
		return fmt.Errorf("%w: %w", errFinal, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Parley-Webhook")
	req.Header.Set(HeaderDelivery, j.id)
	req.Header.Set(HeaderSignature, Sign(j.hook.Secret, time.Now(), j.body))
	answer, err := s.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer answer.Body.Close()
	if _, err := io.CopyN(io.Discard, answer.Body, maxAnswer); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return outcome(answer.StatusCode)
}

// withoutURL takes the address out of an error: it may hold a key.
func withoutURL(err error) error {
	type wrapper interface{ Unwrap() error }
	if w, ok := err.(wrapper); ok {
		return w.Unwrap()
	}
	return err
}

// outcome sorts answers: done, try again, never.
func outcome(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return fmt.Errorf("status %d", status)
	}
	return fmt.Errorf("%w: status %d", errFinal, status)
}

// Sign gives the signature of a body as it is sent at a moment.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// delivery is what is to be sent where.
type delivery struct {
	hook  rest.Webhook
	alert rest.Alert
}

// deliveries are what webhooks are to be told of changes. The caller holds the
// lock.
func (a *Alerts) deliveries(now time.Time, changed []rest.Alert) (out []delivery) {
	for _, c := range changed {
		silent := c.SilencedUntil != nil && now.Before(*c.SilencedUntil)
		if silent || !ruleOf(a.rules, c.Rule).Webhooks {
			continue
		}
		for _, hook := range a.rules.Webhooks {
			out = append(out, delivery{hook, c})
		}
	}
	return out
}

// WebhooksDropped is how many deliveries were given up.
func (a *Alerts) WebhooksDropped() int64 { return a.sender.Dropped() }
