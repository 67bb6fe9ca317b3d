package call_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/call"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// in runs a test in a bubble, with an engine that is closed at its end.
func in(t *testing.T, p *phone, f func(t *testing.T, e *call.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := call.NewEngine(call.Config{Peer: p})
		defer e.Close()
		f(t, e)
	})
}

var answered = []peer.Event{
	peer.StepStarted{Step: peer.StepServer}, peer.CallAccepted{Hello: wire.Hello{SessionID: "sess_1"}},
	peer.StepStarted{Step: peer.StepAgent}, peer.CallConnected{Setup: 300 * time.Millisecond},
}

func TestACall(t *testing.T) {
	p := &phone{events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Choose(func(c call.Choice) call.Choice { c.Agent = "echo"; return c })
		e.Start()
		if got := e.Picture().Phase; got != call.Connecting {
			t.Fatalf("right after the press: phase %d", got)
		}
		synctest.Wait()
		if got := e.Picture(); got.Phase != call.Live || got.Mic.Label != "Built-in" || len(got.Mic.Devices) != 2 {
			t.Fatalf("got %+v", got)
		}
		l := p.line(t, 1)
		if l.dial.Agent != "echo" || l.dial.Microphone != p.mics[0] {
			t.Errorf("dialled %+v", l.dial)
		}
		e.Start() // a second press
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := e.Picture().Length(); got != 5*time.Second {
			t.Errorf("the clock shows %v", got)
		}
		e.Hangup()
		synctest.Wait()
		if got := e.Picture(); got.Phase != call.Over || got.End.Ended.Cause != wire.CallerLeft {
			t.Errorf("got %+v", got)
		}
		if !p.mics[0].closed {
			t.Error("the microphone's light stays on after the call")
		}
		e.Reset()
		if got := e.Picture().Phase; got != call.Ready {
			t.Errorf("phase %d", got)
		}
		p.line(t, 1)
	})
}

func TestMuting(t *testing.T) {
	p := &phone{events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Hold(true) // no call: nothing to hold
		e.Start()
		synctest.Wait()
		e.Hold(true) // not muted
		e.Mute(true)
		e.Hold(true)
		e.Hold(true) // the key repeats
		e.Hold(false)
		e.Mute(false)
		want := []bool{true, false, true, false}
		if got := p.line(t, 1).quiet; len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
			t.Errorf("the line was told %v, want %v", got, want)
		}
	})
}

func TestStartMuted(t *testing.T) {
	p := &phone{events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Choose(func(c call.Choice) call.Choice { c.Muted = true; return c })
		e.Start()
		synctest.Wait()
		if !p.line(t, 1).dial.Muted || !e.Picture().Talk.Muted {
			t.Error("the call began with an open microphone")
		}
	})
}

func TestNoMicrophone(t *testing.T) {
	p := &phone{micErr: &call.MediaError{Code: "mic_denied"}}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		got := e.Picture()
		if got.Phase != call.Ready || got.Mic.State != call.MicFailed || got.Mic.Problem != "mic_denied" {
			t.Errorf("got %+v", got)
		}
		p.line0(t)
	})
}

func (p *phone) line0(t *testing.T) {
	t.Helper()
	if len(p.lines) != 0 {
		t.Error("a line was dialled without a microphone")
	}
}

func TestCancelWhileTheBrowserAsks(t *testing.T) {
	p := &phone{micFor: time.Hour}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		if got := e.Picture().Mic.State; got != call.MicAsking {
			t.Fatalf("microphone state %d", got)
		}
		e.Hangup()
		synctest.Wait()
		if got := e.Picture(); got.Phase != call.Ready || got.Mic.State != call.MicUnasked {
			t.Errorf("got %+v", got)
		}
		p.line0(t)
	})
}

func TestCancelWhileConnecting(t *testing.T) {
	p := &phone{events: []peer.Event{peer.CallAccepted{}}}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		e.Hangup()
		if got := e.Picture().Phase; got != call.Ready {
			t.Errorf("phase %d right after the press", got)
		}
		synctest.Wait()
		if l := p.line(t, 1); !l.hung {
			t.Error("the line was left open")
		}
		if p.mics[0].closed {
			t.Error("the microphone that is being tried out was closed")
		}
	})
}

