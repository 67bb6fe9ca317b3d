package main

import (
	"net/http"
	"testing"

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
