//go:build js

// Package browser owns what a page needs of its browser: the WebRTC connection,
// microphone and loudspeaker, WebSocket, fetch, and the signs of its life. It is
// the only package whose interface has a js.Value, JavaScript's exceptions end
// here as errors, and every callback given to JavaScript is taken back. It
// decides nothing: what a call does is package peer's.
//
// All functions that wait must be called from a goroutine, never from a
// callback of JavaScript's: the page stands still while one waits.
package browser

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall/js"
)

// Error is an exception or a rejection of JavaScript's.
type Error struct {
	Name    string // of the DOMException, such as NotAllowedError
	Message string // the browser's own words, in no fixed language
}

// Error implements error.
func (e *Error) Error() string { return e.Name + ": " + e.Message }

func errorOf(v js.Value) error {
	if v.Type() != js.TypeObject {
		return &Error{Name: "Error", Message: v.String()}
	}
	return &Error{Name: stringOrEmpty(v.Get("name")), Message: stringOrEmpty(v.Get("message"))}
}

// recoverJSError turns what a call into JavaScript threw into an error:
//
//	defer recoverJSError(&err)
func recoverJSError(err *error) {
	switch thrown := recover().(type) {
	case nil:
	case js.Error:
		*err = errorOf(thrown.Value)
	case *js.ValueError:
		// A method of something undefined: the browser lacks what was asked of it.
		*err = fmt.Errorf("%w: %w", errUnsupported, thrown)
	case string:
		// A method that the object lacks is no error to syscall/js, but a text.
		if !strings.HasPrefix(thrown, "syscall/js: ") {
			panic(thrown)
		}
		*err = fmt.Errorf("%w: %s", errUnsupported, thrown)
	default:
		panic(thrown) // a fault of ours
	}
}

func firstArg(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}

// stringOrEmpty is v if it is a string, else "".
func stringOrEmpty(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

// isPresent reports whether an object is there at all.
func isPresent(v js.Value) bool { return !v.IsUndefined() && !v.IsNull() }

// property reads what a browser may lack or refuse: it is undefined then. Even to
// name some properties may throw (a storage where cookies are forbidden, what a
// policy or an extension took away), and what js.Value.Get throws ends the program.
func property(object js.Value, name string) (value js.Value) {
	var err error
	defer recoverJSError(&err)
	return window().Get("Reflect").Call("get", object, name)
}

// bytesOf copies a Uint8Array.
func bytesOf(array js.Value) []byte {
	b := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(b, array)
	return b
}

// listen calls f for each event of a target until the function it returns is
// called. f runs inside the event and must not wait. A target that takes no
// listeners, as some browsers' navigator.connection, has no events.
func listen(target js.Value, event string, f func(ev js.Value)) (remove func()) {
	if !isPresent(property(target, "addEventListener")) {
		return func() {}
	}
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(firstArg(args))
		return nil
	})
	target.Call("addEventListener", event, handler)
	return sync.OnceFunc(func() {
		target.Call("removeEventListener", event, handler)
		handler.Release()
	})
}

// cleanups undo several things.
type cleanups []func()

func (r *cleanups) add(f func()) { *r = append(*r, f) }

func (r cleanups) runAll() {
	for _, f := range r {
		f()
	}
}

// errUnsupported is a browser without what a call needs.
var errUnsupported = errors.New("browser: not supported")

func window() js.Value    { return js.Global() }
func navigator() js.Value { return js.Global().Get("navigator") }
