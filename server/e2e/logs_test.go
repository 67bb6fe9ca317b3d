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
	  [r.dataset.id, ...[...r.children].map(c => (c.querySelector('[title]:not(time)')?.title || c.querySelector('.row-open time')?.dateTime || c.innerText).trim())])`)
}

// TestTheLogs: an admin looks for a request, passes on what was found, and reads
// who did what.
func TestTheLogs(t *testing.T) {
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
	admin.pictures("access-logs-open")
	admin.goTo(evaluate[string](admin, "window.copied"))
	admin.says("Copy JSON")
	admin.isAccessibleWideAndNarrow("access log, a line open")
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
		want = append(want, []string{strconv.FormatInt(e.ID, 10), e.T.UTC().Format("2006-01-02T15:04:05.000Z"), "Not Found", e.Method, e.Path,
			strconv.FormatFloat(e.DurationMS, 'f', 0, 64) + " ms", e.User, e.Remote, e.RequestID})
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
