package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"parley/server/e2e/netpath"
)

// firefoxes are the names that Firefox goes by.
var firefoxes = []string{"firefox-esr", "firefox"}

// firefoxPrefs are the settings of a fresh profile. The fake microphone is a
// steady tone.
const firefoxPrefs = `
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("app.update.disabledForTesting", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("toolkit.telemetry.server", "data:,");
user_pref("dom.securecontext.allowlist", %q);
`

// A firefox is one headless Firefox with one page, driven by WebDriver BiDi
// (https://w3c.github.io/webdriver-bidi/).
type firefox struct {
	t    *testing.T
	conn *websocket.Conn
	page string // its browsing context

	mu   sync.Mutex // held for one command and its answer
	last int        // the command's id
}

// startFirefox starts one in a namespace. It takes pages of the host for secure,
// as it would by https.
func startFirefox(t *testing.T, in *netpath.Namespace, host string) *firefox {
	t.Helper()
	return startFirefoxWith(t, in, host, "")
}

// startFirefoxWith starts one with more settings, and variables in its environment.
func startFirefoxWith(t *testing.T, in *netpath.Namespace, host, prefs string, environment ...string) *firefox {
	t.Helper()
	path := findFirefox(t)
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), fmt.Appendf(nil, firefoxPrefs+"%s", host, prefs), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank")
	cmd.Env = append(append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1"), environment...)
	if err := in.Wrap(cmd); err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // what is left, if it didn't close
		_ = cmd.Wait()         // by the signal
	})
	f := &firefox{t: t, conn: dialFirefox(t, in, said)}
	t.Cleanup(func() { f.conn.Close() })
	f.begin()
	return f
}

func findFirefox(t *testing.T) string {
	t.Helper()
	for _, name := range firefoxes {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Firefox; on Debian: apt-get install firefox-esr")
	return ""
}

var listening = regexp.MustCompile(`WebDriver BiDi listening on ws://([0-9.:]+)`)

// dialFirefox connects where Firefox says that it listens, and lets go what else
// it says.
func dialFirefox(t *testing.T, in *netpath.Namespace, said io.Reader) *websocket.Conn {
	t.Helper()
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case to, ok := <-address:
		if !ok {
			t.Fatal("Firefox ended at its start")
		}
		dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) { return in.Dial(ctx, network, addr) }}
		conn, _, err := dialer.DialContext(ctx, "ws://"+to+"/session", nil)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	case <-ctx.Done():
		t.Fatalf("Firefox doesn't listen after %v", patience)
	}
	return nil
}

// begin opens the session, and has the probe run in each page.
func (f *firefox) begin() {
	f.t.Helper()
	f.do("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	var tree struct {
		Contexts []struct{ Context string }
	}
	f.do("browsingContext.getTree", map[string]any{}, &tree)
	f.page = tree.Contexts[0].Context
	f.do("script.addPreloadScript", map[string]any{"functionDeclaration": "() => {" + probe + "}"}, nil)
}

// do sends a command and reads its answer into out.
func (f *firefox) do(method string, params map[string]any, out any) {
	f.t.Helper()
	if err := f.try(method, params, out); err != nil {
		f.t.Fatal(err)
	}
}

func (f *firefox) try(method string, params map[string]any, out any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	if err := f.conn.WriteJSON(map[string]any{"id": f.last, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		var answer struct {
			ID             int
			Error, Message string
			Result         json.RawMessage
		}
		if err := f.conn.ReadJSON(&answer); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		switch {
		case answer.ID != f.last: // an event
		case answer.Error != "":
			return fmt.Errorf("%s: %s: %s", method, answer.Error, answer.Message)
		case out == nil:
			return nil
		default:
			return json.Unmarshal(answer.Result, out)
		}
	}
}

func (f *firefox) goTo(address string) {
	f.t.Helper()
	f.do("browsingContext.navigate", map[string]any{"context": f.page, "url": address, "wait": "complete"}, nil)
}

// evaluateJSON runs an expression in the page, and reads what it gives as JSON.
// A page that is just being replaced answers nothing.
func (f *firefox) evaluateJSON(expression string, out any) {
	var answer struct{ Result struct{ Value string } }
	err := f.try("script.evaluate", map[string]any{
		"expression":   "(async () => JSON.stringify(await (" + expression + ")))()",
		"target":       map[string]any{"context": f.page},
		"awaitPromise": true,
	}, &answer)
	if err == nil && answer.Result.Value != "" {
		_ = json.Unmarshal([]byte(answer.Result.Value), out) // of undefined there is none
	}
}

func (f *firefox) text() (text string) {
	f.evaluateJSON(shownText, &text)
	return strings.Join(strings.Fields(text), " ")
}

func (f *firefox) sound() (s sound) {
	f.evaluateJSON("parleyProbe.stats()", &s)
	return s
}

func (f *firefox) says(words string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("Firefox's page says %q", words), patience, func() (string, bool) {
		text := f.text()
		return text, strings.Contains(text, words)
	})
}

