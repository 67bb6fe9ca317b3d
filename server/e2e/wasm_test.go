package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/shared/wire"
)

// runner is the page that runs a test binary built for the browser: it prints
// to the console, and leaves its exit code.
const runner = `<!doctype html><title>tests</title><link rel="icon" href="data:,"><script src="/wasm_exec.js"></script><script>
const go = new Go();
go.argv = ['test', '-test.v', '-test.run=^Test', '-test.timeout=90s']; // examples need files
go.exit = code => { window.exitCode = code; };
WebAssembly.instantiateStreaming(fetch('/test.wasm'), go.importObject).then(r => go.run(r.instance));
</script>`

// The package that touches the browser is tested inside one: its waiting, its
// listeners, its promises.
func TestTheBrowserPackage(t *testing.T) {
	t.Parallel()
	passInBrowser(t, "parley/wasm/browser")
}

// What a call is rated by is the same in a browser: the known answers of the E-model, and
// when a level changes.
func TestRatingsInTheBrowser(t *testing.T) {
	t.Parallel()
	output := passInBrowser(t, "parley/shared/quality")
	for _, passed := range []string{"--- PASS: TestKnownAnswers ", "--- PASS: TestHysteresis ", "--- PASS: TestANoisyLineHoldsItsLevel "} {
		if !strings.Contains(output, passed) {
			t.Errorf("no %q", passed)
		}
	}
}

// passInBrowser runs the tests of a package in a page, and gives what they print.
func passInBrowser(t *testing.T, pkg string) (output string) {
	t.Helper()
	site := httptest.NewServer(testSite(t, buildTests(t, pkg)))
	t.Cleanup(site.CloseClientConnections) // those that are never answered
	s := startBrowser(t, microphone{}, nil).open(site.URL)
	s.mayComplain("") // what the tests bring about on purpose
	code := -1
	eventually(t, "the tests end", 2*time.Minute, func() (string, bool) {
		code = evaluate[int](s, "window.exitCode ?? -1")
		return s.output(), code >= 0
	})
	output = s.output()
	if code != 0 || !strings.Contains(output, "PASS") {
		t.Errorf("exit code %d:\n%s", code, output)
	}
	return output
}

// output is all that the page printed.
func (s *screen) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.console, "\n")
}

// buildTests makes the test binary of a package for the browser.
func buildTests(t *testing.T, pkg string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.wasm")
	// The tests count syscall/js's functions, which it doesn't export.
	cmd := exec.Command("go", "test", "-c", "-ldflags=-checklinkname=0", "-o", path, pkg)
	cmd.Dir = "../.." // the product's own module
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c %s: %v\n%s", pkg, err, out)
	}
	return path
}

// testSite serves the runner, and what the tests talk to: a socket that echoes,
// and an address that never answers.
func testSite(t *testing.T, binary string) http.Handler {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, runner) })
	mux.HandleFunc("GET /wasm_exec.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	})
	mux.HandleFunc("GET /test.wasm", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, binary) })
	mux.HandleFunc("GET /echo", echoFrames)
	mux.HandleFunc("GET /silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return mux
}

func echoFrames(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, frame, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, frame) != nil {
			return
		}
	}
}
