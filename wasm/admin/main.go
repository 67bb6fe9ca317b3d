//go:build js

// Command admin is the admins' program: it gives their pages the browser and
// starts them. It makes no calls and decides nothing.
package main

import (
	"runtime/debug"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/routes"
	"parley/wasm/browser"
	"parley/wasm/transport"
)

// collectAt is how much garbage, in percent of what is in use, is collected at a time. The
// collector has no processor of its own here: what it takes, a page's tick takes longer.
// Of a few megabytes in use, that is as many more.
const collectAt = 400

func main() {
	debug.SetGCPercent(collectAt)
	browser.ReplaceMissingStorage()
	routes.RegisterAdmins(routes.Deps{
		Fetcher:  transport.Fetch{},
		Streams:  transport.Fetch{},
		Settings: browser.LocalStorage(),
		Demo:     app.Getenv("PARLEY_DEMO") == "1",
		Provider: app.Getenv("PARLEY_SIGN_IN_WITH"),
	})
	app.RunWhenOnBrowser()
}
