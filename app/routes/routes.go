// Package routes owns which page an address shows and the shell around every
// page: navigation, titles, live regions, the bar of a running call. Both mains
// call Register; the server's with zero Deps, because it prerenders the shell
// and skeletons only. It knows no browser and no server.
package routes

import (
	"parley/app/call"
	"parley/app/client"
)

// Deps are what the pages need of the browser. The zero value prerenders.
type Deps struct {
	Peer    call.Peer
	Fetcher client.Fetcher
	Streams client.Streams
}
