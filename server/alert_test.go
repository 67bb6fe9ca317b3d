package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"parley/shared/rest"
)

// What alerts look at is what there is: callers who find all lines busy, keys that
// can't be fetched, and the disk that the data directory is on.
func TestAlertsOfRealReadings(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewServer(http.NotFoundHandler())
	defer issuer.Close()
	file := filepath.Join(t.TempDir(), "secret")
	replaceFile(t, file, []byte("q8Zr2LmT5vXb9NcK4wPs7HdYf3JgEa6U"))
	p := start(t, "--max-sessions=1", "--jwks-url="+issuer.URL+"/keys", "--jwt-secret-file="+file)
	p.tokens = make(map[string]string)
	for _, sub := range []string{"ann", "bob", "demo-admin"} {
		p.tokens[sub] = p.mint(t, "--sub="+sub, "--jwt-secret-file="+file)
	}
	put := rest.AlertRules{Webhooks: []rest.Webhook{}, Rules: []rest.AlertRule{
		{ID: "full", Title: "Full", Metric: rest.AlertCapRefusals, Above: 3, ForS: 600, Enabled: true},
		{ID: "keys", Title: "Keys", Metric: rest.AlertStaleKeys, Above: 1, ForS: 1, Enabled: true},
		{ID: "disk", Title: "Disk", Metric: rest.AlertDiskUsed, Above: 1e-9, Enabled: true},
		{ID: "certificate", Title: "Certificate", Metric: rest.AlertCertificateDays, Above: 14, Enabled: true},
	}}
	if got := p.ask(t, "demo-admin", http.MethodPut, rest.PathAlertRules, put, nil); got != http.StatusOK {
		t.Fatalf("rules: %d", got)
	}
	p.open(t, p.tokens["ann"])
	for range 3 {
		if conn, res, err := p.knock(p.tokens["bob"]); err == nil || res == nil || res.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("a caller too many gets %v %v", conn, err)
		}
	}
	var alerts rest.Page[rest.Alert]
	fired := make(map[string]rest.Alert)
	eventually(t, "the alerts fire", func() bool {
		p.ask(t, "demo-admin", http.MethodGet, rest.PathAlerts, nil, &alerts)
		for _, a := range alerts.Items {
			fired[a.Rule] = a
		}
		return len(fired) == 3
	})
	if _, isThere := fired["certificate"]; isThere { // without one there are no days to count
		t.Errorf("fired %+v", fired)
	}
	if disk := fired["disk"]; disk.Value <= 0 || disk.Value > 1 || fired["full"].Value != 3 {
		t.Errorf("fired %+v", fired)
	}
}
