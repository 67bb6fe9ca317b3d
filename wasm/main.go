//go:build js

// Command wasm is the page's program: it gives the pages their browser and
// starts them. It decides nothing.
package main

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/routes"
	"parley/wasm/browser"
)

func main() {
	browser.ReplaceMissingStorage()
	web := web{}
	routes.Register(routes.Deps{
		Peer:    &peerAdapter{server: client.New(web, nil)},
		Fetcher: web,
		Streams: web,
		Storage: browser.SessionStorage(), Settings: browser.LocalStorage(),
		Locks: locks{},
		Demo:  app.Getenv("PARLEY_DEMO") == "1",
	})
	app.RunWhenOnBrowser()
}
