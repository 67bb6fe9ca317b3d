//go:build js

package browser

import (
	"context"
	"strings"
	"sync/atomic"
	"syscall/js"
	"testing"
	"time"
)

// streaming has fetch answer with streams that begin with an event and stay open.
func streaming(t *testing.T) (opened func() int) {
	t.Helper()
	js.Global().Set("streamsTest", 0)
	js.Global().Set("streamsOpen", 0)
	replace(t, "globalThis", "fetch", `value: (path, options) => {
		const n = ++globalThis.streamsTest;
		globalThis.streamsOpen++;
		return Promise.resolve(new Response(new ReadableStream({ start(c) {
			c.enqueue(new TextEncoder().encode('data: ' + n + '\n\nda'));
			options.signal.addEventListener('abort', () => { globalThis.streamsOpen--; c.error(options.signal.reason); });
		} })));
	}`)
	return func() int { return js.Global().Get("streamsTest").Int() }
}

// reader is a page's part in a shared stream.
type reader struct {
	heard chan string
	opens atomic.Int32
	close context.CancelFunc
	done  chan error
}

func readShared(t *testing.T, path string, within time.Duration) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &reader{heard: make(chan string, 16), close: cancel, done: make(chan error, 1)}
	go func() {
		_, err := openShared(ctx, Request{Method: "GET", URL: path}, func() { r.opens.Add(1) }, func(b []byte) { r.heard <- string(b) }, within)
		r.done <- err
	}()
	t.Cleanup(cancel)
	return r
}

func (r *reader) hears(t *testing.T, want string) {
	t.Helper()
	within(t, "the event "+want, func() {
		for got := range r.heard {
			if strings.Contains(got, want) {
				return
			}
		}
	})
}

// ends closes the page.
func (r *reader) ends(t *testing.T) {
	t.Helper()
	r.close()
	within(t, "the page's end", func() { <-r.done })
}

// Two pages read one stream: the second has it begin again, and takes it over when the
// first goes. Only whole events are told.
func TestPagesShareAStream(t *testing.T) {
	opened := streaming(t)
	first := readShared(t, "/shared", aliveWithin)
	first.hears(t, "data: 1\n\n")
	second := readShared(t, "/shared", aliveWithin)
	second.hears(t, "data: 2\n\n")
	first.hears(t, "data: 2\n\n")
	first.ends(t)
	second.hears(t, "data: 3\n\n")
	second.ends(t)
	if n := opened(); n != 3 || first.opens.Load() != 1 || second.opens.Load() != 1 {
		t.Errorf("%d streams; opened %d and %d times", n, first.opens.Load(), second.opens.Load())
	}
}

// standsStill is how long a page of these tests may say nothing.
const standsStill = 3 * time.Second

// oneStreamOpen waits until all pages read the same stream.
func oneStreamOpen(t *testing.T) {
	t.Helper()
	eventually(t, "one open stream", func() bool { return js.Global().Get("streamsOpen").Int() == 1 })
}

// A page that is frozen keeps its lock: one of those that read its stream makes it in its
// place, for all of them and for those that come later.
func TestAPageThatHangsKeepsNoStream(t *testing.T) {
	streaming(t)
	unlock, ok := Lock(t.Context(), "stream /hangs")
	if !ok {
		t.Fatal("no lock")
	}
	defer unlock()
	first, second := readShared(t, "/hangs", standsStill), readShared(t, "/hangs", standsStill)
	first.hears(t, "data: ")
	second.hears(t, "data: ")
	oneStreamOpen(t)
	third := readShared(t, "/hangs", standsStill)
	third.hears(t, "data: ")
	oneStreamOpen(t)
	first.ends(t)
	second.ends(t)
	third.hears(t, "data: ")
	oneStreamOpen(t)
	third.ends(t)
}

// A page that was frozen, and in whose place another makes the stream, reads that.
func TestAPageThatHungFollows(t *testing.T) {
	streaming(t)
	thawed := readShared(t, "/thaws", standsStill)
	thawed.hears(t, "data: 1\n\n")
	other := js.Global().Get("BroadcastChannel").New("stream /thaws")
	defer other.Call("close")
	asked := make(chan bool, 16)
	defer listen(other, "message", func(ev js.Value) { asked <- ev.Get("data").String() == string(tellsNew) })()
	other.Call("postMessage", string(tellsAlive)+"1")
	within(t, "it asks for the beginning", func() {
		for !<-asked {
		}
	})
	if n := js.Global().Get("streamsOpen").Int(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
	other.Call("postMessage", string(tellsText)+"data: told\n\n")
	thawed.hears(t, "data: told")
	thawed.ends(t)
}

// A browser that can't share has a stream for each page.
func TestPagesThatCantShare(t *testing.T) {
	for _, lacking := range []string{"locks", "BroadcastChannel"} {
		t.Run(lacking, func(t *testing.T) {
			if lacking == "locks" {
				replace(t, navigatorObject, lacking, `value: undefined`)
			} else {
				replace(t, "globalThis", lacking, `value: undefined`)
			}
			opened := streaming(t)
			first, second := readShared(t, "/alone", aliveWithin), readShared(t, "/alone", aliveWithin)
			for _, r := range []*reader{first, second} {
				within(t, "an event", func() { <-r.heard })
				r.ends(t)
			}
			if n := opened(); n != 2 {
				t.Errorf("%d streams for two pages", n)
			}
		})
	}
}
