//go:build js

// Command wasm is the callers' program: it gives their pages the browser and
// starts them. It decides nothing.
package main

import (
	"context"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/routes"
	"parley/wasm/browser"
	"parley/wasm/transport"
)

func main() {
	browser.ReplaceMissingStorage()
	fetch := transport.Fetch{}
	routes.RegisterCallers(routes.Deps{
		Peer:    &peerAdapter{server: client.New(fetch, nil)},
		Fetcher: fetch,
		Streams: fetch,
		Storage: browser.SessionStorage(), Settings: browser.LocalStorage(),
		Locks:    locks{},
		Demo:     app.Getenv("PARLEY_DEMO") == "1",
		Provider: app.Getenv("PARLEY_SIGN_IN_WITH"),
	})
	app.RunWhenOnBrowser()
}

// locks are the browser's. It implements call.Locks.
type locks struct{}

// Lock implements call.Locks.
func (locks) Lock(ctx context.Context, name string) (unlock func(), ok bool) {
	return browser.Lock(ctx, name)
}
