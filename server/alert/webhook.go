package alert

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/mail"
	"parley/server/outbound"
	"parley/shared/rest"
)

// HeaderDelivery is a header of a webhook, the same in every attempt of one
// delivery. The other is outbound.HeaderSignature.
const HeaderDelivery = "Idempotency-Key"

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
)

// Payload is the body of a webhook.
type Payload struct {
	ID    string     `json:"id"`    // of the delivery
	Event string     `json:"event"` // alert.firing, alert.resolved, alert.test
	At    time.Time  `json:"at"`    // of the event
	Node  string     `json:"node,omitempty"`
	Alert rest.Alert `json:"alert"`
}

// WebhookSenderConfig is what a WebhookSender needs. All of it may be left out.
type WebhookSenderConfig struct {
	AllowPrivate bool         // to loopback and private networks: demo and tests
	Mail         *mail.Sender // of what goes to mailto: addresses
	Node         string
	Timeout      time.Duration // of an attempt; 0 is AttemptTimeout
	FirstWait    time.Duration // 0 is FirstWait
	// Encode writes a payload; nil is json.Marshal.
	Encode func(payload any) ([]byte, error)
	Logger *slog.Logger
}

// WebhookSender delivers webhooks. Nothing is sent before Run.
type WebhookSender struct {
	cfg     WebhookSenderConfig
	client  *http.Client
	wake    chan struct{}
	dropped atomic.Int64

	mu     sync.Mutex
	queue  []*deliveryJob
	recent []*rest.WebhookDelivery // the last taken last
}

// deliveryJob is one delivery under way.
type deliveryJob struct {
	hook rest.Webhook
	body []byte
	mail *mail.Message // instead of body; nil: it goes by HTTP
	due  time.Time
	// delivery is what is told of it. mu must be held, but for its ID.
	delivery *rest.WebhookDelivery
}

// NewWebhookSender makes a WebhookSender with a client that takes no detours: no proxy, no
// redirect, no connection that was checked for another delivery.
func NewWebhookSender(c WebhookSenderConfig) *WebhookSender {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Timeout <= 0 {
		c.Timeout = AttemptTimeout
	}
	if c.FirstWait <= 0 {
		c.FirstWait = FirstWait
	}
	if c.Encode == nil {
		c.Encode = json.Marshal
	}
	return &WebhookSender{
		cfg: c, wake: make(chan struct{}, 1),
		client: outbound.NewClient(allowedAddresses(c.AllowPrivate), c.Timeout),
	}
}

// allowedAddresses are those that webhooks may go to.
func allowedAddresses(allowPrivate bool) outbound.Addresses {
	return outbound.Addresses{AllowPrivate: allowPrivate, Setting: "--webhook-private"}
}

// Dropped is how many deliveries were given up or never taken.
func (s *WebhookSender) Dropped() int64 { return s.dropped.Load() }

// Send takes a delivery; it never waits. What is not for outsiders is left out.
func (s *WebhookSender) Send(hook rest.Webhook, a rest.Alert) {
	a.AcknowledgedBy = ""
	at := a.RaisedAt
	if a.ResolvedAt != nil {
		at = *a.ResolvedAt
	}
	j, err := s.newJob(hook, Payload{Event: "alert." + a.State, At: at, Alert: a})
	if err != nil {
		s.dropJob("", err)
		return
	}
	s.mu.Lock()
	s.rememberLocked(j.delivery)
	full := len(s.queue) >= MaxQueue
	if !full {
		s.queue = append(s.queue, j)
	} else {
		j.delivery.State, j.delivery.Error = rest.DeliveryFailed, rest.DeliveryQueueFull
	}
	s.mu.Unlock()
	if full {
		s.dropJob(j.delivery.ID, errors.New("too many wait"))
		return
	}
	s.wakeRun()
}

func (s *WebhookSender) newJob(hook rest.Webhook, p Payload) (*deliveryJob, error) {
	p.ID, p.Node = rand.Text(), s.cfg.Node
	now := time.Now()
	j := &deliveryJob{hook: hook, due: now, delivery: &rest.WebhookDelivery{
		ID: p.ID, At: now.UTC(), Event: p.Event, Alert: p.Alert.ID, Webhook: withoutPath(hook.URL), State: rest.DeliveryWaiting,
	}}
	var sent any = p
	switch to, isMail := mailTo(hook.URL); {
	case isMail:
		j.mail = mailOf(p, to)
		return j, nil
	case hook.Format == rest.WebhookSlack:
		sent = slackOf(p)
	}
	var err error
	j.body, err = s.cfg.Encode(sent)
	return j, err
}

func (s *WebhookSender) wakeRun() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *WebhookSender) dropJob(id string, err error) {
	s.dropped.Add(1)
	s.cfg.Logger.Warn("a webhook was not delivered", "event", "webhook", "cause", id, "err", err)
}

// Run delivers until ctx is done; what is under way then is given up.
func (s *WebhookSender) Run(ctx context.Context) {
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
			next, wait := s.takeDue(time.Now(), len(places) < maxParallel)
			if next == nil {
				timer.Reset(wait)
				break
			}
			places <- struct{}{}
			running.Go(func() {
				s.deliver(ctx, next)
				<-places
				s.wakeRun()
			})
		}
	}
}

// takeDue gives the delivery that has been due longest, or how long to wait.
func (s *WebhookSender) takeDue(now time.Time, place bool) (*deliveryJob, time.Duration) {
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
func (s *WebhookSender) deliver(ctx context.Context, j *deliveryJob) {
	attempts, err := s.deliverOnce(ctx, j)
	switch {
	case err == nil, ctx.Err() != nil:
		return
	case errors.Is(err, errFinal), errors.Is(err, outbound.ErrAddress), attempts >= MaxAttempts:
		s.dropJob(j.delivery.ID, fmt.Errorf("after %d attempts: %w", attempts, err))
		return
	}
	j.due = time.Now().Add(s.retryDelay(attempts))
	s.mu.Lock()
	defer s.mu.Unlock()
	j.delivery.State = rest.DeliveryRetrying
	s.queue = append(s.queue, j) // the place that it had, and so within MaxQueue and what runs
}

// retryDelay is how long after an attempt the next is made.
func (s *WebhookSender) retryDelay(attempts int) time.Duration {
	longest := s.cfg.FirstWait
	for range attempts - 1 {
		longest = min(2*longest, LongestWait)
	}
	return longest/2 + mathrand.N(longest/2+1)
}

// plannedDelivery is what is to be sent where.
type plannedDelivery struct {
	hook  rest.Webhook
	alert rest.Alert
}

// deliveriesLocked are what webhooks are to be told of changes. mu must be held.
func (a *Alerts) deliveriesLocked(now time.Time, changed []rest.Alert) (out []plannedDelivery) {
	for _, c := range changed {
		silent := c.SilencedUntil != nil && now.Before(*c.SilencedUntil)
		if silent || !ruleOf(a.rules, c.Rule).Webhooks {
			continue
		}
		for _, hook := range a.rules.Webhooks {
			out = append(out, plannedDelivery{hook, c})
		}
	}
	return out
}

// WebhooksDropped is how many deliveries were given up.
func (a *Alerts) WebhooksDropped() int64 { return a.sender.Dropped() }
