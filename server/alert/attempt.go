package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"parley/server/outbound"
	"parley/shared/rest"
)

// deliverOnce makes one attempt, notes what came of it, and returns how many there were.
func (s *WebhookSender) deliverOnce(ctx context.Context, j *deliveryJob) (attempts int, err error) {
	begun := time.Now()
	status, err := s.attempt(ctx, j)
	took := time.Since(begun)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := j.delivery
	d.Attempts++
	d.At, d.Status, d.TookMS = begun.UTC(), status, float64(took.Microseconds())/1000
	d.State, d.Error = rest.DeliveryDelivered, ""
	if err != nil {
		d.State, d.Error = rest.DeliveryFailed, faultOf(status, err)
	}
	return d.Attempts, err
}

// attempt makes one, by mail or by HTTP.
func (s *WebhookSender) attempt(ctx context.Context, j *deliveryJob) (status int, err error) {
	if j.mail != nil {
		return s.sendMail(ctx, *j.mail)
	}
	return s.postPayload(ctx, j)
}

// postPayload sends once and returns the status of the answer, 0 if none came.
func (s *WebhookSender) postPayload(ctx context.Context, j *deliveryJob) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, j.hook.URL, bytes.NewReader(j.body))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errFinal, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Parley-Webhook")
	req.Header.Set(HeaderDelivery, j.delivery.ID)
	req.Header.Set(outbound.HeaderSignature, outbound.Sign(j.hook.Secret, time.Now(), j.body))
	answer, err := s.client.Do(req)
	if err != nil {
		return 0, outbound.WithoutURL(err)
	}
	defer answer.Body.Close()
	if _, err := io.CopyN(io.Discard, answer.Body, maxAnswer); err != nil && !errors.Is(err, io.EOF) {
		return answer.StatusCode, err
	}
	return answer.StatusCode, outcomeOf(answer.StatusCode)
}

// outcomeOf sorts answers: done, try again, never.
func outcomeOf(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return fmt.Errorf("status %d", status)
	}
	return fmt.Errorf("%w: status %d", errFinal, status)
}
