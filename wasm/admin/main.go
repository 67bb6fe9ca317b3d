//go:build js

// Command admin is the admins' program: it gives their pages the browser and
// starts them. It makes no calls and decides nothing.
package main

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/routes"
	"parley/wasm/browser"
	"parley/wasm/transport"
)

func main() {
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
