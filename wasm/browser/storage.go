//go:build js

package browser

import "syscall/js"

// Storage keeps texts for the page's origin (HTML, Web storage). A browser that
// refuses it, or has no room left, keeps nothing.
type Storage struct{ area string }

// SessionStorage lasts for as long as the page's tab is open, across reloads.
func SessionStorage() Storage { return Storage{"sessionStorage"} }

// LocalStorage lasts, and is shared by all tabs.
func LocalStorage() Storage { return Storage{"localStorage"} }

// Load gives what is kept under a key, or "".
func (s Storage) Load(key string) (value string) {
	_ = s.use(func(storage js.Value) { value = stringOrEmpty(storage.Call("getItem", key)) })
	return value
}

// Save keeps a value under a key; "" removes it.
func (s Storage) Save(key, value string) {
	_ = s.use(func(storage js.Value) {
		if value == "" {
			storage.Call("removeItem", key)
			return
		}
		storage.Call("setItem", key, value)
	})
}

// ReplaceMissingStorage puts a storage that keeps nothing where the browser has
// none or refuses it: go-app looks into its own at the start, and ends with what
// that throws.
func ReplaceMissingStorage() {
	for _, s := range []Storage{SessionStorage(), LocalStorage()} {
		if s.use(func(storage js.Value) { storage.Call("getItem", "") }) != nil {
			s.replace()
		}
	}
}

func (s Storage) replace() {
	var err error
	defer recoverJSError(&err)                                          // nothing else is left to try
	nothing := js.FuncOf(func(js.Value, []js.Value) any { return nil }) // for as long as the page is there
	empty := map[string]any{"length": 0}
	for _, method := range []string{"getItem", "setItem", "removeItem", "key", "clear"} {
		empty[method] = nothing
	}
	window().Get("Object").Call("defineProperty", window(), s.area, map[string]any{"configurable": true, "value": empty})
}

// use gives the storage to use. Where a user has forbidden cookies there is none.
func (s Storage) use(use func(storage js.Value)) (err error) {
	defer recoverJSError(&err)
	use(property(window(), s.area))
	return nil
}
