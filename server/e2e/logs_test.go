package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/shared/rest"
)

// clipboard keeps what the page copies where the test can read it.
const clipboard = `navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }`

// cells are the texts of a table's rows.
func (s *screen) cells() [][]string {
	return evaluate[[][]string](s, `[...document.querySelectorAll('.table tbody tr[data-id]')].map(r =>
	  [r.dataset.id, ...[...r.children].map(c => (c.querySelector('[title]:not(time)')?.title || c.querySelector('.row-open time')?.dateTime || c.innerText).trim().replace(/\s+/g, ' '))])`)
}

// TestTheLogs: an admin looks for a request, passes on what was found, and reads
// who did what.
func TestTheLogs(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	admin := startBrowser(t, microphone{}, nil).open(srv.adminLink, clipboard)
	admin.says("Overview")
	for i := range 5 {
		srv.answers("/api/v1/monitoring/connection/nothing-" + strconv.Itoa(i))
	}

	admin.goTo(srv.origin() + "/admin/logs")
	admin.says("requests shown")
	admin.click("Path, id, user, address…", "searchbox")
	admin.types("/nothing-")
	admin.says("All 5 requests shown.")
	admin.pictures("access-logs")
	address := admin.address()
	if !strings.Contains(address, "q=%2Fnothing-") {
		t.Errorf("the address is %s", address)
	}
	shown := admin.cells()
	admin.goTo(address)
	admin.says("All 5 requests shown.")
	if again := admin.cells(); !slices.EqualFunc(again, shown, slices.Equal) {
		t.Errorf("after a reload\n%q, before\n%q", again, shown)
	}
	admin.sameAsTheInterface(srv, shown)

	admin.types("j")
	admin.types("\r")
	admin.says("Copy JSON")
	admin.press("Copy link")
	admin.goTo(evaluate[string](admin, "window.copied"))
	admin.says("Copy JSON")
	admin.isAccessibleWideAndNarrow("access log, a line open")

	admin.goTo(srv.origin() + "/admin/logs?q=nothing-is-called-this")
	admin.says("No requests match these filters.")
	admin.isAccessible("access log, no match")
	admin.press("Clear filters")
	admin.says("requests shown.")
	admin.tailWaitsForAReader(srv)
	admin.readsTheAudit(srv)
	admin.readsTheActivity()
	admin.losesTheServer(srv)
}

// tailWaitsForAReader follows the log, and finds nothing moved under the eyes.
func (s *screen) tailWaitsForAReader(srv *server) {
	s.t.Helper()
	s.press("Paused Go on with live updates")
	s.says("Live Pause live updates")
	srv.answers("/api/v1/monitoring/connection/seen-at-once")
	s.says("/connection/seen-at-once")
	evaluate[any](s, "scrollTo(0, document.body.scrollHeight)")
	srv.answers("/api/v1/monitoring/connection/seen-later")
	s.says("new ↑")
	s.saysNot("/connection/seen-later")
	s.keep("access log waits")
	evaluate[any](s, "document.querySelector('.log-newer-button').click()")
	s.says("/connection/seen-later")
}

func (s *screen) readsTheAudit(srv *server) {
	s.t.Helper()
	s.goTo(srv.origin() + "/admin/audit?action=export")
	s.says("exported")
	s.says("Chain intact to entry")
	var page rest.AuditPage
	if err := srv.get(rest.PathAudit+"?action=export", &page); err != nil {
		s.t.Fatal(err)
	}
	want := [][]string{}
	for _, e := range page.Items {
		want = append(want, []string{strconv.FormatInt(e.ID, 10), e.T.UTC().Format("2006-01-02T15:04:05.000Z"), e.Actor, string(e.Action), e.Target,
			"✓ " + e.Outcome, "–", e.Remote, strconv.FormatInt(e.Seq, 10)})
	}
	if shown := s.cells(); !slices.EqualFunc(shown, want, slices.Equal) {
		s.t.Errorf("the table has\n%q, the interface\n%q", shown, want)
	}
	s.types("j")
	s.types("\r")
	s.says("Copy JSON")
	s.isAccessibleWideAndNarrow("audit log, an entry open")
}

func (s *screen) readsTheActivity() {
	s.t.Helper()
	s.press("Activity")
	s.says("Signed in")
	s.isAccessibleWideAndNarrow("activity")
	s.click("Call", "button")
	s.says("No activities match these filters.")
	s.press("Clear filters")
	s.says("Signed in")
}

// losesTheServer is told so, and keeps what was shown.
func (s *screen) losesTheServer(srv *server) {
	s.t.Helper()
	s.press("Access logs")
	s.says("requests shown.")
	s.mayComplain("") // of requests that nobody answers
	srv.kill()
	s.click("Method", "combobox")
	s.types("POST\r")
	s.says("We can't reach the server. Showing data from")
	s.isAccessibleWideAndNarrow("access log, no server")
}

// answers asks as the admin, whatever comes of it.
func (s *server) answers(path string) { _ = s.get(path, new(any)) }

// sameAsTheInterface checks each column, the command and the export against what
// the interface gives.
func (s *screen) sameAsTheInterface(srv *server, shown [][]string) {
	s.t.Helper()
	s.press("Copy curl")
	eventually(s.t, "the command is copied", patience, func() (string, bool) { return "", evaluate[bool](s, "!!window.copied") })
	command := evaluate[string](s, "window.copied")
	curl := exec.Command("sh", "-c", command)
	curl.Env = append(os.Environ(), "TOKEN="+token(srv.adminLink))
	out, err := curl.Output()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	var page rest.Page[rest.LogEntry]
	if err := json.Unmarshal(out, &page); err != nil {
		s.t.Fatalf("%s: %v", out, err)
	}
	want := [][]string{}
	for _, e := range page.Items {
		took := strconv.FormatFloat(e.DurationMS, 'f', 0, 64) + " ms"
		if e.DurationMS > 0 && e.DurationMS < 1 {
			took = "< 1 ms"
		}
		want = append(want, []string{strconv.FormatInt(e.ID, 10), e.T.UTC().Format("2006-01-02T15:04:05.000Z"), "Not Found", e.Method, e.Path,
			took, e.User, e.Remote, e.RequestID})
	}
	if !slices.EqualFunc(shown, want, slices.Equal) {
		s.t.Errorf("the table has\n%q, the interface\n%q", shown, want)
	}
	link := evaluate[string](s, `[...document.querySelectorAll('#export-menu a')].find(a => a.href.includes('format=json')).href`)
	at, err := url.Parse(link)
	if err != nil {
		s.t.Fatal(err)
	}
	var exported []rest.LogEntry
	if err := srv.get(at.RequestURI(), &exported); err != nil {
		s.t.Fatal(err)
	}
	a, _ := json.Marshal(exported)
	b, _ := json.Marshal(page.Items)
	if !bytes.Equal(a, b) {
		s.t.Errorf("the export has\n%s, the view\n%s", a, b)
	}
}
