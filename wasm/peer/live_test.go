package peer_test

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

func TestReportsCarryFiveSamplesEach(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		wait(11 * time.Second) // 13 samples: at 0 and each second
		c.Hangup()
		synctest.Wait()
		var sizes []int
		var at []time.Duration
		for _, r := range sent[wire.Report](s) {
			sizes = append(sizes, len(r.what.Samples))
			at = append(at, r.at)
		}
		// The first comes at once; the last holds what was left and one last look.
		if want := []int{1, 5, 5, 2}; !reflect.DeepEqual(sizes, want) {
			t.Errorf("reports of %v samples at %v, want %v", sizes, at, want)
		}
		if at[2]-at[1] != wire.ReportInterval {
			t.Errorf("reports %v apart", at[2]-at[1])
		}
		if len(s.frames) < 2 || s.frames[len(s.frames)-1].what != (wire.Bye{}) {
			t.Error("bye is not the last word")
		}
	})
}

// A sum that went wrong once is wrong for the rest of the call. It is left out,
// and all other figures are reported on.
func TestOneBadFigureLosesNoReport(t *testing.T) {
	s := &script{spoil: func(sample *rtcstats.Sample) {
		sample.RemoteInbound = &rtcstats.RemoteInbound{ID: "remote", SSRC: 2, PacketsLost: 3, TotalRoundTripTime: new(-131071.5)}
	}}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		wait(6 * time.Second)
		reports := sent[wire.Report](s)
		if len(reports) != 2 || len(reports[1].what.Samples) != 5 {
			t.Fatalf("%d reports in 6 s, want the first and one of five samples", len(reports))
		}
		for _, sample := range reports[1].what.Samples {
			if r := sample.RemoteInbound; sample.Inbound == nil || r == nil || r.PacketsLost != 3 || r.TotalRoundTripTime != nil {
				t.Errorf("reported %+v and %+v", sample.Inbound, r)
			}
		}
	})
}

func TestMeasuredRatesTheLine(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		wait(10 * time.Second)
		looks := happened[peer.SampleMeasured](s)
		last := looks[len(looks)-1].what
		in := last.Ratings[quality.ToCaller]
		if in.Figures.RTTMS == nil || *in.Figures.RTTMS < 19.99 || *in.Figures.RTTMS > 20.01 {
			t.Errorf("round trip %v, the path's is 20 ms", in.Figures.RTTMS)
		}
		if last.Quality.Level != quality.Excellent {
			t.Errorf("level %s", last.Quality.Level)
		}
		if n := len(looks); n != 11 {
			t.Errorf("%d looks in 10.96 s", n)
		}
	})
}

func TestMuteTurnsTheTrackOffAndTells(t *testing.T) {
	s := &script{}
	play(t, s, func(c *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		c.Mute(true)
		synctest.Wait()
		if !s.conn.muted {
			t.Error("the track is on")
		}
		c.Mute(true)
		c.KeepAlive()
		c.Mute(false)
		synctest.Wait()
		var kinds []wire.ActivityKind
		for _, a := range sent[wire.Activity](s) {
			kinds = append(kinds, a.what.Kind)
		}
		if want := []wire.ActivityKind{wire.ActivityMute, wire.ActivityKeepAlive, wire.ActivityUnmute}; !reflect.DeepEqual(kinds, want) {
			t.Errorf("activities %v, want %v", kinds, want)
		}
	})
}

func TestServersEndIsTold(t *testing.T) {
	for cause, failure := range map[wire.EndCause]peer.Failure{
		wire.IdleTimeout: "", wire.AdminEnded: "", wire.Replaced: "",
		wire.MediaFailed: peer.Lost, wire.ConnectionLost: peer.Lost, wire.ProtocolError: peer.ServerError,
	} {
		t.Run(string(cause), func(t *testing.T) {
			s := &script{}
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				s.live()
				s.newest().say(wire.Ended{Cause: cause, Message: "maintenance"})
				s.newest().drop(cause.CloseCode())
				end := <-done
				if end.Ended.Cause != cause || end.Ended.Message != "maintenance" || end.Failure != failure {
					t.Errorf("ended %+v", end)
				}
				if len(sent[wire.Bye](s)) != 0 {
					t.Error("bye to a session that is over")
				}
			})
		})
	}
}

