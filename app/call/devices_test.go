package call_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
	"parley/wasm/peer"
)

// inCall runs a test in a call that has begun.
func inCall(t *testing.T, p *phone, f func(t *testing.T, e *call.Engine, l *line)) {
	p.events = answered
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		f(t, e, p.line(t, 1))
	})
}

// TestAnotherMicrophoneInMidCall takes the place of the one before, which falls silent
// only then; one that can't be opened changes nothing.
func TestAnotherMicrophoneInMidCall(t *testing.T) {
	p := &phone{}
	inCall(t, p, func(t *testing.T, e *call.Engine, l *line) {
		e.ChooseMicrophone("b")
		synctest.Wait()
		if len(l.mics) != 1 || l.mics[0] != call.Microphone(p.mics[1]) || !p.mics[0].closed || p.mics[1].closed {
			t.Errorf("sent: %v of %v", l.mics, p.mics)
		}
		if got := e.Picture(); got.Mic.Label != "Headset" || got.Phase != call.Live || got.Talk.Notice.Code != "" {
			t.Errorf("got %q, %+v", got.Mic.Label, got.Talk.Notice)
		}
		for name, refuse := range map[string]func(){
			"it is in use":          func() { p.micErr = &call.MediaError{Code: "mic_busy"} },
			"the line can't use it": func() { p.micErr = nil; l.micErr = errors.New("no") },
		} {
			refuse()
			e.ChooseMicrophone("a")
			synctest.Wait()
			if got := e.Picture(); got.Talk.Notice.Code != "mic_unchanged" || got.Talk.Notice.Name != "Built-in" || p.mics[1].closed || got.Mic.Label != "Headset" {
				t.Errorf("%s: %+v", name, got.Talk.Notice)
			}
		}
		e.ChooseSpeaker("c")
		if l.speaker != "c" {
			t.Errorf("the call sounds at %q", l.speaker)
		}
		e.Hangup()
		synctest.Wait()
		for i, m := range p.mics {
			if !m.closed {
				t.Errorf("microphone %d is open after the call", i)
			}
		}
	})
}

// TestAMicrophoneThatIsUnplugged is replaced by another; where there is none the caller
// is told, and one that is plugged in is taken.
func TestAMicrophoneThatIsUnplugged(t *testing.T) {
	p := &phone{}
	inCall(t, p, func(t *testing.T, e *call.Engine, l *line) {
		p.told[0].Lost()
		synctest.Wait()
		if n := e.Picture().Talk.Notice; n.Code != "mic_switched" || n.Name != "Built-in" || len(l.mics) != 1 || !p.mics[0].closed {
			t.Errorf("got %+v", n)
		}
		p.told[0].Lost() // of one that is not in use any more
		synctest.Wait()
		if len(l.mics) != 1 {
			t.Error("an older microphone is missed")
		}
		p.micErr = &call.MediaError{Code: "mic_none"}
		p.inputs = []call.Device{}
		p.told[1].Lost()
		synctest.Wait()
		if got := e.Picture().Talk; got.Notice.Code != "mic_lost" || !got.MicLost || !got.Notice.IsShown(time.Now().Add(time.Hour)) {
			t.Errorf("got %+v", got.Notice)
		}
		e.HandleDeviceChange() // that there is none is known
		synctest.Wait()
		p.micErr, p.inputs = nil, []call.Device{{ID: "b", Label: "Headset"}}
		e.HandleDeviceChange()
		synctest.Wait()
		if got := e.Picture(); got.Talk.MicLost || got.Mic.Label != "Headset" || len(l.mics) != 2 {
			t.Errorf("got %+v, %d were sent", got.Talk.Notice, len(l.mics))
		}
	})
}

// TestWhatIsPluggedInIsTold, and what is unplugged, for as long as it takes to read.
func TestWhatIsPluggedInIsTold(t *testing.T) {
	p := &phone{inputs: []call.Device{{ID: "a", Label: "Built-in"}}}
	inCall(t, p, func(t *testing.T, e *call.Engine, _ *line) {
		p.inputs = append(p.inputs, call.Device{ID: "b", Label: "Headset"})
		e.HandleDeviceChange()
		synctest.Wait()
		n := e.Picture().Talk.Notice
		if n.Code != "mic_plugged" || n.ID != "b" || n.Name != "Headset" || !n.IsShown(time.Now().Add(time.Hour)) {
			t.Errorf("got %+v", n)
		}
		p.inputs = p.inputs[:1]
		e.HandleDeviceChange()
		synctest.Wait()
		if n := e.Picture().Talk.Notice; n.Code != "mic_unplugged" || n.Name != "Headset" || !n.IsShown(n.Until.Add(-1)) || n.IsShown(n.Until) {
			t.Errorf("got %+v", n)
		}
	})
}

