//go:build js

package browser

import (
	"context"
	"syscall/js"
	"time"
)

// longestSound bounds the wait for the end of a short sound.
const longestSound = 5 * time.Second

// CanChooseSpeaker reports whether the browser lets a page choose where it sounds.
func CanChooseSpeaker() bool {
	return isPresent(property(property(property(window(), "HTMLMediaElement"), "prototype"), "setSinkId"))
}

// PlaySound plays a short sound, a WAV, to its end. speaker is the id of an audio
// output, "" the default one; volume goes from 0 to 1.
func PlaySound(ctx context.Context, wav []byte, speaker string, volume float64) (err error) {
	defer recoverJSError(&err)
	ctx, cancel := context.WithTimeout(ctx, longestSound)
	defer cancel()
	data := js.Global().Get("Uint8Array").New(len(wav))
	js.CopyBytesToJS(data, wav)
	blob := js.Global().Get("Blob").New([]any{data}, map[string]any{"type": "audio/wav"})
	address := js.Global().Get("URL").Call("createObjectURL", blob)
	element := js.Global().Get("document").Call("createElement", "audio")
	element.Set("volume", volume)
	element.Set("src", address)
	if err := chooseSpeaker(ctx, element, speaker); err != nil {
		return err
	}
	ended := make(chan struct{}, 1)
	defer listen(element, "ended", func(js.Value) {
		select {
		case ended <- struct{}{}:
		default:
		}
	})()
	if playing := element.Call("play"); isPresent(playing) {
		if _, err := await(ctx, playing); err != nil {
			return err
		}
	}
	select {
	case <-ended: // until then the browser may still read it
		js.Global().Get("URL").Call("revokeObjectURL", address)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// chooseSpeaker sends an element's sound to an audio output; "" changes nothing.
func chooseSpeaker(ctx context.Context, element js.Value, speaker string) error {
	if speaker == "" {
		return nil
	}
	return sinkTo(ctx, element, speaker)
}

// sinkTo sends an element's sound to an audio output, "" the default one.
func sinkTo(ctx context.Context, element js.Value, speaker string) (err error) {
	defer recoverJSError(&err)
	_, err = await(ctx, element.Call("setSinkId", speaker))
	return err
}
