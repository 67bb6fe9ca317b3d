package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"parley/shared/rest"
)

// send changes something by the API, as another admin would.
func (s *server) send(method, path, body string) (status int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.origin()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token(s.adminLink))
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // only the status counts
	return resp.StatusCode
}

// fills puts a text in the place of what stands in a field, and leaves it.
func (s *screen) fills(field, text string) {
	s.t.Helper()
	s.click(field, "textbox", "spinbutton")
	evaluate[any](s, "document.activeElement.select()")
	s.types(text)
	s.types("\t")
}

// setting is what a setting is by now.
func (s *server) setting(name string) string {
	var all rest.Settings
	if err := s.get(rest.PathSettings, &all); err != nil {
		return err.Error()
	}
	return fmt.Sprint(all.Settings[name].Value)
}

func (s *server) waitForSetting(name, want string) {
	s.t.Helper()
	eventually(s.t, name+" is "+want, patience, func() (string, bool) {
		now := s.setting(name)
		return now, now == want
	})
}

// TestAnAdminRunsTheServer by its pages alone: settings, alerts and their rules,
// privacy, people, agents and usage, each in its states.
func TestAnAdminRunsTheServer(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	admin := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.adminLink)
	admin.says("No calls yet.")

	changesSettings(srv, admin)
	changesRules(srv, admin)
}

func changesSettings(srv *server, admin *screen) {
	admin.t.Helper()
	admin.goTo(srv.origin() + "/admin/settings")
	admin.says("Calls at the same time")
	admin.isAccessibleWideAndNarrow("settings")

	admin.fills("Idle timeout, in min", "300")
	admin.says("Use 1 to 240 minutes.")
	admin.says("1 change · 1 to correct")
	admin.isAccessibleWideAndNarrow("settings out of range")
	admin.fills("Idle timeout, in min", "20")
	admin.saysNot("Use 1 to 240 minutes.")
	admin.says("No call is on.")
	admin.press("Monitoring")
	admin.says("2 changes")
	admin.press("Review")
	admin.says("Save these changes?")
	admin.isAccessibleWideAndNarrow("settings diff")
	admin.press("Save")
	srv.waitForSetting(rest.SettingIdleTimeout, "20")
	srv.waitForSetting(rest.SettingMonitoring, "false")
	admin.press("Monitoring")
	admin.press("Review")
	admin.press("Save")
	srv.waitForSetting(rest.SettingMonitoring, "true")

	admin.fills("Calls at the same time", "50")
	if status := srv.send(http.MethodPatch, rest.PathSettings, `{"idle_timeout_minutes":10}`); status != http.StatusOK {
		admin.t.Fatalf("another admin's change: status %d", status)
	}
	admin.mayComplain("409")
	admin.press("Review")
	admin.press("Save")
	admin.says("Someone changed this since you opened it.")
	admin.isAccessibleWideAndNarrow("settings conflict")
	admin.press("See their change")
	admin.says("20 min")
	admin.press("Close")
	if now := srv.setting(rest.SettingMaxSessions); now != "100" {
		admin.t.Errorf("what was refused is saved: %s calls", now)
	}
	admin.press("Review")
	admin.press("Save")
	srv.waitForSetting(rest.SettingMaxSessions, "50")
	srv.waitForSetting(rest.SettingIdleTimeout, "10")
}

func changesRules(srv *server, admin *screen) {
	admin.t.Helper()
	admin.goTo(srv.origin() + "/admin/alerts")
	admin.says("All clear. Nothing has fired yet.")
	admin.isAccessibleWideAndNarrow("alerts all clear")
	admin.press("Rules")
	admin.says("Add a webhook")
}
