package call

import (
	"context"
	"errors"
	"slices"
	"time"
)

// openedMic is one that was opened. What is told of it may come before it is given.
type openedMic struct{ Microphone }

// open opens a microphone.
func (e *Engine) open(ctx context.Context, deviceID string) (*openedMic, error) {
	opened := &openedMic{}
	mic, err := e.peer.Microphone(ctx, deviceID, MicrophoneListener{
		Level:  e.handleLevel,
		Lost:   func() { e.runInBackground(func(ctx context.Context) { e.handleMicrophoneLost(ctx, opened) }) },
		Paused: func(on bool) { e.handleMicrophonePaused(opened, on) },
	})
	opened.Microphone = mic
	return opened, err
}

// isInUse reports whether a microphone is the one that is sent, or tried out.
func (e *Engine) isInUse(mic *openedMic) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mic == mic
}

// handleMicrophoneLost goes on with the default microphone. Before a call the row says
// what is there now; in a call the caller is told.
func (e *Engine) handleMicrophoneLost(ctx context.Context, mic *openedMic) {
	isCall := e.Picture().isUp()
	if !e.isInUse(mic) {
		return
	}
	e.Choose(func(c Choice) Choice { c.DeviceID = ""; return c })
	if !isCall {
		e.CloseMicrophone()
		_, _ = e.openMicrophone(ctx) // the picture tells
		return
	}
	if e.switchMicrophone(ctx, "") == nil {
		e.tell(Notice{Code: noticeSwitched, Name: e.Picture().Mic.Label})
		return
	}
	e.updatePicture(func(p Picture) Picture {
		p.Talk.MicLost, p.Talk.Notice = true, Notice{Code: noticeLost}
		return p
	})
	e.listDevices(ctx)
}

// changeMicrophone is a choice of the caller's in mid-call. The one before goes on where
// the new one can't be opened.
func (e *Engine) changeMicrophone(ctx context.Context, deviceID string) {
	if e.switchMicrophone(ctx, deviceID) == nil {
		return
	}
	if p := e.Picture(); !p.Talk.MicLost { // that is graver
		e.tell(Notice{Code: noticeUnchanged, Name: deviceName(p.Mic.Devices, deviceID)})
	}
}

// switchMicrophone opens another microphone and sends it in place of the one before.
func (e *Engine) switchMicrophone(ctx context.Context, deviceID string) error {
	e.switching.Lock()
	defer e.switching.Unlock()
	mic, err := e.open(ctx, deviceID)
	if err != nil {
		return err
	}
	e.mu.Lock()
	line := e.line
	e.mu.Unlock()
	if line == nil {
		mic.Close()
		return errors.New("the call is over")
	}
	if err := line.UseMicrophone(ctx, mic.Microphone); err != nil {
		mic.Close()
		return err
	}
	e.mu.Lock()
	before := e.mic
	e.mic, e.speech = mic, speechDetector{}
	e.mu.Unlock()
	if before != nil {
		before.Close()
	}
	e.updatePicture(func(p Picture) Picture {
		p.Mic.State, p.Mic.Label, p.Mic.NoLevel = MicOpen, mic.Label(), !mic.HasLevel()
		p.Talk.MicLost, p.Talk.Notice, p.Talk.PausedAt = false, Notice{}, time.Time{}
		return p
	})
	e.listDevices(ctx)
	return nil
}

// listDevices asks for the names of all devices, which the browser tells while it gives
// a microphone.
func (e *Engine) listDevices(ctx context.Context) {
	devices, err := e.peer.Devices(ctx)
	if err != nil {
		devices = nil // the list is a comfort
	}
	e.updatePicture(func(p Picture) Picture {
		p.Mic.Devices = namedDevices(devices, false)
		p.Speaker.Devices, p.Speaker.CanChoose = namedDevices(devices, true), e.peer.CanChooseSpeaker()
		return p
	})
}

// HandleDeviceChange is told that a device was plugged in or unplugged.
func (e *Engine) HandleDeviceChange() {
	before := e.Picture()
	if e.peer == nil || !before.isUp() && before.Mic.State != MicOpen {
		return
	}
	e.runInBackground(func(ctx context.Context) {
		e.listDevices(ctx)
		n, ok := changeOf(before.Mic.Devices, e.Picture().Mic.Devices)
		switch p := e.Picture(); {
		case !ok || !p.isUp():
		case p.Talk.MicLost && n.Code == noticePlugged:
			e.ChooseMicrophone(n.ID)
		case len(before.Mic.Devices) == 0: // they are new to us alone
		case p.Talk.Notice.isOfPlug() || !p.Talk.Notice.IsShown(time.Now()):
			e.tell(n)
		}
	})
}

// changeOf is what to tell of a change of the microphones there are: of one that came
// before one that went.
func changeOf(before, after []Device) (Notice, bool) {
	for _, d := range after {
		if !slices.Contains(before, d) {
			return Notice{Code: noticePlugged, Name: d.Label, ID: d.ID}, true
		}
	}
	for _, d := range before {
		if !slices.Contains(after, d) {
			return Notice{Code: noticeUnplugged, Name: d.Label}, true
		}
	}
	return Notice{}, false
}

func deviceName(devices []Device, id string) string {
	for _, d := range devices {
		if d.ID == id {
			return d.Label
		}
	}
	return "the microphone"
}

// chosenDevice is the id of what a list of devices shows as chosen: where nobody chose,
// what is in use.
func chosenDevice(chosen, inUse string, devices []Device) string {
	for _, d := range devices {
		if chosen == "" && d.Label == inUse {
			return d.ID
		}
	}
	return chosen
}
