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
	res, err := browser.Fetch(ctx, request(r))
	return client.Response(res), err
}

func request(r client.Request) browser.Request {
	return browser.Request{Method: r.Method, URL: r.Path, Header: r.Header, Body: r.Body}
}

// Open implements client.Streams. All tabs share one stream.
func (Fetch) Open(ctx context.Context, r client.Request, open func(), chunk func([]byte)) (client.Response, error) {
	res, err := browser.OpenShared(ctx, request(r), open, chunk)
	return client.Response(res), err
}
