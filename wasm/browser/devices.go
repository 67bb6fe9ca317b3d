//go:build js

package browser

import (
	"context"
	"fmt"
)

// Device is an audio input or output. Its label is empty until the microphone
// was allowed once.
type Device struct {
	ID, Label string
	Output    bool
}

// Devices lists the audio devices.
func Devices(ctx context.Context) (_ []Device, err error) {
	defer catch(&err)
	media := navigator().Get("mediaDevices")
	if !has(media) {
		return nil, errUnsupported
	}
	list, err := await(ctx, media.Call("enumerateDevices"))
	if err != nil {
		return nil, fmt.Errorf("browser: devices: %w", err)
	}
	var devices []Device
	for i := range list.Length() {
		d := list.Index(i)
		kind := text(d.Get("kind"))
		if kind != "audioinput" && kind != "audiooutput" {
			continue
		}
		devices = append(devices, Device{
			ID: text(d.Get("deviceId")), Label: text(d.Get("label")), Output: kind == "audiooutput",
		})
	}
	return devices, nil
}
