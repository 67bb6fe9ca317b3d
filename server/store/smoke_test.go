package store_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, err := store.Open(ctx, dir, store.Options{Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	seal := func(p string, e rest.AuditEntry) string { return p + "x" }
	if _, err := s.AppendAudit(ctx, rest.AuditEntry{Actor: "a", Details: map[string]any{"a": 1}}, seal, func(tx *store.Tx) error {
		_, err := tx.PutSettings(0, map[string]json.RawMessage{"x": json.RawMessage("1")})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendLogs(ctx, []rest.LogEntry{{T: time.Now(), Path: "/x", User: "ada", UserKey: "k"}}); err != nil {
		t.Fatal(err)
	}
	l, next, err := s.Logs(ctx, store.LogQuery{User: "ada", Status: "2xx"})
	t.Log(l, next, err)
	l, next, err = s.Logs(ctx, store.LogQuery{User: "ada", Q: "X"})
	t.Log(l, next, err)
	a, next, err := s.Audit(ctx, store.AuditQuery{})
	t.Log(a, next, err)
	v, m, err := s.Settings(ctx)
	t.Log(v, m, err)
	t.Log(s.AlertRules(ctx))
	t.Log(s.Healthy(ctx))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
