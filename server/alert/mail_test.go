package alert_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"parley/server/alert"
	"parley/server/mail"
	"parley/server/mail/mailtest"
	"parley/shared/rest"
)

// mailing returns a config whose mail goes to a server of the test.
func mailing(t *testing.T, server string) alert.WebhookSenderConfig {
	t.Helper()
	sender, err := mail.New(mail.Config{Server: server, From: "parley@example.org", Password: func() string { return "pass word" }, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	c := quick()
	c.Mail = sender
	return c
}

// TestAMailTellsWhatHappened and nothing of people; who gets it is not listed.
func TestAMailTellsWhatHappened(t *testing.T) {
	t.Parallel()
	server := new(mailtest.Server)
	server.Start(t, mailtest.Plain)
	s := sending(t, mailing(t, "smtp://localhost:"+server.Port))
	s.Send(rest.Webhook{URL: "mailto:ops@example.org"}, rest.Alert{
		ID: "a_1", Title: "Poor\r\nBcc: eve@example.org", Detail: "203.0.113.0/24", AcknowledgedBy: "otto", State: rest.AlertFiring,
		Value: 0.91, Limit: 0.9, Unit: "ratio", Session: "s_1", RaisedAt: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	})
	waitUntil(t, func() bool { return s.Deliveries()[0].State == rest.DeliveryDelivered })
	if d := s.Deliveries()[0]; d.Webhook != "mailto:•••@example.org" || d.Attempts != 1 || d.Error != "" {
		t.Errorf("listed %+v", d)
	}
	got := server.Mail()[0]
	if got.To != "ops@example.org" || got.Header.Get("Subject") != "[Parley] Firing: Poor  Bcc: eve@example.org" || got.Header.Get("Bcc") != "" {
		t.Errorf("to %s, %v", got.To, got.Header)
	}
	text := strings.ReplaceAll(got.Text, "\r\n", "\n")
	if !strings.HasSuffix(text, "\n0.91 (limit 0.9) ratio\nsession s_1\n\nParley n1, 2026-03-04T05:06:07Z\n") || strings.Contains(text, "203.0.113") || strings.Contains(text, "otto") {
		t.Errorf("text %q", text)
	}
}

func waitUntil(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to be")
		}
	}
}

// TestAMailIsTriedAgain as webhooks are, and its reason stands in the list.
func TestAMailIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		server *mailtest.Server
		user   string
		want   rest.WebhookDelivery
	}{
		"recipient refused": {&mailtest.Server{RefuseMailbox: &smtp.SMTPError{Code: 550, Message: "nobody"}}, "",
			rest.WebhookDelivery{State: rest.DeliveryFailed, Attempts: 1, Status: 550, Error: rest.DeliveryRecipient}},
		"box full": {&mailtest.Server{RefuseMailbox: &smtp.SMTPError{Code: 452, Message: "full"}}, "",
			rest.WebhookDelivery{State: rest.DeliveryFailed, Attempts: alert.MaxAttempts, Status: 452, Error: rest.DeliveryRecipient}},
		"wrong password": {&mailtest.Server{Password: "another"}, "parley@",
			rest.WebhookDelivery{State: rest.DeliveryFailed, Attempts: alert.MaxAttempts, Status: 535, Error: rest.DeliveryCredentials}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.server.Start(t, mailtest.Plain)
			s := sending(t, mailing(t, "smtp://"+test.user+"localhost:"+test.server.Port))
			s.Send(rest.Webhook{URL: "mailto:ops@example.org"}, raised())
			dropped(t, s, 1)
			got := s.Deliveries()[0]
			if got.State != test.want.State || got.Attempts != test.want.Attempts || got.Status != test.want.Status || got.Error != test.want.Error {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

// TestMailWithoutAnAnswer: the reasons of a server that is away, or no longer named.
func TestMailWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	stranger := new(mailtest.Server)
	stranger.Start(t, mailtest.SMTPS)
	for want, c := range map[string]alert.WebhookSenderConfig{
		rest.DeliveryUnreachable:  mailing(t, "smtp://"+away),
		rest.DeliveryTLS:          mailing(t, "smtps://127.0.0.1:"+stranger.Port),
		rest.DeliveryNoMailServer: quick(),
	} {
		got, err := alert.NewWebhookSender(c).Test(t.Context(), []rest.Webhook{{URL: "mailto:ops@example.org"}})
		if err != nil || got[0].Error != want || got[0].Status != 0 || got[0].State != rest.DeliveryFailed {
			t.Errorf("%+v, %v, want %s", got, err, want)
		}
	}
}

// TestAMailboxIsCheckedWhenEntered; without a mail server it is told what to do.
func TestAMailboxIsCheckedWhenEntered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		url, want string
		hasServer bool
	}{
		{"mailto:ops@example.org", "", true},
		{"mailto:ops@example.org", "start it with --smtp-server", false},
		{"mailto:Ops <ops@example.org>", "not a mail address", true},
		{"mailto:ops@example.org,eve@example.org", "not a mail address", true},
		{"mailto:ops@example.org?bcc=eve@example.org", "not a mail address", true},
		{"mailto:ops@example.org\r\nBcc:eve@example.org", "not a mail address", true},
		{"mailto:", "not a mail address", true},
	} {
		c := alert.Config{Readings: func() alert.Readings { return alert.Readings{} }}
		if test.hasServer {
			c.Mail = mailing(t, "smtp://localhost").Mail
		}
		_, err := alert.New(c).Change(t.Context(), rest.AlertRules{Version: -1, Webhooks: []rest.Webhook{{URL: test.url}}}, putRules)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: %v, want %q", test.url, err, test.want)
		}
	}
}

// TestWhatIsSentIsMasked: a title that somebody wrote before privacy mode was on, too.
func TestWhatIsSentIsMasked(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	a := alert.New(alert.Config{
		Readings: func() alert.Readings { return alert.Readings{Cap: 10, Live: 10} }, AllowPrivate: true,
		Mask: func(s string) string { return strings.ReplaceAll(s, "ann@example.org", "•••") },
		Store: &memoryStore{rules: rest.AlertRules{Version: 1, Webhooks: []rest.Webhook{rc.hook()}, Rules: []rest.AlertRule{
			{ID: "live", Title: "ann@example.org calls", Metric: rest.AlertLiveOfCap, Above: 0.5, ForS: 1, Enabled: true, Webhooks: true},
		}}},
	})
	if err := a.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	defer func() { stop(); <-done }()
	if body := string(rc.next(t).body); strings.Contains(body, "ann@") || !strings.Contains(body, "••• calls") {
		t.Errorf("sent %s", body)
	}
}
