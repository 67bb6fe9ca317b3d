package main

import (
	"net/http"
	"testing"
	"time"

	"parley/shared/rest"
)

// TestAdminsAreToldWhatWasSetAtTheStart: by its flag, without what is secret.
func TestAdminsAreToldWhatWasSetAtTheStart(t *testing.T) {
	t.Parallel()
	p := start(t, "--stream-lifetime=30m", "--otlp-endpoint=http://127.0.0.1:1/path")
	var got rest.Settings
	if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathSettings, nil, &got); status != http.StatusOK {
		t.Fatalf("settings: %d", status)
	}
	is := map[string]string{}
	for _, f := range got.Fixed {
		is[f.Flag] = f.Value
	}
	for flag, want := range map[string]string{"mode": "demo", "stream-lifetime": "30m", "database": "SQLite", "log-export": "nobody", "otlp-endpoint": "127.0.0.1:1"} {
		if is[flag] != want {
			t.Errorf("--%s is told as %q, not %q", flag, is[flag], want)
		}
	}
	var changed rest.Settings
	p.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingMaxSessions: 7}, &changed)
	if changed.Fixed != nil {
		t.Errorf("a change is answered with %+v", changed.Fixed)
	}
}

func TestDurationsAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 61 * time.Second: "1m1s", 10 * time.Minute: "10m"} {
		if got := shortDuration(d); got != want {
			t.Errorf("%v is %s, not %s", d, got, want)
		}
	}
}
