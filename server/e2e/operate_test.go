package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/shared/rest"
)

// send asks the API for a change, as the holder of a token would.
func (s *server) send(method, path, body, token string) (status int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.origin()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
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

// isAccessibleAndFits lets axe look at the page in the wide window, and checks that
// the narrow ones need no sideways scrolling: half of what isAccessibleWideAndNarrow
// takes, for pages whose parts are those of another that it looked at.
func (s *screen) isAccessibleAndFits(name string) {
	s.t.Helper()
	s.isAccessible(name)
	for _, window := range []size{phone, narrow} {
		s.resize(window)
		s.fitsAcross(name)
		s.keep(fmt.Sprintf("%s at %d", name, window.width))
	}
	s.resize(desktop)
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
	srv := startWithAgents(t, upstreamAgent{name: "support"})
	admin := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.adminLink)
	admin.says("No calls yet.")

	changesSettings(srv, admin)
	changesRules(srv, admin)
	turnsPrivacyOff(srv, admin)
	withdrawsAccess(srv, admin)
	checksAgents(srv, admin)
	admin.walksByKeyboard(srv, allPictures())
}

func changesSettings(srv *server, admin *screen) {
	admin.t.Helper()
	admin.goTo(srv.origin() + "/admin/settings")
	admin.says("Calls at the same time")
	admin.isAccessibleWideAndNarrow("settings")

	admin.fills("Idle timeout, in min", "300")
	admin.says("Use 1 to 240 minutes.")
	admin.says("1 change · 1 to correct")
	admin.isAccessible("settings out of range")
	admin.fills("Idle timeout, in min", "20")
	admin.saysNot("Use 1 to 240 minutes.")
	admin.says("No call is on.")
	admin.press("Monitoring")
	admin.press("Pause new calls")
	admin.says("3 changes")
	admin.press("Review")
	admin.says("From then on nobody can start a call; calls that are on go on.")
	admin.isAccessible("settings diff")
	admin.press("Save")
	srv.waitForSetting(rest.SettingIdleTimeout, "20")
	srv.waitForSetting(rest.SettingMonitoring, "false")
	admin.says("New calls are paused. Calls that are on go on.")
	admin.press("1 more")
	admin.says("Monitoring is off. Live data and logs stopped at")
	admin.isAccessible("monitoring off")
	admin.press("Resume")
	srv.waitForSetting(rest.SettingPaused, "false")
	admin.saysNot("New calls are paused.")
	admin.press("Turn on")
	srv.waitForSetting(rest.SettingMonitoring, "true")

	admin.fills("Calls at the same time", "50")
	if status := srv.send(http.MethodPatch, rest.PathSettings, `{"idle_timeout_minutes":10}`, token(srv.adminLink)); status != http.StatusOK {
		admin.t.Fatalf("another admin's change: status %d", status)
	}
	admin.mayComplain("409")
	admin.press("Review")
	admin.press("Save")
	admin.says("Someone changed this since you opened it.")
	admin.isAccessible("settings conflict")
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
	admin.isAccessible("alerts all clear")
	admin.press("Rules")
	admin.says("Add a webhook")
	admin.isAccessibleAndFits("alert rules")
	edit := func(field, text string) { // of the rule about sign-ins
		admin.t.Helper()
		evaluate[any](admin, fmt.Sprintf("document.getElementById(%q).focus()", "refused_sign_ins/"+field))
		evaluate[any](admin, "document.activeElement.select()")
		admin.types(text)
		admin.types("\t")
	}
	edit("above", "0")
	admin.says("Use 1 to 100.")
	edit("above", "1")
	admin.says("Would not have fired since")
	admin.press("Review")
	admin.says("When failed sign-ins from one address reach 1 within 5 min")
	admin.isAccessible("alert rules diff")
	admin.press("Save")
	admin.saysNot("1 change")
	if status := srv.send(http.MethodPost, rest.PathAuthSession, "", "x"); status != http.StatusUnauthorized {
		admin.t.Errorf("a token of nobody: status %d", status)
	}
	admin.press("Firing")
	admin.says("Failed sign-ins from one address")
	admin.press("Acknowledge")
	admin.says("acknowledged by")
	admin.isAccessibleAndFits("alerts firing")
	admin.press("Rules")
	admin.press("Rule is on: Failed sign-ins from one address")
	admin.press("Review")
	admin.press("Save") // an alert of a rule that is off is over
	admin.saysNot("1 change")
	admin.press("Firing")
	admin.says("All clear. Nothing has fired in")
	admin.press("Resolved")
	admin.says("s ago")
	admin.says("acknowledged by")
	admin.isAccessibleAndFits("alerts resolved")
}

