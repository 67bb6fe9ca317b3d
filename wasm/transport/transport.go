//go:build js

// Package transport carries the pages' requests and streams by the browser's
// fetch, in the shapes that app/client asks for. Both programs use it.
package transport

import (
	"context"

	"parley/app/client"
	"parley/wasm/browser"
)

// Fetch makes requests by the browser's fetch.
type Fetch struct{}

// Fetch implements client.Fetcher.
func (Fetch) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	res, err := browser.Fetch(ctx, browser.Request(r))
	return client.Response(res), err
}

// Open implements client.Streams.
func (Fetch) Open(ctx context.Context, r client.Request, open func(), chunk func([]byte)) (client.Response, error) {
	res, err := browser.Open(ctx, browser.Request(r), open, chunk)
	return client.Response(res), err
}
