package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// Property reads what a browser may lack or refuse, such as navigator.clipboard:
// it is undefined then. Even to name some properties may throw, and what Get
// throws ends the program.
func Property(object app.Value, name string) app.Value {
	if app.IsServer {
		return app.Undefined()
	}
	return Call(app.Window().Get("Reflect"), "get", object, name).Value
}

// IsOnline is false when the browser is sure that there is no network: a server that
// doesn't answer is another matter.
func IsOnline() bool {
	if app.IsServer {
		return true
	}
	online := Property(app.Window().Get("navigator"), "onLine")
	return online.Type() != app.TypeBoolean || online.Bool()
}

// IsVisible is false while the page is in the background.
func IsVisible() bool {
	return app.IsServer || app.Window().Get("document").Get("visibilityState").String() != "hidden"
}

// HasKeys is false where there is nothing but a touch screen, as far as the browser tells.
func HasKeys() bool {
	return app.IsServer || !Property(Call(app.Window(), "matchMedia", "(hover: none) and (pointer: coarse)").Value, "matches").Truthy()
}

// Result is what became of a call into the browser. Value is undefined if it failed.
type Result struct {
	Value  app.Value
	failed bool
}

// Failed reports whether the browser lacks the function, or it threw.
func (r Result) Failed() bool { return r.failed }

// Call calls a function of the browser's that it may lack, or that may throw: both
// would end the program. Functions that every browser has, and that throw only for a
// mistake of ours, need no Call.
func Call(object app.Value, name string, args ...any) (r Result) {
	if object == nil || !object.Truthy() {
		return Result{app.Undefined(), true}
	}
	defer func() {
		if recover() != nil { // what the browser threw; nothing of ours runs in here
			r = Result{app.Undefined(), true}
		}
	}()
	return Result{Value: object.Call(name, args...)}
}

// Settled calls done once when the promise that the call returned is settled: ok tells
// whether it is fulfilled. A call that failed or returned no promise is not.
func (r Result) Settled(done func(ok bool)) {
	if r.failed || !Property(r.Value, "then").Truthy() {
		done(false)
		return
	}
	var fulfilled, rejected app.Func
	settle := func(ok bool) app.Func {
		return app.FuncOf(func(app.Value, []app.Value) any {
			fulfilled.Release()
			rejected.Release()
			done(ok)
			return nil
		})
	}
	fulfilled, rejected = settle(true), settle(false)
	if Call(r.Value, "then", fulfilled, rejected).Failed() {
		fulfilled.Release()
		rejected.Release()
		done(false)
	}
}

// Listen hears an event of the window or another target until remove. f runs
// in the event itself, before the browser acts on it, and must not block. A target
// that takes no listeners has no events.
func Listen(target app.Value, event string, f func(app.Event)) (remove func()) {
	if app.IsServer || !target.Truthy() {
		return func() {}
	}
	h := app.FuncOf(func(this app.Value, args []app.Value) any {
		if len(args) > 0 {
			f(app.Event{Value: args[0]})
		}
		return nil
	})
	if Call(target, "addEventListener", event, h).Failed() {
		h.Release()
		return func() {}
	}
	return func() {
		target.Call("removeEventListener", event, h)
		h.Release()
	}
}
