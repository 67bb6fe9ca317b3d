//go:build js

package browser

import (
	"syscall/js"
	"testing"
)

// dispatch fires an event at an object of the page.
func dispatch(target, event string) (notPrevented bool) {
	return js.Global().Call("eval", target+`.dispatchEvent(new Event('`+event+`', {cancelable: true}))`).Bool()
}

// seen sets whether the page can be seen until the test ends.
func seen(t *testing.T, visibility string) {
	t.Helper()
	replace(t, "document", "visibilityState", `get() { return '`+visibility+`' }`)
}

func TestWhatMayHaveChangedTheNetwork(t *testing.T) {
	hints := 0
	replace(t, navigatorObject, "connection", `value: globalThis.connectionTest = new EventTarget()`)
	stop := WatchNetwork(func() { hints++ })
	for _, c := range []struct {
		target, event, visibility string
		want                      int
	}{
		{"globalThis", "online", "visible", 1},
		{"globalThis", "offline", "visible", 1},
		{"document", "resume", "visible", 1},
		{"document", "visibilitychange", "visible", 1},
		{"document", "visibilitychange", "hidden", 0},
		{"connectionTest", "change", "hidden", 1},
		{"globalThis", "focus", "visible", 0},
	} {
		seen(t, c.visibility)
		before := hints
		if dispatch(c.target, c.event); hints-before != c.want {
			t.Errorf("%s of a %s page gives %d hints, want %d", c.event, c.visibility, hints-before, c.want)
		}
	}
	stop()
	before := hints
	for _, target := range []string{"globalThis", "document", "connectionTest"} {
		for _, event := range []string{"online", "offline", "resume", "change"} {
			dispatch(target, event)
		}
	}
	if hints != before {
		t.Errorf("%d hints after it was stopped", hints-before)
	}
}

func TestLeavingIsAskedAboutUntilTheCallIsOver(t *testing.T) {
	stop := GuardLeaving()
	if dispatch("globalThis", "beforeunload") {
		t.Error("the page is left without a question")
	}
	stop()
	if !dispatch("globalThis", "beforeunload") {
		t.Error("a page without a call asks")
	}
}

// wakeLocks counts what is asked for and given back.
func wakeLocks(t *testing.T, request string) (asked, released func() int) {
	t.Helper()
	replace(t, navigatorObject, "wakeLock", `value: {request() { wakeTest.asked++; return `+request+`; }}`)
	js.Global().Call("eval", `globalThis.wakeTest = {asked: 0, released: 0,
	  lock: () => ({release() { wakeTest.released++; }}),
	  late: Promise.withResolvers()};`)
	count := func(name string) func() int {
		return func() int { return js.Global().Get("wakeTest").Get(name).Int() }
	}
	return count("asked"), count("released")
}

// A browser lets a lock go when the page is hidden: it is asked again when the
// page is seen, and what it gives is given back in the end.
func TestTheScreenIsKeptOnWhileThePageIsSeen(t *testing.T) {
	asked, released := wakeLocks(t, `Promise.resolve(wakeTest.lock())`)
	seen(t, "hidden")
	stop := KeepAwake(func() {})
	dispatch("document", "visibilitychange")
	if n := asked(); n != 0 {
		t.Errorf("%d locks for a page that nobody sees", n)
	}
	seen(t, "visible")
	for want := 1; want <= 2; want++ {
		dispatch("document", "visibilitychange")
		eventually(t, "a lock", func() bool { return asked() == want && released() == want-1 })
	}
	within(t, "stop", stop)
	eventually(t, "the second is given back, too, though stop came before it", func() bool { return released() == 2 })
	if n := asked(); n != 2 {
		t.Errorf("%d locks", n)
	}
}

func TestAWakeLockThatIsNotGiven(t *testing.T) {
	for name, request := range map[string]string{
		"refused": `Promise.reject(new DOMException('no', 'NotAllowedError'))`,
		"throws":  `(() => { throw new DOMException('no', 'SecurityError') })()`,
		"nothing": `Promise.resolve(null)`,
	} {
		t.Run(name, func(t *testing.T) {
			asked, released := wakeLocks(t, request)
			seen(t, "visible")
			refusals := 0
			stop := KeepAwake(func() { refusals++ })
			eventually(t, "the question, and the word of its refusal", func() bool { return asked() == 1 && refusals == 1 })
			within(t, "stop", stop)
			if n := released(); n != 0 {
				t.Errorf("%d are given back", n)
			}
		})
	}
}

func TestAWakeLockThatComesTooLate(t *testing.T) {
	asked, released := wakeLocks(t, `wakeTest.late.promise`)
	seen(t, "visible")
	stop := KeepAwake(func() {})
	eventually(t, "the question", func() bool { return asked() == 1 })
	within(t, "stop", stop)
	js.Global().Call("eval", `wakeTest.late.resolve(wakeTest.lock())`)
	eventually(t, "the late lock is given back", func() bool { return released() == 1 })
}
