//go:build js

package main

import (
	"context"

	"parley/app/client"
	"parley/wasm/browser"
)

// locks are the browser's. It implements call.Locks.
type locks struct{}

// Lock implements call.Locks.
func (locks) Lock(ctx context.Context, name string) (unlock func(), ok bool) {
	return browser.Lock(ctx, name)
}

// web makes requests by the browser's fetch.
type web struct{}

// Fetch implements client.Fetcher.
func (web) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	res, err := browser.Fetch(ctx, browser.Request(r))
	return client.Response(res), err
}

// Open implements client.Streams.
func (web) Open(ctx context.Context, r client.Request, open func(), chunk func([]byte)) (client.Response, error) {
	res, err := browser.Open(ctx, browser.Request(r), open, chunk)
	return client.Response(res), err
}