// TestAMicrophoneThatIsUnpluggedBeforeACall is replaced, and the row says by what.
func TestAMicrophoneThatIsUnpluggedBeforeACall(t *testing.T) {
	p := &phone{}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.CheckMicrophone()
		synctest.Wait()
		p.micErr = &call.MediaError{Code: "mic_none"}
		p.told[0].Lost()
		synctest.Wait()
		if got := e.Picture().Mic; got.State != call.MicFailed || got.Problem != "mic_none" || !p.mics[0].closed {
			t.Errorf("got %+v", got)
		}
	})
}

// TestAPausedMicrophoneIsTold while it lasts and when it is over, and drawn.
func TestAPausedMicrophoneIsTold(t *testing.T) {
	p := &phone{}
	inCall(t, p, func(t *testing.T, e *call.Engine, l *line) {
		p.told[0].Paused(true)
		if e.Picture().Talk.PausedAt.IsZero() {
			t.Fatal("nothing is told of a paused microphone")
		}
		l.tell <- peer.SampleMeasured{MicDBFS: -20, AgentDBFS: -80}
		synctest.Wait()
		if s := e.Picture().Talk.Seconds; !s[len(s)-1].Paused {
			t.Error("the ribbon shows nothing of it")
		}
		time.Sleep(42 * time.Second)
		p.told[0].Paused(false)
		if got := e.Picture().Talk; !got.PausedAt.IsZero() || got.Notice.Code != "mic_held" || got.Notice.For != 42*time.Second {
			t.Errorf("got %+v", got.Notice)
		}
	})
}

// TestAPageThatSlept has a gap of as many seconds, and says for how long it was.
func TestAPageThatSlept(t *testing.T) {
	awake := with(talking(), func(p *call.Picture) { p.Now = noon })
	if got := call.ApplyTick(awake, noon.Add(4999*time.Millisecond)); len(got.Talk.Seconds) != 0 || got.Talk.Notice.Code != "" {
		t.Errorf("a late second is taken for a sleep: %+v", got.Talk.Notice)
	}
	got := call.ApplyTick(awake, noon.Add(42*time.Second))
	if n := got.Talk.Notice; n.Code != "mic_paused" || n.For != 42*time.Second {
		t.Errorf("got %+v", n)
	}
	if s := got.Talk.Whole; len(s) != 41 || !s[0].Gap || !s[40].Paused {
		t.Errorf("%d seconds of a gap", len(s))
	}
	again := call.ReadRibbon(call.RibbonText(got.Talk.Whole))
	if !again[0].Paused || !again[0].Gap {
		t.Error("a kept ribbon has no gap")
	}
	if idle := call.ApplyTick(call.Picture{Now: noon}, noon.Add(time.Hour)); idle.Talk.Notice.Code != "" {
		t.Error("a page without a call tells of its sleep")
	}
}

// signIns answers when the caller's sign-in ends.
type signIns struct {
	mu   sync.Mutex
	ends time.Time
}

func (s *signIns) Fetch(_ context.Context, r client.Request) (client.Response, error) {
	if r.Path != rest.PathMe {
		return client.Response{}, client.ErrNetwork
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := json.Marshal(rest.Me{ExpiresAt: s.ends})
	return client.Response{Status: 200, Body: body}, err
}

// TestTheEndOfASignInIsToldBefore, two minutes, and one that is made anew goes for the
// call.
func TestTheEndOfASignInIsToldBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := &phone{events: answered}, &signIns{ends: time.Now().Add(10 * time.Minute)}
		e := call.NewEngine(call.Config{Peer: p, Fetcher: s})
		defer e.Close()
		e.Start()
		synctest.Wait()
		shown := func() string { return pageOf(e) }
		time.Sleep(8*time.Minute - 2*time.Second)
		synctest.Wait()
		if strings.Contains(shown(), "Your sign-in ends in") {
			t.Error("it is told too early")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		for _, want := range []string{"Your sign-in ends in 1:59", "Your call ends when your sign-in does.", "Sign in again", `target="_blank"`} {
			if !strings.Contains(shown(), want) {
				t.Errorf("no %q in %s", want, shown())
			}
		}
		e.HideSignInWarning()
		if strings.Contains(shown(), "Your sign-in ends in") {
			t.Error("it is told again after it was read")
		}
		s.mu.Lock()
		s.ends = s.ends.Add(time.Hour)
		s.mu.Unlock()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if l := p.line(t, 1); l.renewed != 1 || e.Picture().Talk.Notice.Code != "sign_in_renewed" {
			t.Errorf("the line was renewed %d times, %+v", l.renewed, e.Picture().Talk.Notice)
		}
		e.Hangup()
	})
}
