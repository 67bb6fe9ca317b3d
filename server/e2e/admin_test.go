package e2e_test

import (
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// soon is how quickly an admin must see what happened.
const soon = 2 * time.Second

func TestAnAdminWatchesACallAndEndsIt(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	admin := b.open(srv.adminLink)
	admin.press("Sessions")
	admin.says("No calls yet.")
	caller := b.signIn(srv.callerLink)

	caller.startCall()
	started := time.Now()
	id := srv.onlySession(t).ID
	eventually(t, "the admin sees the session", soon, func() (string, bool) {
		text := admin.text()
		return text, strings.Contains(text, short(id))
	})
	t.Logf("seen within %v", time.Since(started).Round(time.Millisecond))

	caller.says("Excellent")
	admin.says("Excellent")
	admin.pictures("sessions")
	admin.namesAreNotCut()
	admin.press("Overview")
	admin.says("1 excellent")
	admin.pictures("overview")
	admin.press("Sessions")

	admin.press("Actions for " + short(id))
	admin.press("End call…")
	admin.says("End this call?")
	admin.click("Reason", "textbox", "combobox")
	admin.types("maintenance at noon")
	admin.pictures("end-dialog")
	admin.press("End call")
	ended := time.Now()
	eventually(t, "the caller reads why", soon, func() (string, bool) {
		text := caller.text()
		return text, strings.Contains(text, "An admin ended this call") && strings.Contains(text, "maintenance at noon")
	})
	t.Logf("told within %v", time.Since(ended).Round(time.Millisecond))
	admin.says("maintenance at noon")
	caller.pictures("ended-by-admin")
	eventually(t, "the line is free again", patience, func() (string, bool) {
		n := len(srv.active(t))
		return "", n == 0
	})
}

func (s *server) active(t *testing.T) []rest.Session {
	t.Helper()
	var list rest.Page[rest.Session]
	if err := s.get(rest.PathActive, &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// onlySession is the one session there is, once there is one.
func (s *server) onlySession(t *testing.T) rest.Session {
	t.Helper()
	var found []rest.Session
	eventually(t, "the server has one session", patience, func() (string, bool) {
		found = s.active(t)
		return "", len(found) == 1
	})
	return found[0]
}

func (s *server) connection(t *testing.T, id, query string) rest.Connection {
	t.Helper()
	var c rest.Connection
	if err := s.get(strings.Replace(rest.PathConnection, "{id}", id, 1)+query, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// short is how the pages cut an id.
func short(id string) string { return id[:9] + "…" }