func turnsPrivacyOff(srv *server, admin *screen) {
	admin.t.Helper()
	admin.goTo(srv.origin() + "/admin/privacy")
	admin.says("No audio is written to disk")
	admin.isAccessibleAndFits("privacy")
	admin.press("Turn off…")
	admin.click("Reason", "textbox")
	admin.types("a test of the page")
	admin.click("Type “turn off privacy” to confirm", "textbox")
	admin.types("turn off privac")
	if disabled := evaluate[bool](admin, "document.querySelector('dialog [type=submit]').disabled"); !disabled {
		admin.t.Error("privacy can be turned off without the whole phrase")
	}
	admin.types("y")
	admin.isAccessible("privacy confirmation")
	admin.press("Turn off")
	srv.waitForSetting(rest.SettingPrivacy, "false")
	admin.says("Privacy mode is off")
	admin.isAccessible("privacy off")
	admin.press("Turn on")
	srv.waitForSetting(rest.SettingPrivacy, "true")
	admin.says("Privacy mode is on")
}

func withdrawsAccess(srv *server, admin *screen) {
	admin.t.Helper()
	caller := token(srv.callerLink)
	var me rest.Me
	if err := srv.getAs(caller, rest.PathMe, &me); err != nil {
		admin.t.Fatal(err)
	}
	admin.goTo(srv.origin() + "/admin/people")
	admin.says("Nobody's access is withdrawn.")
	admin.isAccessible("people nobody")
	admin.fills("User id", "no such one")
	admin.says("without spaces")
	admin.fills("User id", me.Subject)
	admin.press("Revoke…")
	admin.press("Lost device")
	admin.isAccessible("people confirmation")
	admin.press("Revoke")
	admin.says("those until then")
	admin.isAccessibleAndFits("people revoked")
	if status := srv.send(http.MethodPost, rest.PathTicket, "", caller); status != http.StatusUnauthorized {
		admin.t.Errorf("a token that was revoked: status %d", status)
	}
	admin.click("Restore "+srv.revoked(), "button")
	admin.press("Restore")
	admin.says("Nobody's access is withdrawn.")
	if status := srv.send(http.MethodPost, rest.PathTicket, "", caller); status != http.StatusOK {
		admin.t.Errorf("a token that was restored: status %d", status)
	}
	erasesPerson(srv, admin, me.Subject)
}

// erasesPerson hands out what is kept of somebody, and erases it.
func erasesPerson(srv *server, admin *screen, subject string) {
	admin.t.Helper()
	admin.fills("User id", subject)
	path := strings.Replace(rest.PathPersonData, "{sub}", subject, 1)
	eventually(admin.t, "the link is there", patience, func() (string, bool) {
		at := evaluate[string](admin, `document.querySelector('.people a[href$="/data"]')?.getAttribute('href') ?? ''`)
		return at, at == path
	})
	var data rest.PersonData
	if err := srv.getAs(token(srv.adminLink), path, &data); err != nil || !data.Complete || len(data.Logs) == 0 {
		admin.t.Errorf("handed out: %v, %+v", err, data)
	}
	admin.press("Erase data…")
	admin.press("Asked for it")
	admin.isAccessible("people erasing")
	admin.keep("people-erasing")
	admin.press("Erase")
	eventually(admin.t, "nothing is kept", patience, func() (string, bool) {
		err := srv.getAs(token(srv.adminLink), path, &data)
		return fmt.Sprint(err), err != nil && strings.Contains(err.Error(), "404")
	})
}

// revoked is the one whose access is withdrawn, as they are shown.
func (s *server) revoked() string {
	var page rest.Page[rest.Revocation]
	if err := s.get(rest.PathRevocations, &page); err != nil || len(page.Items) != 1 {
		s.t.Fatalf("revocations: %+v (%v)", page, err)
	}
	return page.Items[0].User
}

func checksAgents(srv *server, admin *screen) {
	admin.t.Helper()
	admin.goTo(srv.origin() + "/admin/agents")
	admin.says("Answers for support.")
	admin.press("Check support")
	admin.says("Check: all well")
	admin.isAccessibleAndFits("agents checked")
	admin.goTo(srv.origin() + "/admin/usage?group=day,agent")
	admin.says("Nothing was used in this time.")
	admin.isAccessibleAndFits("usage without any")
}
