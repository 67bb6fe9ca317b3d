//go:build js

package browser

import (
	"testing"
	"time"
)

// A timer goes off though the timeout that was asked for never comes.
func TestTimersAreKept(t *testing.T) {
	before := openFuncs()
	stop := KeepTimers()
	replace(t, "globalThis", "setTimeout", "value: () => 0")
	<-time.After(time.Millisecond)
	<-time.After(time.Millisecond)
	stop()
	if n := openFuncs(); n != before {
		t.Errorf("%d functions are left", n-before)
	}
}