// What an older line still tells belongs to no picture.
func TestLateEventsAreDropped(t *testing.T) {
	p := &phone{}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		old := p.line(t, 1)
		e.Hangup()
		e.Start()
		synctest.Wait()
		old.tell <- peer.CallConnected{}
		p.line(t, 2).tell <- peer.StepStarted{Step: peer.StepPath}
		synctest.Wait()
		if got := e.Picture(); got.Phase != call.Connecting || got.Setup.Step != peer.StepPath {
			t.Errorf("got %+v", got)
		}
	})
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	busy := peer.CallEnded{Err: &rest.Problem{Code: rest.CodeCapReached, RetryAfterS: 15}}
	p := &phone{events: []peer.Event{busy}}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		if got := e.Picture(); got.Phase != call.Ready || got.Refusal == nil || got.Refusal.RetryAt.IsZero() {
			t.Fatalf("got %+v", got)
		}
		time.Sleep(15*time.Second - time.Nanosecond)
		synctest.Wait()
		p.line(t, 1)
		p.mu.Lock()
		p.events = answered
		p.mu.Unlock()
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		p.line(t, 2)
		if got := e.Picture(); got.Phase != call.Live || got.Refusal != nil {
			t.Errorf("got %+v", got)
		}
		if len(p.mics) != 1 {
			t.Errorf("the microphone was opened %d times", len(p.mics))
		}
	})
}

// Who asked too often is told when to ask again, to the second, and asked to wait till
// then; after it nothing is in the way.
func TestWhoAskedTooOftenWaits(t *testing.T) {
	p := &phone{events: []peer.Event{peer.CallEnded{Err: &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 12}}}}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		for _, want := range []string{"You can try again in 12 s.", "You can try again in 11 s."} {
			synctest.Wait()
			page := treeOf(call.PageOf(e.Picture(), false, false, false))
			if start, _ := page.find(func(n node) bool { return n.target == "Page.start" }); !start.isDisabled || !slices.Contains(page.texts, want) {
				t.Errorf("can be started: %v; %q", !start.isDisabled, page.texts)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := e.Picture(); got.Refusal != nil || got.Phase != call.Ready {
			t.Errorf("got %+v", got)
		}
		p.line(t, 1) // it isn't tried again by itself
	})
}

// A link to the call page leads from the end of a call to the next one; a call that goes
// on stays.
func TestALinkLeadsOnFromAnEnd(t *testing.T) {
	p := &phone{events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		if got := call.LeaveEnd(e); got != call.Live {
			t.Errorf("a link ends a call: phase %v", got)
		}
		e.Hangup()
		synctest.Wait()
		if got := e.Picture().Phase; got != call.Over {
			t.Fatalf("phase %v", got)
		}
		if got := call.LeaveEnd(e); got != call.Ready {
			t.Errorf("a link to the next call: phase %v", got)
		}
	})
}

func TestStopTrying(t *testing.T) {
	p := &phone{events: []peer.Event{peer.CallEnded{Err: &rest.Problem{Code: rest.CodeDraining}}}}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		e.Hangup()
		time.Sleep(time.Hour)
		synctest.Wait()
		p.line(t, 1)
		if got := e.Picture().Refusal; got == nil || !got.RetryAt.IsZero() {
			t.Errorf("got %+v", got)
		}
	})
}

// A call whose server restarts goes on at another of the cluster, with what the caller
// has set and the same microphone.
func TestACallMovesToAnotherServer(t *testing.T) {
	hello := func(id, node string) []peer.Event {
		return []peer.Event{peer.CallAccepted{Hello: wire.Hello{SessionID: id, Node: node}}, peer.CallConnected{}}
	}
	p := &phone{events: hello("sess_1", "a")}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		e.Mute(true)
		p.events = hello("sess_2", "b")
		p.line(t, 1).tell <- peer.CallEnded{Ended: wire.Ended{Cause: wire.ServerShutdown}}
		synctest.Wait()
		l, got := p.line(t, 2), e.Picture()
		if got.Phase != call.Live || got.Talk.SessionID != "sess_2" || got.Talk.Node != "b" || !got.Talk.Muted {
			t.Errorf("got %+v", got)
		}
		if !l.dial.Muted || l.dial.Microphone != p.mics[0] || len(p.mics) != 1 || p.mics[0].closed {
			t.Errorf("dialled %+v, of %d microphones", l.dial, len(p.mics))
		}
		p.events = hello("sess_3", "c")
		e.Hangup()
		synctest.Wait()
		p.line(t, 2) // a caller's end is one
	})
}

