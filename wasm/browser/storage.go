//go:build js

package browser

import "syscall/js"

// SessionStorage keeps texts for as long as the page's tab is open, across
// reloads (HTML, Web storage). A browser that refuses it keeps nothing.
type SessionStorage struct{}

// Load gives what is kept under a key, or "".
func (SessionStorage) Load(key string) (value string) {
	_ = useSessionStorage(func(storage js.Value) { value = stringOrEmpty(storage.Call("getItem", key)) })
	return value
}

// Save keeps a value under a key; "" removes it.
func (SessionStorage) Save(key, value string) {
	_ = useSessionStorage(func(storage js.Value) {
		if value == "" {
			storage.Call("removeItem", key)
			return
		}
		storage.Call("setItem", key, value)
	})
}

// useSessionStorage gives the storage to use. Even to name it may throw, where a
// user has forbidden cookies; what js.Value.Get throws would end the program.
func useSessionStorage(use func(storage js.Value)) (err error) {
	defer recoverJSError(&err)
	use(window().Get("Reflect").Call("get", window(), "sessionStorage"))
	return nil
}