// press clicks the button with the name, as a user would.
func (f *firefox) press(name string) { f.t.Helper(); f.click("button", name) }

// follow clicks a link.
func (f *firefox) follow(name string) { f.t.Helper(); f.click("link", name) }

func (f *firefox) click(role, name string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("press %q", name), patience, func() (string, bool) {
		var found struct {
			Nodes []struct {
				SharedID string `json:"sharedId"`
			}
		}
		err := f.try("browsingContext.locateNodes", map[string]any{"context": f.page,
			"locator": map[string]any{"type": "accessibility", "value": map[string]any{"role": role, "name": name}}}, &found)
		if err != nil || len(found.Nodes) == 0 {
			return fmt.Sprint(err, "\n", f.text()), false
		}
		node := map[string]any{"sharedId": found.Nodes[0].SharedID}
		err = f.try("script.callFunction", map[string]any{"functionDeclaration": "e => e.scrollIntoView({ block: 'center' })",
			"target": map[string]any{"context": f.page}, "arguments": []any{node}, "awaitPromise": false}, nil)
		if err != nil {
			return err.Error(), false
		}
		err = f.try("input.performActions", map[string]any{"context": f.page, "actions": []any{map[string]any{
			"type": "pointer", "id": "mouse", "actions": []any{
				map[string]any{"type": "pointerMove", "x": 0, "y": 0, "origin": map[string]any{
					"type": "element", "element": node}},
				map[string]any{"type": "pointerDown", "button": 0},
				map[string]any{"type": "pointerUp", "button": 0},
			}}}}, nil)
		return fmt.Sprint(err), err == nil
	})
}

// A call in Firefox, from the link to the end.
func TestACallInFirefox(t *testing.T) {
	t.Parallel()
	findFirefox(t)
	path := openPath(t)
	srv := startServer(t, path.B, "--agent=echo")
	f := startFirefox(t, path.A, path.B.Addr.String())
	f.goTo(srv.callerLink)
	f.says("Ready when you are")
	f.says("Round trip") // by then the way is known, too: its relay answers at once
	if text := f.text(); strings.Contains(text, "gets through from here") {
		t.Errorf("of a line that carries everything Firefox's page says: %s", text)
	}
	f.press("Start call")
	f.says("Agent is")
	eventually(t, "the agent says the tone back", patience, func() (string, bool) {
		now := f.sound() // Firefox doesn't count what it sends
		return fmt.Sprint(now, f.text()), now.Heard > voiced
	})
	f.says("Excellent")
	f.press("Details")
	f.says("Estimated MOS")
	id := srv.onlySession(t).ID
	eventually(t, "Firefox's own figures reach the server", patience, func() (string, bool) {
		told := srv.latest(t, id)
		return told.String(), told.rtt >= 0 && told.toCaller >= 0
	})
	f.press("Mute")
	f.says("You're muted")
	f.press("End")
	f.says("You ended the call.")
	eventually(t, "the line is free again", patience, func() (string, bool) { return "", len(srv.active(t)) == 0 })
	f.looksBack(srv, id)
	f.watchesOver(srv, id)
}

// looksBack goes through what is kept of a call, and the caller's other pages.
func (f *firefox) looksBack(srv *server, id string) {
	f.t.Helper()
	f.says("no audio stored · 0 storage attempts")
	f.press("It was good")
	f.says("Thanks, noted.")
	f.follow("My calls")
	f.says("you ended")
	f.goTo(srv.origin() + "/call/" + id + "/summary")
	f.says("Start another call")
	f.says("Thanks, noted.") // it was kept
	f.follow("My settings")
	f.says("Single-key shortcuts")
	f.follow("Call")
	f.says("Check microphone")
	f.fits("the call page")
}

// fits checks that nothing is beyond the window's edge.
func (f *firefox) fits(name string) {
	f.t.Helper()
	var wide int
	f.evaluateJSON("document.documentElement.scrollWidth - document.documentElement.clientWidth", &wide)
	if wide > 0 {
		f.t.Errorf("%s is %d pixels too wide", name, wide)
	}
}

// watchesOver goes through an admin's pages, where the call that ended is the only one.
func (f *firefox) watchesOver(srv *server, id string) {
	f.t.Helper()
	f.goTo(srv.adminLink)
	f.says("Calls by quality, stacked")
	f.says("All calls")
	f.fits("the overview")
	f.goTo(srv.origin() + "/admin/sessions") // whose entry in the menu has a count in its name
	f.says("No one is calling right now.")
	f.goTo(srv.origin() + "/admin/alerts")
	f.says("All clear.")
	f.fits("alerts")
	f.follow("Settings")
	f.says("Idle timeout")
	f.fits("settings")
	f.goTo(srv.origin() + "/admin/sessions/" + id + "?tab=turns")
	f.says("caller ended")
	f.says("Raw stats")
	f.fits("the session")
}
