package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"parley/shared/rest"
)

// deliverOnce makes one attempt, notes what came of it, and returns how many there were.
func (s *WebhookSender) deliverOnce(ctx context.Context, j *deliveryJob) (attempts int, err error) {
	begun := time.Now()
	status, err := s.postPayload(ctx, j)
	took := time.Since(begun)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := j.delivery
	d.Attempts++
	d.At, d.Status, d.TookMS = begun.UTC(), status, float64(took.Microseconds())/1000
	d.State, d.Error = rest.DeliveryDelivered, ""
	if err != nil {
		d.State, d.Error = rest.DeliveryFailed, classOf(status, err)
	}
	return d.Attempts, err
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
	req.Header.Set(HeaderSignature, Sign(j.hook.Secret, time.Now(), j.body))
	answer, err := s.client.Do(req)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer answer.Body.Close()
	if _, err := io.CopyN(io.Discard, answer.Body, maxAnswer); err != nil && !errors.Is(err, io.EOF) {
		return answer.StatusCode, err
	}
	return answer.StatusCode, outcomeOf(answer.StatusCode)
}

// withoutURL takes the address out of an error: it may hold a key.
func withoutURL(err error) error {
	type wrapper interface{ Unwrap() error }
	if w, ok := err.(wrapper); ok {
		return w.Unwrap()
	}
	return err
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

// Sign gives the signature of a body as it is sent at a moment.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// classOf sorts what went wrong with an attempt into the words of the interface:
// an error's text may name what only the server may know.
func classOf(status int, err error) string {
	var name *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case status >= 300 && status < 400:
		return rest.DeliveryRedirect
	case status >= 400:
		return rest.DeliveryStatus
	case errors.Is(err, ErrAddress):
		return rest.DeliveryForbidden
	case errors.As(err, &name):
		return rest.DeliveryUnresolved
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return rest.DeliveryTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return rest.DeliveryUnreachable
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return rest.DeliveryTLS
	}
	return rest.DeliveryBroken
}
