package alert

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"parley/shared/rest"
)

// MaxDeliveries is how many deliveries are remembered: what an admin looks
// through after a webhook was quiet, and a few tens of KB.
const MaxDeliveries = 100

// rememberLocked adds a delivery to those of late. mu must be held.
func (s *WebhookSender) rememberLocked(d *rest.WebhookDelivery) {
	s.recent = append(s.recent, d)
	if extra := len(s.recent) - MaxDeliveries; extra > 0 {
		s.recent = append([]*rest.WebhookDelivery(nil), s.recent[extra:]...)
	}
}

// Deliveries returns those of late as they stand, the last taken first.
func (s *WebhookSender) Deliveries() []rest.WebhookDelivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]rest.WebhookDelivery, len(s.recent))
	for i, d := range s.recent {
		all[len(all)-1-i] = *d
	}
	return all
}

// Test sends an alert that is none to each webhook, once and now, and returns
// what came of it, in their order. It takes Timeout at most.
func (s *WebhookSender) Test(ctx context.Context, hooks []rest.Webhook) ([]rest.WebhookDelivery, error) {
	now := time.Now().UTC()
	sample := rest.Alert{
		// Over already, so that nobody who is woken by what fires is woken.
		ID: "test", Rule: "test", Title: "A test of this webhook", State: rest.AlertResolved, RaisedAt: now, ResolvedAt: &now,
	}
	jobs := make([]*deliveryJob, len(hooks))
	for i, hook := range hooks {
		j, err := s.newJob(hook, Payload{Event: "alert.test", At: now, Alert: sample})
		if err != nil {
			return nil, err
		}
		jobs[i] = j
	}
	var running sync.WaitGroup
	for _, j := range jobs {
		s.mu.Lock()
		s.rememberLocked(j.delivery)
		s.mu.Unlock()
		running.Go(func() { _, _ = s.deliverOnce(ctx, j) }) // what went wrong is in the delivery
	}
	running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]rest.WebhookDelivery, len(jobs))
	for i, j := range jobs {
		all[i] = *j.delivery
	}
	return all, nil
}

// withoutPath names a webhook by scheme and host: its path or query may be a key, and who
// gets mail is a person.
func withoutPath(text string) string {
	if to, isMail := mailTo(text); isMail {
		return mailScheme + "•••" + to[max(strings.LastIndexByte(to, '@'), 0):]
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

// TestWebhooks sends an alert that is none to each webhook and returns what came
// of it, in their order.
func (a *Alerts) TestWebhooks(ctx context.Context) ([]rest.WebhookDelivery, error) {
	a.mu.Lock()
	hooks := a.rules.Webhooks // replaced, never changed
	a.mu.Unlock()
	return a.sender.Test(ctx, hooks)
}

// Deliveries returns the deliveries of late, the last taken first.
func (a *Alerts) Deliveries() []rest.WebhookDelivery { return a.sender.Deliveries() }
