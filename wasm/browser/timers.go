//go:build js

package browser

import (
	"syscall/js"
	"time"
)

// timerCheck is how late a timer can be at most, and as good as unseen.
const timerCheck = 100 * time.Millisecond

// KeepTimers has the program look at its timers ten times a second, until stop. Where the
// runtime of Go puts off the timeout that it asked the browser for, although a ticker that
// somebody waits for is due before it, that ticker stands until the browser has something
// else to tell: a page that nothing happens on isn't drawn until the pointer moves.
func KeepTimers() (stop func()) {
	f := js.FuncOf(func(js.Value, []js.Value) any { return nil }) // being called is all it takes
	id := js.Global().Call("setInterval", f, timerCheck.Milliseconds())
	return func() {
		js.Global().Call("clearInterval", id)
		f.Release()
	}
}
