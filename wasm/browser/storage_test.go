//go:build js

package browser

import (
	"syscall/js"
	"testing"
)

func TestSessionStorage(t *testing.T) {
	var s SessionStorage
	const key = "test.key"
	if got := s.Load(key); got != "" {
		t.Errorf("nothing was kept, and %q loads", got)
	}
	s.Save(key, `{"a":"ü"}`)
	if got := s.Load(key); got != `{"a":"ü"}` {
		t.Errorf("loads %q", got)
	}
	s.Save(key, "")
	if got := s.Load(key); got != "" || js.Global().Get("sessionStorage").Get("length").Int() != 0 {
		t.Errorf("%q stays", got)
	}
}

// Where cookies are forbidden, even to name the storage throws.
func TestAStorageThatIsForbidden(t *testing.T) {
	js.Global().Call("eval", `Object.defineProperty(globalThis, 'sessionStorage', {configurable: true, get() { throw new DOMException('no', 'SecurityError') }})`)
	t.Cleanup(func() { js.Global().Call("eval", `delete globalThis.sessionStorage`) })
	var s SessionStorage
	s.Save("key", "value")
	if got := s.Load("key"); got != "" {
		t.Errorf("loads %q", got)
	}
	if err := useSessionStorage(func(js.Value) { t.Error("there is none to use") }); err == nil {
		t.Error("no error tells it")
	}
}
