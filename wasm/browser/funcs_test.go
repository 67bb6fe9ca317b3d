//go:build js

package browser

import (
	"syscall/js"
	"testing"
	_ "unsafe" // for go:linkname
)

// jsFuncs are the functions that were given to JavaScript and not yet released.
// Nothing that is exported tells them: the linker needs -checklinkname=0.
//
//go:linkname jsFuncs syscall/js.funcs
var jsFuncs map[uint32]func(js.Value, []js.Value) any

// openFuncs counts them. The program has one thread, and this reads between two
// of its steps.
func openFuncs() int { return len(jsFuncs) }

// The count itself is held to what is known.
func TestOpenFuncs(t *testing.T) {
	before := openFuncs()
	f := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	if n := openFuncs(); n != before+1 {
		t.Errorf("%d functions with one more, %d before", n, before)
	}
	f.Release()
	if n := openFuncs(); n != before {
		t.Errorf("%d functions after its release, %d before", n, before)
	}
}
