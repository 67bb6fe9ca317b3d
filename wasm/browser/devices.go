//go:build js

package browser

import (
	"context"
	"fmt"
)

// Device is an audio input or output. Its label is empty until the microphone
// was allowed once.
type Device struct {
	ID     string // names it to OpenMicrophone, NewSound and PlaySound
	Label  string // as the system calls it
	Output bool   // a loudspeaker; else a microphone
}

// Devices lists the audio devices.
func Devices(ctx context.Context) (_ []Device, err error) {
	defer recoverJSError(&err)
	media := property(navigator(), "mediaDevices")
	if !isPresent(media) {
		return nil, errUnsupported
	}
	list, err := await(ctx, media.Call("enumerateDevices"))
	if err != nil {
		return nil, fmt.Errorf("browser: devices: %w", err)
	}
	var devices []Device
	for i := range list.Length() {
		d := list.Index(i)
		kind := stringOrEmpty(d.Get("kind"))
		if kind != "audioinput" && kind != "audiooutput" {
			continue
		}
		devices = append(devices, Device{
			ID: stringOrEmpty(d.Get("deviceId")), Label: stringOrEmpty(d.Get("label")), Output: kind == "audiooutput",
		})
	}
	return devices, nil
}
