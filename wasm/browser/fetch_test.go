//go:build js

package browser

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall/js"
	"testing"
)

// fetched has fetch answer with a Response of JavaScript's until the test ends, and
// gives the newest request's options.
func fetched(t *testing.T, response string) (options func() js.Value) {
	t.Helper()
	replace(t, "globalThis", "fetch", `value: (path, options) => { globalThis.fetchTest = options; return `+response+`; }`)
	return func() js.Value { return js.Global().Get("fetchTest") }
}

func TestFetchReadsTheAnswer(t *testing.T) {
	options := fetched(t, `Promise.resolve(new Response('déjà', {status: 418, headers: {'Retry-After': '7', 'X-Secret': 's'}}))`)
	res, err := Fetch(t.Context(), Request{Method: "POST", URL: "/x", Header: map[string]string{"Accept": "a/b"}, Body: []byte{0, 255}})
	if err != nil || res.Status != 418 || string(res.Body) != "déjà" {
		t.Errorf("got %+v, %v", res, err)
	}
	if res.Header["Retry-After"] != "7" || len(res.Header["X-Secret"]) != 0 {
		t.Errorf("headers %v", res.Header)
	}
	sent := options()
	if got := bytesOf(sent.Get("body")); string(got) != "\x00\xff" || sent.Get("method").String() != "POST" {
		t.Errorf("sent %v by %v", got, sent.Get("method"))
	}
	for name, want := range map[string]string{"credentials": "same-origin", "cache": "no-store", "redirect": "error"} {
		if got := sent.Get(name).String(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !sent.Get("signal").Get("aborted").Bool() {
		t.Error("a request that is over holds its connection")
	}
}

func TestFetchesThatFail(t *testing.T) {
	for name, response := range map[string]string{
		"no network":      `Promise.reject(new TypeError('Failed to fetch'))`,
		"throws":          `(() => { throw new DOMException('no', 'SecurityError') })()`,
		"breaks off":      `Promise.resolve(new Response(new ReadableStream({pull(c) { c.error(new TypeError('broken')) }})))`,
		"body is read":    `(async () => { const r = new Response('a'); await r.text(); return r; })()`,
		"no such thing":   `undefined`,
		"half an answer":  `Promise.resolve({})`,
		"rejects by text": `Promise.reject('why')`,
	} {
		t.Run(name, func(t *testing.T) {
			fetched(t, response)
			within(t, "Fetch", func() {
				if res, err := Fetch(t.Context(), Request{Method: "GET", URL: "/"}); err == nil {
					t.Errorf("got %+v", res)
				}
			})
		})
	}
}

func TestAnAnswerWithoutABody(t *testing.T) {
	fetched(t, `Promise.resolve(new Response(null, {status: 204}))`)
	if res, err := Fetch(t.Context(), Request{Method: "GET", URL: "/"}); err != nil || res.Status != 204 || len(res.Body) != 0 {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestTheLongestAnswer(t *testing.T) {
	for size, isRead := range map[int]bool{MaxAnswer: true, MaxAnswer + 1: false} {
		fetched(t, `Promise.resolve(new Response(new Uint8Array(`+strconv.Itoa(size)+`)))`)
		res, err := Fetch(t.Context(), Request{Method: "GET", URL: "/"})
		if (err == nil) != isRead || isRead && len(res.Body) != size {
			t.Errorf("%d bytes: read %d, %v", size, len(res.Body), err)
		}
	}
}

// A stream is told as it comes; its end, its break and the reader's leave end it.
func TestOpenReadsPieces(t *testing.T) {
	fetched(t, `Promise.resolve(new Response(new ReadableStream({start(c) {
	  for (const text of ['a', 'bc']) c.enqueue(new TextEncoder().encode(text));
	  c.close();
	}})))`)
	var told []string
	res, err := Open(t.Context(), Request{Method: "GET", URL: "/"},
		func() { told = append(told, "open") }, func(b []byte) { told = append(told, string(b)) })
	if err != nil || res.Status != 200 || strings.Join(told, " ") != "open a bc" {
		t.Errorf("told %q, %+v, %v", told, res, err)
	}
}

func TestOpenOfARefusalReadsItWhole(t *testing.T) {
	fetched(t, `Promise.resolve(new Response('why', {status: 403}))`)
	res, err := Open(t.Context(), Request{Method: "GET", URL: "/"},
		func() { t.Error("it is open") }, func([]byte) { t.Error("a piece comes") })
	if err != nil || res.Status != 403 || string(res.Body) != "why" {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestOpenGivesUpWithItsContext(t *testing.T) {
	options := fetched(t, `Promise.resolve(new Response(new ReadableStream({start(c) { c.enqueue(new Uint8Array([1])) }})))`)
	ctx, cancel := context.WithCancelCause(t.Context())
	within(t, "Open", func() {
		_, err := Open(ctx, Request{Method: "GET", URL: "/"}, func() {}, func([]byte) { cancel(errEnough) })
		if !errors.Is(err, errEnough) {
			t.Errorf("got %v", err)
		}
	})
	if !options().Get("signal").Get("aborted").Bool() {
		t.Error("the stream goes on unread")
	}
}
