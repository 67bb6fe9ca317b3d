package ui_test

import (
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// object is a JavaScript object whose one method answers, or throws.
type object struct {
	app.Value
	throws any
}

func (object) Truthy() bool { return true }

func (o object) Call(string, ...any) app.Value {
	if o.throws != nil {
		panic(o.throws)
	}
	return app.Undefined()
}

// TestACallIntoTheBrowserFailsQuietly: absent objects, methods and exceptions are told
// from a call that went through, and none ends the program.
func TestACallIntoTheBrowserFailsQuietly(t *testing.T) {
	for name, test := range map[string]struct {
		object app.Value
		failed bool
	}{
		"went through": {object{Value: app.Undefined()}, false},
		"throws":       {object{app.Undefined(), "InvalidStateError"}, true},
		"no object":    {app.Undefined(), true},
		"null":         {app.Null(), true},
		"nothing":      {nil, true},
	} {
		result := ui.Call(test.object, "method")
		if result.Failed() != test.failed {
			t.Errorf("%s: failed is %v", name, result.Failed())
		}
		fulfilled, told := true, 0
		result.Settled(func(ok bool) { fulfilled = ok; told++ })
		if fulfilled || told != 1 { // none returned a promise
			t.Errorf("%s: fulfilled %v, told %d times", name, fulfilled, told)
		}
	}
}
