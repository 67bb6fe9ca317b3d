package e2e_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"parley/shared/rest"
)

// TestAdminsComeFromWhereTheSettingsSay, from the next request on, on pages as at the
// interface; and nobody locks themselves out.
func TestAdminsComeFromWhereTheSettingsSay(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	admin := token(srv.adminLink)
	for list, want := range map[string]int{"10.0.0.0/8": http.StatusUnprocessableEntity, "10.0.0.0/8, 127.0.0.1": http.StatusOK} {
		if status := srv.send(http.MethodPatch, rest.PathSettings, `{"admin_allow":"`+list+`"}`, admin); status != want {
			t.Errorf("%s: %d", list, status)
		}
	}
	elsewhere := http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext}}
	defer elsewhere.CloseIdleConnections()
	for path, says := range map[string]string{
		rest.PathActive: string(rest.CodeNetwork), "/admin": "This page isn&#39;t available from your network", "/admin/sessions": "Your address isn&#39;t on this server",
	} {
		if status, body := fetched(t, &elsewhere, srv.origin()+path, admin); status != http.StatusForbidden || !strings.Contains(body, says) {
			t.Errorf("%s from elsewhere: %d %.300s", path, status, body)
		}
		if status, _ := fetched(t, &srv.client, srv.origin()+path, admin); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := fetched(t, &srv.client, srv.origin()+"/admin", ""); status != http.StatusUnauthorized {
		t.Errorf("nobody: %d", status)
	}
}

// fetched is an answer to the holder of a token, or to nobody.
func fetched(t *testing.T, client *http.Client, address, token string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}
