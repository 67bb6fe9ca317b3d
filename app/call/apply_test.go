package call_test

import (
	"reflect"
	"testing"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func ptr(v float64) *float64 { return &v }

// talking is a call that has stood for a minute.
func talking() call.Picture {
	return call.Picture{Phase: call.Live, Now: noon, Talk: call.Talk{
		SessionID: "sess_1", Agent: "parrot", StartedAt: noon.Add(-time.Minute),
		Limits: wire.Limits{IdleTimeoutS: 1800, IdleWarningS: 120, MaxDurationS: 3600, ReconnectGraceS: 30},
		State:  wire.State{Session: wire.StateActive, Agent: wire.AgentListening, Quality: &quality.Verdict{Level: "excellent", R: 88, MOS: 4.3}},
	}}
}

func with(p call.Picture, change func(*call.Picture)) call.Picture {
	change(&p)
	return p
}

func warning(code wire.WarningCode, in time.Duration) peer.WarningReceived {
	return peer.WarningReceived{Warning: wire.Warning{Code: code, EndsAt: noon.Add(in)}}
}

// Every event of the set, and what it makes of a picture.
func TestApply(t *testing.T) {
	cases := map[string]struct {
		from call.Picture
		ev   peer.Event
		want func(*call.Picture) // what differs from before
	}{
		"a step begins": {
			call.Picture{Phase: call.Connecting}, peer.StepStarted{Step: peer.StepSecure},
			func(p *call.Picture) { p.Setup = call.Setup{Step: peer.StepSecure, Since: noon} },
		},
		"the server takes the call": {
			call.Picture{Phase: call.Connecting},
			peer.CallAccepted{Hello: wire.Hello{SessionID: "sess_2", Agent: "echo", Limits: wire.Limits{IdleTimeoutS: 60}}},
			func(p *call.Picture) {
				p.Talk.SessionID, p.Talk.Agent, p.Talk.Limits = "sess_2", "echo", wire.Limits{IdleTimeoutS: 60}
			},
		},
		"audio can flow": {
			call.Picture{Phase: call.Connecting}, peer.CallConnected{Setup: 384 * time.Millisecond},
			func(p *call.Picture) { p.Phase, p.Talk.StartedAt, p.Talk.SetupMS = call.Live, noon, 384 },
		},
		"a second connection keeps the clock": {
			talking(), peer.CallConnected{Setup: 9 * time.Millisecond}, func(p *call.Picture) {},
		},
		"the server's view": {
			talking(), peer.StateReceived{State: wire.State{Agent: wire.AgentSpeaking}},
			func(p *call.Picture) { p.Talk.State = wire.State{Agent: wire.AgentSpeaking} },
		},
		"an end is near": {
			talking(), warning(wire.WarnIdle, 2*time.Minute),
			func(p *call.Picture) {
				p.Talk.Warning = wire.Warning{Code: wire.WarnIdle, EndsAt: noon.Add(2 * time.Minute)}
			},
		},
		"a nearer end comes first": {
			with(talking(), func(p *call.Picture) { p.Talk.Warning = warning(wire.WarnMaxDuration, time.Minute).Warning }),
			warning(wire.WarnDraining, 10*time.Second),
			func(p *call.Picture) { p.Talk.Warning = warning(wire.WarnDraining, 10*time.Second).Warning },
		},
		"a later end waits": {
			with(talking(), func(p *call.Picture) { p.Talk.Warning = warning(wire.WarnIdle, time.Minute).Warning }),
			warning(wire.WarnMaxDuration, 2*time.Minute), func(p *call.Picture) {},
		},
		"a read warning comes back for another end": {
			with(talking(), func(p *call.Picture) {
				p.Talk.Warning, p.Talk.Hidden = warning(wire.WarnMaxDuration, time.Minute).Warning, true
			}),
			warning(wire.WarnIdle, 30*time.Second),
			func(p *call.Picture) {
				p.Talk.Warning, p.Talk.Hidden = warning(wire.WarnIdle, 30*time.Second).Warning, false
			},
		},
		"a warning is taken back": {
			with(talking(), func(p *call.Picture) {
				p.Talk.Warning, p.Talk.Hidden = warning(wire.WarnIdle, time.Minute).Warning, true
			}),
			peer.WarningReceived{Warning: wire.Warning{Code: wire.WarnIdle}},
			func(p *call.Picture) {
				p.Talk.Warning, p.Talk.Hidden, p.Talk.Thanks = wire.Warning{}, false, noon.Add(4*time.Second)
			},
		},
		"another warning is taken back": {
			with(talking(), func(p *call.Picture) { p.Talk.Warning = warning(wire.WarnMaxDuration, time.Minute).Warning }),
			peer.WarningReceived{Warning: wire.Warning{Code: wire.WarnIdle}}, func(p *call.Picture) {},
		},
		"no warning is taken back": {
			talking(), peer.WarningReceived{Warning: wire.Warning{Code: wire.WarnIdle}}, func(p *call.Picture) {},
		},
		"the line drops": {
			talking(), peer.ConnectionDropped{Until: noon.Add(30 * time.Second)},
			func(p *call.Picture) { p.Talk.Until = noon.Add(30 * time.Second) },
		},
		"the line is back": {
			with(talking(), func(p *call.Picture) { p.Talk.Until = noon.Add(time.Second) }), peer.ConnectionRecovered{},
			func(p *call.Picture) {
				p.Talk.Until, p.Talk.State.Quality, p.Talk.Unproven = time.Time{}, nil, quality.LeastSamples
			},
		},
		"an admin ends it": {
			with(talking(), func(p *call.Picture) {
				p.Talk.Until, p.Talk.Warning = noon, warning(wire.WarnIdle, time.Minute).Warning
			}),
			peer.CallEnded{Ended: wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}},
			func(p *call.Picture) {
				p.Phase, p.Talk.Until, p.Talk.Warning = call.Over, time.Time{}, wire.Warning{}
				p.End = call.End{At: noon, Ended: wire.Ended{Cause: wire.AdminEnded, Message: "maintenance"}, Tried: 30 * time.Second}
			},
		},
		"no path is found": {
			call.Picture{Phase: call.Connecting, Talk: call.Talk{SessionID: "sess_1"}}, peer.CallEnded{Failure: "ice_failed"},
			func(p *call.Picture) { p.Phase, p.End = call.Over, call.End{At: noon, Failure: "ice_failed"} },
		},
		"the server can't be reached": {
			call.Picture{Phase: call.Connecting}, peer.CallEnded{Err: client.ErrNetwork},
			func(p *call.Picture) { p.Phase, p.End = call.Over, call.End{At: noon, Failure: peer.Unreachable} },
		},
		"given up before it stood": {
			call.Picture{Phase: call.Connecting, Talk: call.Talk{SessionID: "sess_1"}},
			peer.CallEnded{Ended: wire.Ended{Cause: wire.CallerLeft}},
			func(p *call.Picture) { p.Phase, p.Talk = call.Ready, call.Talk{} },
		},
		"given up before the server knew": {
			call.Picture{Phase: call.Connecting}, peer.CallEnded{},
			func(p *call.Picture) { p.Phase = call.Ready },
		},
		"all lines are busy": {
			call.Picture{Phase: call.Connecting}, peer.CallEnded{Err: &rest.Problem{Code: rest.CodeCapReached, RetryAfterS: 7}},
			func(p *call.Picture) {
				p.Phase = call.Ready
				p.Refusal = &call.Refusal{Problem: rest.Problem{Code: rest.CodeCapReached, RetryAfterS: 7}, RetryAt: noon.Add(7 * time.Second)}
			},
		},
		"a restart names no time": {
			call.Picture{Phase: call.Connecting}, peer.CallEnded{Err: &rest.Problem{Code: rest.CodeDraining}},
			func(p *call.Picture) {
				p.Phase = call.Ready
				p.Refusal = &call.Refusal{Problem: rest.Problem{Code: rest.CodeDraining}, RetryAt: noon.Add(5 * time.Second)}
			},
		},
		"a restart of one of many": {
			with(talking(), func(p *call.Picture) { p.Talk.Node, p.Talk.Muted = "a", true }), peer.CallEnded{Ended: wire.Ended{Cause: wire.ServerShutdown}},
			func(p *call.Picture) {
				p.Phase, p.Setup = call.Connecting, call.Setup{Step: peer.StepServer, Since: noon}
				p.Talk = call.Talk{Agent: p.Talk.Agent, Muted: true, HasCaptions: p.Talk.HasCaptions}
			},
		},
		"no rights: not tried again": {
			call.Picture{Phase: call.Connecting}, peer.CallEnded{Err: &rest.Problem{Code: rest.CodeForbidden}},
			func(p *call.Picture) {
				p.Phase = call.Ready
				p.Refusal = &call.Refusal{Problem: rest.Problem{Code: rest.CodeForbidden}}
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := c.from
			want.Now = noon
			c.want(&want)
			if got := call.Apply(c.from, c.ev, noon); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func measured(mic, agent float64) peer.SampleMeasured {
	return peer.SampleMeasured{
		MicDBFS: mic, AgentDBFS: agent,
		Ratings: map[quality.Direction]peer.Rating{
			quality.ToAgent:  {Second: rtcstats.Figures{EffectiveLossRatio: ptr(.04)}, Figures: rtcstats.Figures{EffectiveLossRatio: ptr(.04), RTTMS: ptr(80)}},
			quality.ToCaller: {Second: rtcstats.Figures{EffectiveLossRatio: ptr(0)}, Figures: rtcstats.Figures{EffectiveLossRatio: ptr(0), RTTMS: ptr(80)}},
		},
		Quality: quality.Verdict{Level: quality.Poor, MOS: 2},
	}
}

func TestASecondOfACall(t *testing.T) {
	cases := map[string]struct {
		from                 call.Picture
		you, agent, gap, wai bool
		level                quality.Level
	}{
		"both talk":            {from: talking(), you: true, agent: true, level: quality.Excellent},
		"muted":                {from: with(talking(), func(p *call.Picture) { p.Talk.Muted = true }), agent: true, level: quality.Excellent},
		"muted, but Space":     {from: with(talking(), func(p *call.Picture) { p.Talk.Muted, p.Talk.Held = true, true }), you: true, agent: true, level: quality.Excellent},
		"the agent thinks":     {from: with(talking(), func(p *call.Picture) { p.Talk.State.Agent = wire.AgentThinking }), you: true, agent: true, wai: true, level: quality.Excellent},
		"cut off: no rating":   {from: with(talking(), func(p *call.Picture) { p.Talk.Until = noon }), you: true, agent: true, gap: true, level: quality.None},
		"no socket: own one":   {from: with(talking(), func(p *call.Picture) { p.Talk.Until, p.Talk.HasMedia = noon, true }), you: true, agent: true, gap: true, level: quality.Poor},
		"unrated: own rating":  {from: with(talking(), func(p *call.Picture) { p.Talk.State.Quality = nil }), you: true, agent: true, level: quality.Poor},
		"the server has none":  {from: with(talking(), func(p *call.Picture) { p.Talk.State.Quality = &quality.Verdict{Level: "none"} }), you: true, agent: true, gap: true, level: quality.None},
		"the call's beginning": {from: with(talking(), func(p *call.Picture) { p.Talk.Seconds = nil }), you: true, agent: true, level: quality.Excellent},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := call.Apply(c.from, measured(-20, -20), noon).Talk.Seconds
			s := got[len(got)-1]
			if (s.You > 0) != c.you || (s.Agent > 0) != c.agent || s.Gap != c.gap || s.Waiting != c.wai || s.Level != c.level {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestSilenceIsNotDrawn(t *testing.T) {
	p := call.Apply(talking(), measured(-50, -100), noon)
	if s := p.Talk.Seconds[0]; s.You != 0 || s.Agent != 0 || s.Muted {
		t.Errorf("got %+v", s)
	}
	p.Talk.Muted = true
	p = call.Apply(p, measured(-10, -100), noon)
	if s := p.Talk.Seconds[1]; s.You != 0 || !s.Muted {
		t.Errorf("muted: got %+v", s)
	}
	if got := call.Loudness(0); got != 1 {
		t.Errorf("the loudest is %v", got)
	}
}

// A picture that was handed out never changes, however long the call goes on.
func TestPicturesAreValues(t *testing.T) {
	p := talking()
	for range call.RibbonSpan + 5 {
		p = call.Apply(p, measured(-20, -100), noon)
	}
	if got := len(p.Talk.Seconds); got != call.RibbonSpan {
		t.Fatalf("the ribbon is %d seconds long", got)
	}
	first, rated := p.Talk.Seconds[0], p.Talk.Tally.Levels[quality.Excellent]
	next := call.Apply(p, measured(-100, -20), noon)
	if p.Talk.Seconds[0] != first || p.Talk.Seconds[call.RibbonSpan-1].You == 0 {
		t.Error("the older picture's ribbon has changed")
	}
	if p.Talk.Tally.Levels[quality.Excellent] != rated || next.Talk.Tally.Levels[quality.Excellent] != rated+1 {
		t.Error("the older picture's tally has changed")
	}
}

func TestTally(t *testing.T) {
	p := talking()
	if level, _ := p.Talk.Tally.Level(); level != quality.None || p.Talk.Tally.MOS() != 0 || p.Talk.Tally.Delay(quality.ToAgent) != nil {
		t.Error("an empty tally has figures")
	}
	for range call.TooShort - 1 {
		p = call.Apply(p, measured(-20, -20), noon)
	}
	if level, _ := p.Talk.Tally.Level(); level != quality.None {
		t.Errorf("%d seconds are enough", call.TooShort-1)
	}
	p = call.Apply(p, peer.StateReceived{State: wire.State{Quality: &quality.Verdict{Level: "fair", MOS: 3.3}}}, noon)
	p = call.Apply(p, measured(-20, -20), noon)
	level, share := p.Talk.Tally.Level()
	if level != quality.Excellent || share != .9 {
		t.Errorf("%s for %v", level, share)
	}
	if got := p.Talk.Tally.MOSLowest; got != 3.3 {
		t.Errorf("lowest MOS %v", got)
	}
	if got := p.Talk.Tally.Loss(quality.ToAgent); got == nil || *got < .0399 || *got > .0401 {
		t.Errorf("loss %v", got)
	}
	if got := p.Talk.Tally.Delay(quality.ToAgent); got == nil || *got != 10+20+6.5+20+40 { // mouth, packet, look-ahead, playout, half of 80
		t.Errorf("delay %v", got)
	}
}

func TestSlow(t *testing.T) {
	p := call.Picture{Phase: call.Connecting, Now: noon, Setup: call.Setup{Since: noon.Add(-call.SlowStep)}}
	if p.Slow() {
		t.Error("slow at the limit")
	}
	p.Now = p.Now.Add(1)
	if !p.Slow() {
		t.Error("not slow past the limit")
	}
	p.Phase = call.Live
	if p.Slow() {
		t.Error("a call that stands is being set up")
	}
}

func TestLength(t *testing.T) {
	p := talking()
	if got := p.Length(); got != time.Minute {
		t.Errorf("live: %v", got)
	}
	p.Phase, p.End.At, p.Now = call.Over, noon.Add(-time.Second), noon.Add(time.Hour)
	if got := p.Length(); got != 59*time.Second {
		t.Errorf("over: %v", got)
	}
	if got := (call.Picture{Now: noon}).Length(); got != 0 {
		t.Errorf("never begun: %v", got)
	}
}

// Once the line is back, neither end's rating of the outage is shown of it: until it
// is rated anew there is none, and nothing is blamed.
func TestAnOutageIsNotBlamedOnTheLineAfterIt(t *testing.T) {
	poor := quality.Verdict{Level: quality.Poor, Cause: quality.CauseLoss, Value: 100}
	p := talking()
	for _, e := range []peer.Event{
		peer.StateReceived{State: wire.State{Session: wire.StateActive, Quality: &poor}},
		peer.SampleMeasured{IsSilent: true, Quality: poor},
		peer.ConnectionDropped{Until: noon.Add(28 * time.Second)},
		peer.SessionResumed{},
		peer.ConnectionRecovered{},
	} {
		p = call.Apply(p, e, noon)
	}
	if v := p.Talk.Verdict(); v != (quality.Verdict{Level: quality.None}) {
		t.Errorf("shows %+v", v)
	}
	// What both ends say until the line has proven itself is of the outage.
	for range quality.LeastSamples {
		if v := p.Talk.Verdict(); v.Level != quality.None {
			t.Errorf("before the line has proven itself it shows %+v", v)
		}
		p = call.Apply(p, peer.SampleMeasured{IsSilent: true, Quality: poor}, noon)
		p = call.Apply(p, peer.StateReceived{State: wire.State{Session: wire.StateActive, Quality: &poor}}, noon)
	}
	if v := p.Talk.Verdict(); v != poor {
		t.Errorf("silent all along, it shows %+v", v)
	}
	p = call.Apply(p, peer.SampleMeasured{}, noon)
	p = call.Apply(p, peer.StateReceived{State: wire.State{Session: wire.StateActive, Quality: &poor}}, noon)
	if v := p.Talk.Verdict(); v != poor {
		t.Errorf("rated anew, it shows %+v", v)
	}
}

// A second of which nothing came is counted as lost, whatever the server said
// last, and however long it can't be asked.
func TestSilentSecondsAreLost(t *testing.T) {
	silent := peer.SampleMeasured{
		IsSilent: true, MicDBFS: -100, AgentDBFS: -100, Quality: quality.Verdict{Level: quality.Poor, MOS: 1},
		Ratings: map[quality.Direction]peer.Rating{
			quality.ToAgent:  {Second: rtcstats.Figures{EffectiveLossRatio: ptr(1)}},
			quality.ToCaller: {Second: rtcstats.Figures{EffectiveLossRatio: ptr(1)}},
		},
	}
	p := talking()
	for range 20 {
		p = call.Apply(p, measured(-20, -20), noon)
	}
	for n := range 20 {
		if n == 2 {
			p = call.Apply(p, peer.ConnectionDropped{Until: noon.Add(28 * time.Second)}, noon)
		}
		if p = call.Apply(p, silent, noon); p.Talk.Verdict().Level != quality.Poor {
			t.Fatalf("silent second %d shows %s", n+1, p.Talk.Verdict().Level)
		}
	}
	p = call.Apply(p, peer.CallEnded{Failure: peer.Lost}, noon.Add(28*time.Second))
	tally := p.Talk.Tally
	if tally.Levels[quality.Poor] != 20 || tally.Levels[quality.Excellent] != 20 {
		t.Errorf("levels %v", tally.Levels)
	}
	for d, want := range map[quality.Direction]float64{quality.ToAgent: .52, quality.ToCaller: .5} {
		if got := tally.Loss(d); got == nil || *got < want-.001 || *got > want+.001 {
			t.Errorf("%s: loss %v, want %v", d, got, want)
		}
	}
	if p.End.Tried != 30*time.Second {
		t.Errorf("tried for %v", p.End.Tried)
	}
}