func TestStillThere(t *testing.T) {
	p := &phone{events: append(answered[:len(answered):len(answered)],
		peer.WarningReceived{Warning: wire.Warning{Code: wire.WarnIdle, EndsAt: time.Now().Add(time.Hour)}})}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		e.KeepTalking()
		e.PlaySound()
		if l := p.line(t, 1); l.alive != 1 || l.played != 1 {
			t.Errorf("the line was told %d times to stay and %d times to play", l.alive, l.played)
		}
		if !e.Picture().Talk.Hidden {
			t.Error("the warning stays after it was answered")
		}
	})
}

// Sound and microphone belong to the line that told of them.
func TestDevicesAreTold(t *testing.T) {
	p := &phone{events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		dial := p.line(t, 1).dial
		dial.OnSound(false)
		if got := e.Picture().Talk; !got.Blocked {
			t.Errorf("got %+v", got)
		}
		dial.OnSound(true)
		if e.Picture().Talk.Blocked {
			t.Error("the sound plays, and the page asks for a click")
		}
		e.Hangup()
		synctest.Wait()
		e.Start()
		synctest.Wait()
		dial.OnSound(false)
		if e.Picture().Talk.Blocked {
			t.Error("an older line's sound blocks the newer one")
		}
	})
}

func TestAnotherMicrophone(t *testing.T) {
	p := &phone{}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.CheckMicrophone()
		synctest.Wait()
		e.ChooseMicrophone("b")
		synctest.Wait()
		if !p.mics[0].closed || p.device != "b" || e.Picture().Choice.DeviceID != "b" {
			t.Errorf("chose %q; the first is closed: %v", p.device, p.mics[0].closed)
		}
	})
}

// A call does without a level, and the page claims nothing of one.
func TestAMicrophoneWithoutALevel(t *testing.T) {
	p := &phone{silent: true, events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.CheckMicrophone()
		time.Sleep(10 * time.Second)
		if got := e.Picture().Mic; got.State != call.MicOpen || !got.NoLevel || got.Silent || got.Heard {
			t.Errorf("got %+v", got)
		}
		e.Start()
		synctest.Wait()
		if got := e.Picture().Phase; got != call.Live {
			t.Errorf("phase %v", got)
		}
		e.Hangup()
		e.CloseMicrophone()
		if e.Picture().Mic.NoLevel {
			t.Error("a closed microphone has no level to lack")
		}
	})
}

// The meter moves without a redraw; only being heard is news.
func TestTheMeterRedrawsNothing(t *testing.T) {
	p := &phone{}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.CheckMicrophone()
		synctest.Wait()
		changes, levels := 0, 0
		defer e.Watch(func() { changes++ })()
		stop := e.Meter(func(float64) { levels++ })
		for range 20 {
			p.level(-20)
			time.Sleep(50 * time.Millisecond)
		}
		stop()
		p.level(-20)
		if levels != 20 || changes != 1 || !e.Picture().Mic.Heard {
			t.Errorf("%d levels, %d changes, heard: %v", levels, changes, e.Picture().Mic.Heard)
		}
	})
}

func TestSpeakingWhileMuted(t *testing.T) {
	p := &phone{events: answered}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		e.Mute(true)
		speak := func(d time.Duration, dBFS float64) {
			for range d / (50 * time.Millisecond) {
				p.level(dBFS)
				time.Sleep(50 * time.Millisecond)
			}
		}
		speak(call.ShoutedFor, -20)
		if e.Picture().Talk.Shouting {
			t.Error("a word is taken for speech")
		}
		p.level(-20)
		if !e.Picture().Talk.Shouting || call.ShoutedFor > time.Second {
			t.Error("not noticed within a second of speech")
		}
		speak(call.NoticeFor-50*time.Millisecond, -80)
		if !e.Picture().Talk.Shouting {
			t.Error("gone before it could be read")
		}
		speak(100*time.Millisecond, -80)
		if e.Picture().Talk.Shouting {
			t.Error("still noticed after some silence")
		}
	})
}

func TestWatchersAreRemoved(t *testing.T) {
	in(t, &phone{}, func(t *testing.T, e *call.Engine) {
		calls := 0
		remove := e.Watch(func() { calls++ })
		e.Online(false)
		remove()
		e.Online(false)
		if calls != 1 {
			t.Errorf("told %d times", calls)
		}
	})
}

func TestAPrerenderedEngineDoesNothing(t *testing.T) {
	e := call.NewEngine(call.Config{})
	e.Start()
	e.CheckMicrophone()
	e.CheckLine()
	e.RefreshAdmission()
	e.Mute(true)
	e.Hangup()
	e.Close()
	e.Close()
	if got := e.Picture().Phase; got != call.Ready {
		t.Errorf("phase %d", got)
	}
}