func TestCloseCodesEndOrResume(t *testing.T) {
	cases := map[wire.CloseCode]wire.EndCause{ // "" resumes
		wire.CloseNormalClosure: wire.CallerLeft, wire.CloseProtocolError: wire.ProtocolError, wire.CloseUnsupportedData: wire.ProtocolError,
		wire.CloseInvalidFramePayloadData: wire.ProtocolError, wire.CloseMessageTooBig: wire.ProtocolError,
		wire.ClosePolicyViolation: wire.PrivacyBlocked, wire.CloseServiceRestart: wire.ServerShutdown,
		wire.CloseGoingAway: "", wire.CloseInternalError: "", wire.CloseTryAgainLater: "", 1006: "", 1005: "", 4999: "",
	}
	cases[4999] = peer.UnknownCause // a newer server's
	for _, cause := range wire.EndCauses() {
		if cause.CloseCode() >= 4000 {
			cases[cause.CloseCode()] = cause
		}
	}
	for code, cause := range cases {
		s := &script{}
		play(t, s, func(c *peer.Call, done <-chan peer.CallEnded) {
			s.live()
			s.newest().drop(code)
			wait(2 * time.Second)
			if resumed := len(s.sockets) == 2; resumed != (cause == "") {
				t.Errorf("%d: resumed %t", code, resumed)
			}
			c.Hangup()
			if end := <-done; cause != "" && end.Ended.Cause != cause {
				t.Errorf("%d: ended %+v, want %s", code, end, cause)
			}
		})
	}
}

func TestWarningsAndStatesPassThrough(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		warning := wire.Warning{Code: wire.WarnIdle, EndsAt: time.Now().Add(2 * time.Minute).UTC()}
		s.newest().say(warning)
		s.newest().say(wire.State{Session: wire.StateActive, Agent: wire.AgentSpeaking})
		s.newest().say(wire.Error{Code: wire.ErrRateLimited})
		synctest.Wait()
		if got := happened[peer.WarningReceived](s); len(got) != 1 || !got[0].what.Warning.EndsAt.Equal(warning.EndsAt) {
			t.Errorf("warnings %v", got)
		}
		if got := happened[peer.StateReceived](s); got[len(got)-1].what.State.Agent != wire.AgentSpeaking {
			t.Errorf("states %v", got)
		}
		if got := happened[peer.FrameRefused](s); len(got) != 1 || got[0].what.Error.Code != wire.ErrRateLimited {
			t.Errorf("refusals %v", got)
		}
	})
}

func TestFramesOfAServerThatIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		ends  bool
	}{
		"a newer message": {`{"type":"tomorrow","x":1}`, false},
		"no JSON":         {`hello`, true},
		"a newer field":   {`{"type":"pong","x":1}`, false},
		"a wrong value":   {`{"type":"pong","id":"x"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			play(t, s, func(call *peer.Call, done <-chan peer.CallEnded) {
				s.live()
				s.newest().in <- []byte(c.frame)
				wait(time.Second)
				call.Hangup()
				if end := <-done; (end.Failure == peer.ServerError) != c.ends {
					t.Errorf("ended %+v", end)
				}
			})
		})
	}
}

func TestLostPingsAreCounted(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.pulse()
		wait(time.Second)
		s.set(func() { s.deadPath = false })
		wait(2 * peer.PingLifetime)
		looks := happened[peer.SampleMeasured](s)
		p := looks[len(looks)-1].what.Sample.Ping
		if lost := p.RequestsSent - p.ResponsesReceived; lost != 2 {
			t.Errorf("%d of %d pings lost, want the 2 of one second", lost, p.RequestsSent)
		}
	})
}
