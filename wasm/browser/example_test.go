//go:build js

package browser_test

import (
	"context"
	"fmt"

	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/browser"
	"parley/wasm/peer"
)

// A call of a page of the server's own origin, whose cookie says who it is. A page of
// another origin comes by a token and a ticket: see wasm/example.
func Example() {
	ctx := context.Background()
	mic, err := browser.OpenMicrophone(ctx, "", func(dBFS float64) {}, func() {})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mic.Close()
	sound, err := browser.NewSound("", func(isPlaying bool) {})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sound.Close()
	call := peer.New(peer.Config{
		Dial: func(ctx context.Context) (peer.Socket, error) {
			return browser.Dial(ctx, rest.PathSocket, wire.Subprotocol)
		},
		Connect: func(_ context.Context, servers []wire.ICEServer, l peer.Listener) (peer.Connection, error) {
			return browser.Connect(servers, mic, sound, l)
		},
		On: func(e peer.Event) { fmt.Printf("%T\n", e) },
	})
	defer browser.WatchNetwork(call.Hint)()
	fmt.Println(call.Run(ctx).Ended.Cause)
}
