package main

import (
	"net/http"
	"testing"

	"parley/shared/rest"
)

// TestStartsAreOnRecord: who reads the audit log knows when the server was not
// there to write it.
func TestStartsAreOnRecord(t *testing.T) {
	t.Parallel()
	p := start(t)
	var page rest.AuditPage
	p.ask(t, "demo-admin", http.MethodGet, rest.PathAudit+"?action=server_started", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Actor != "parley" || page.Items[0].Details["mode"] != "demo" {
		t.Errorf("%+v", page.Items)
	}
}
