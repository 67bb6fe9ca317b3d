package main

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"parley/shared/rest"
)

// TestACertificateThatEndsSoonIsTold: by the alert that is on from the start.
func TestACertificateThatEndsSoonIsTold(t *testing.T) {
	t.Parallel()
	cert, key := writeCertificate(t, t.TempDir(), 1) // for an hour
	c := spawn(t, "--tls-cert="+cert, "--tls-key="+key)
	eventually(t, "the alert fires", func() bool {
		return slices.ContainsFunc(c.alertsOverTLS(t), func(a rest.Alert) bool { return a.Rule == "certificate_days" && a.State == rest.AlertFiring })
	})
}

// alertsOverTLS are the alerts of a server with a certificate that nobody vouches for.
func (p *program) alertsOverTLS(t *testing.T) []rest.Alert {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+rest.PathAlerts, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token(t, "demo-admin"))
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var page rest.Page[rest.Alert]
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	return page.Items
}
