package call_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// lastCallOf is what the browser keeps of the last call, as the offline page reads it.
func lastCallOf(t *testing.T, settings *tab) (title, lines string) {
	t.Helper()
	kept := settings.Load("parley.lastCall")
	if kept == "" {
		return "", ""
	}
	var last struct {
		Title string
		Lines []string
	}
	if err := json.Unmarshal([]byte(kept), &last); err != nil {
		t.Fatal(err, kept)
	}
	return last.Title, strings.Join(last.Lines, "\n")
}

// callFor makes a call that lasts so long.
func callFor(t *testing.T, p *phone, e *call.Engine, lasts time.Duration) {
	t.Helper()
	e.Start()
	synctest.Wait()
	time.Sleep(lasts)
	p.line(t, 1).tell <- peer.CallEnded{Ended: wire.Ended{Cause: wire.AgentLeft}}
	synctest.Wait()
}

// TestTheLastCallIsKept in words for the page without a network, without a person or an
// address, until somebody signs in or out.
func TestTheLastCallIsKept(t *testing.T) {
	p, settings := &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}}}, &tab{}
	inTabWith(t, p, &tab{}, settings, func(e *call.Engine) {
		callFor(t, p, e, 72*time.Second)
		title, lines := lastCallOf(t, settings)
		if !strings.Contains(title, "1:12") || !strings.Contains(lines, "2000 ") || strings.Contains(settings.Load("parley.lastCall"), "one") {
			t.Errorf("kept %q, %q", title, lines)
		}
	})
	if html := app.HTMLString(call.LastCall(settings)); !strings.Contains(html, "Your last call") || !strings.Contains(html, "1:12") {
		t.Errorf("drawn: %s", html)
	}
	garbage := &tab{}
	for _, kept := range []string{"", "{", "[]", "null", `{"title":1}`, `{"lines":["a"]}`} {
		garbage.Save("parley.lastCall", kept)
		if call.LastCall(garbage) != nil {
			t.Errorf("%q is drawn", kept)
		}
	}
	for name, act := range map[string]func(call.Storage){"signing out": call.ForgetSignIn, "signing in": call.RememberSignIn} {
		kept := &tab{}
		kept.Save("parley.lastCall", "{}")
		if act(kept); kept.Load("parley.lastCall") != "" {
			t.Errorf("%s leaves it", name)
		}
	}
}

// TestTheLastCallIsNotKept where the caller wants none kept, and what was kept goes.
func TestTheLastCallIsNotKept(t *testing.T) {
	p, settings := &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}}}, &tab{}
	inTabWith(t, p, &tab{}, settings, func(e *call.Engine) {
		settings.Save("parley.lastCall", `{"title":"before"}`)
		e.Choose(func(c call.Choice) call.Choice { c.ForgetsCalls = true; return c })
		if title, _ := lastCallOf(t, settings); title != "" {
			t.Errorf("%q stays", title)
		}
		callFor(t, p, e, time.Minute)
		if title, _ := lastCallOf(t, settings); title != "" {
			t.Errorf("kept %q", title)
		}
	})
}
