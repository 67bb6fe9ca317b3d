//go:build js

package browser

import (
	"syscall/js"
	"testing"
)

func TestStorage(t *testing.T) {
	for name, s := range map[string]Storage{"sessionStorage": SessionStorage(), "localStorage": LocalStorage()} {
		t.Run(name, func(t *testing.T) {
			const key = "test.key"
			if got := s.Load(key); got != "" {
				t.Errorf("nothing was kept, and %q loads", got)
			}
			s.Save(key, `{"a":"ü"}`)
			if got := s.Load(key); got != `{"a":"ü"}` {
				t.Errorf("loads %q", got)
			}
			s.Save(key, "")
			if got := s.Load(key); got != "" || js.Global().Get(name).Get("length").Int() != 0 {
				t.Errorf("%q stays", got)
			}
		})
	}
}

// Where cookies are forbidden, even to name the storage throws.
func TestAStorageThatIsForbidden(t *testing.T) {
	for name, s := range map[string]Storage{"sessionStorage": SessionStorage(), "localStorage": LocalStorage()} {
		t.Run(name, func(t *testing.T) {
			throwing(t, "globalThis", name)
			s.Save("key", "value")
			if got := s.Load("key"); got != "" {
				t.Errorf("loads %q", got)
			}
			ReplaceMissingStorage()
			stand := js.Global().Get(name)
			stand.Call("setItem", "key", "value")
			if n := stand.Get("length").Int(); n != 0 || !stand.Call("getItem", "key").IsNull() {
				t.Errorf("what stands for it keeps %d texts", n)
			}
		})
	}
}

// throwing has a property of an object throw when it is named, until the test ends.
func throwing(t *testing.T, object, name string) {
	t.Helper()
	replace(t, object, name, `get() { throw new DOMException('no', 'SecurityError') }`)
}

// replace gives a property of an object another descriptor until the test ends.
func replace(t *testing.T, object, name, descriptor string) {
	t.Helper()
	undo := js.Global().Call("eval", `(() => {
	  const before = Object.getOwnPropertyDescriptor(`+object+`, '`+name+`');
	  Object.defineProperty(`+object+`, '`+name+`', {configurable: true, `+descriptor+`});
	  return () => before ? Object.defineProperty(`+object+`, '`+name+`', before) : delete `+object+`['`+name+`'];
	})()`)
	t.Cleanup(func() { undo.Invoke() })
}
