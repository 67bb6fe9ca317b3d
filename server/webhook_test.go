package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"parley/server/mail/mailtest"
	"parley/shared/rest"
)

// Calls on private networks are no leave to send webhooks there.
func TestWebhooksToPrivateAddressesHaveAFlagOfTheirOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag string
		want int
	}{{"--media-private", http.StatusUnprocessableEntity}, {"--webhook-private", http.StatusOK}} {
		p := start(t, c.flag)
		var rules rest.AlertRules
		p.ask(t, "demo-admin", http.MethodGet, rest.PathAlertRules, nil, &rules)
		for _, url := range []string{"http://127.0.0.1:9/hook", "http://10.0.0.1/hook", "http://localhost:9/hook"} {
			rules.Webhooks = []rest.Webhook{{URL: url, Secret: "0123456789abcdef"}}
			var now rest.AlertRules
			if got := p.ask(t, "demo-admin", http.MethodPut, rest.PathAlertRules, rules, &now); got != c.want {
				t.Errorf("%s to %s: %d, want %d", c.flag, url, got, c.want)
			}
			if c.want == http.StatusOK {
				rules = now
			}
		}
	}
}

// A test goes to each webhook as an alert does, with times like all others, and
// what came back is answered, listed and on record.
func TestWebhooksAreTested(t *testing.T) {
	t.Parallel()
	got := make(chan map[string]any, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		got <- body
		w.WriteHeader(http.StatusTeapot)
	}))
	defer receiver.Close()
	p := start(t, "--webhook-private")
	var rules rest.AlertRules
	p.ask(t, "demo-admin", http.MethodGet, rest.PathAlertRules, nil, &rules)
	rules.Webhooks = []rest.Webhook{{URL: receiver.URL + "/hook?key=k", Secret: "0123456789abcdef"}}
	if status := p.ask(t, "demo-admin", http.MethodPut, rest.PathAlertRules, rules, nil); status != http.StatusOK {
		t.Fatal(status)
	}
	var answered, listed rest.Page[rest.WebhookDelivery]
	if status := p.ask(t, "demo-admin", http.MethodPost, rest.PathAlertTest, nil, &answered); status != http.StatusOK || len(answered.Items) != 1 {
		t.Fatalf("%d %+v", status, answered)
	}
	if d := answered.Items[0]; d.Status != http.StatusTeapot || d.Error != rest.DeliveryStatus || d.Webhook != receiver.URL {
		t.Errorf("%+v", d)
	}
	body := <-got
	sample, _ := body["alert"].(map[string]any)
	for _, at := range []any{body["at"], sample["raised_at"], sample["resolved_at"]} {
		if text, _ := at.(string); len(text) != len("2026-03-04T05:06:07.089Z") {
			t.Errorf("a time %v", at)
		}
	}
	p.ask(t, "demo-admin", http.MethodGet, rest.PathDeliveries, nil, &listed)
	if len(listed.Items) != 1 || listed.Items[0] != answered.Items[0] {
		t.Errorf("listed %+v", listed)
	}
	var log rest.AuditPage
	p.ask(t, "demo-admin", http.MethodGet, rest.PathAudit+"?action=test_webhooks", nil, &log)
	if len(log.Items) != 1 || log.Items[0].Actor == "" {
		t.Errorf("on record %+v", log.Items)
	}
}

// TestAlertsGoToAMailbox by the mail server of the flags, and the password in its file.
func TestAlertsGoToAMailbox(t *testing.T) {
	t.Parallel()
	server := &mailtest.Server{Password: "pass word"}
	server.Start(t, mailtest.SMTP)
	dir := t.TempDir()
	password, root := filepath.Join(dir, "password"), filepath.Join(dir, "root.pem")
	if err := errors.Join(os.WriteFile(password, []byte("pass word\n"), 0o600), os.WriteFile(root, server.RootPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--smtp-server=smtp://parley@localhost:"+server.Port, "--smtp-password-file="+password, "--smtp-ca="+root, "--smtp-from=Parley <parley@example.org>")
	var rules rest.AlertRules
	p.ask(t, "demo-admin", http.MethodGet, rest.PathAlertRules, nil, &rules)
	rules.Webhooks = []rest.Webhook{{URL: "mailto:ops@example.org"}}
	if status := p.ask(t, "demo-admin", http.MethodPut, rest.PathAlertRules, rules, nil); status != http.StatusOK {
		t.Fatal(status)
	}
	var answered rest.Page[rest.WebhookDelivery]
	if status := p.ask(t, "demo-admin", http.MethodPost, rest.PathAlertTest, nil, &answered); status != http.StatusOK || len(answered.Items) != 1 || answered.Items[0].State != rest.DeliveryDelivered {
		t.Fatalf("%d %+v", status, answered)
	}
	if got := server.Mail(); len(got) != 1 || got[0].To != "ops@example.org" || got[0].From != "parley@example.org" || got[0].User != "parley" || !got[0].IsTLS {
		t.Errorf("%+v", got)
	}
}
