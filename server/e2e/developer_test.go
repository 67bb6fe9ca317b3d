package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// walk is the page that takes a developer from a token to the first word. It lies in a
// clone of Parley, whose name there is parley.
const walk = "../../wasm/README.md"

// bashBlock is a block of commands that this test runs, as it stands.
var bashBlock = regexp.MustCompile("(?s)\n```bash\n(.*?)```\n")

// buildByTheWalk does what the page says, in a folder that has Parley beside it, and
// gives the folder of the client.
func buildByTheWalk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, filepath.Join(dir, "parley")); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(walk)
	if err != nil {
		t.Fatal(err)
	}
	blocks := bashBlock.FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("%s has %d blocks of commands", walk, len(blocks))
	}
	for _, block := range blocks {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", block[1])
		cmd.Dir = dir
		// What it needs was fetched to build Parley: nothing else may be.
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, block[1], out)
		}
	}
	return filepath.Join(dir, "client")
}

// A developer's own page, built by the page of documentation in a module of its own,
// signs in from another origin, calls, is heard, and shows figures.
func TestAClientOfADevelopersOwn(t *testing.T) {
	t.Parallel()
	client := buildByTheWalk(t)
	module, err := os.ReadFile(filepath.Join(client, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\nrequire parley v0.0.0\n", "\nreplace parley => ../parley\n"} {
		if page, err := os.ReadFile(walk); err != nil || !strings.Contains(string(module), line) || !strings.Contains(string(page), line) {
			t.Errorf("%q isn't in both, %s (%v) and\n%s", line, walk, err, module)
		}
	}

	origin := serveFolder(t, client)
	srv := startServer(t, nil, "--agent=echo", "--allowed-origins="+origin)
	page := startBrowser(t, microphone{voice: voice(t)}, nil).open(origin)
	page.keepBoth("before")
	page.mayComplain("401")
	page.fillIn(srv.origin(), "no token")
	page.press("Start call")
	page.says("Not signed in: unauthorized")

	page.fillIn(srv.origin()+"/", token(srv.callerLink)) // as it is copied from an address bar
	page.press("Start call")
	page.says("Call Connected")
	page.says("Sound true")
	page.says("Agent listening")
	eventually(t, "the caller hears themselves", patience, func() (string, bool) {
		now := page.sound()
		return fmt.Sprint(now), now.Heard > voiced && now.Packets > 0
	})
	eventually(t, "figures are shown", patience, func() (string, bool) {
		text := page.text()
		return text, regexp.MustCompile(`Line excellent, MOS 4\.\d Levels you -\d+ dBFS, agent -\d+ dBFS`).MatchString(text)
	})
	page.pictures("in-call")
	page.press("End")
	page.says("Ended: caller_left")
	eventually(t, "the server knows", patience, func() (string, bool) { return "", len(srv.active(t)) == 0 })
}

// fillIn says where to call and as whom.
func (s *screen) fillIn(server, token string) {
	evaluate[any](s, fmt.Sprintf(`server.value = %q; document.getElementById('token').value = %q; 0`, server, token))
}

// serveFolder serves files at an origin of their own, on localhost, where a browser
// hands out its microphone.
func serveFolder(t *testing.T, dir string) (origin string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	files := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = files.Serve(listener) }()
	t.Cleanup(func() { _ = files.Close(); <-done })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "http://localhost:" + port
}
