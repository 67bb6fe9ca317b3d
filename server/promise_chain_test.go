package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"parley/shared/rest"
)

// The newest line of the audit log is taken out beneath a running server: the
// next line that it writes shows it, and everyone who asks is told.
func TestABrokenChainIsTold(t *testing.T) {
	p := start(t)
	look := func() { p.text(t, rest.PathActive) }
	var ready string
	isDegraded := func() bool {
		ready = p.text(t, rest.PathReady)
		return strings.Contains(ready, "audit_chain")
	}
	look()
	if isDegraded() || !strings.Contains(p.text(t, rest.PathMetrics), "parley_audit_chain_intact 1") {
		t.Fatalf("degraded before anything is broken: %s", ready)
	}
	db, err := sql.Open("sqlite", filepath.Join(p.dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq >= (SELECT max(seq) - 1 FROM audit)",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	look()
	deadline := time.Now().Add(patience)
	for !isDegraded() || !strings.Contains(p.text(t, rest.PathAlerts), `"audit_chain_broken"`) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody is told: %s, %s", ready, p.text(t, rest.PathAlerts))
		}
		look()
		<-time.After(50 * time.Millisecond)
	}
	if !strings.Contains(p.text(t, rest.PathMetrics), "parley_audit_chain_intact 0") {
		t.Error("the metric says that the chain is intact")
	}
	if !strings.Contains(p.logs.String(), "the audit chain is broken") {
		t.Error("the log doesn't say it")
	}
}
