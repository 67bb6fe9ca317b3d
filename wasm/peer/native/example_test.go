//go:build !js

package native_test

import (
	"context"
	"fmt"
	"time"

	"github.com/pion/rtp"

	"parley/wasm/peer"
	"parley/wasm/peer/native"
)

// A call of five seconds that sends silence and says how good the line was.
func Example() {
	caller := native.New(native.Config{Server: "http://localhost:8080", Token: "…", Agent: "echo"})
	call := peer.New(caller.Peer(func(e peer.Event) {
		if m, ok := e.(peer.SampleMeasured); ok {
			fmt.Println(m.Quality.Level)
		}
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint16(0); ctx.Err() == nil; n++ {
			<-tick.C
			silence := &rtp.Packet{
				Header:  rtp.Header{SequenceNumber: n, Timestamp: uint32(n) * 960},
				Payload: []byte{0xf8, 0xff, 0xfe},
			}
			_ = caller.Send(silence, native.Level{DBOV: 127}) // fails until the call stands
		}
	}()
	end := call.Run(ctx)
	fmt.Println(end.Ended.Cause, end.Err)
}
