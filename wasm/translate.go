//go:build js

package main

import (
	"errors"
	"time"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/wasm/browser"
	"parley/wasm/peer"
)

// translate says an event of the call in the page's words, or nil if the page
// has none for it.
func translate(e peer.Event) call.Event {
	switch e := e.(type) {
	case peer.StepStarted:
		return call.Reached{Step: call.Step(e.Step)}
	case peer.CallAccepted:
		return call.Opened{Hello: e.Hello}
	case peer.CallConnected:
		return call.Connected{SetupMS: float64(e.Setup) / float64(time.Millisecond)}
	case peer.StateReceived:
		return call.Stated{State: e.State}
	case peer.SampleMeasured:
		return measured(e)
	case peer.WarningReceived:
		return call.Warned{Warning: e.Warning}
	case peer.ConnectionDropped:
		return call.Dropped{Until: e.Until}
	case peer.ConnectionRecovered:
		return call.Recovered{}
	}
	return nil // the end comes from Run; what the server refused is no concern of a page's
}

// ended tells why there is no call, or none any more.
func ended(e peer.CallEnded) call.Ended {
	out := call.Ended{Ended: e.Ended, Failure: string(e.Failure)}
	var problem *rest.Problem
	switch {
	case errors.As(e.Err, &problem):
		out.Problem, out.Failure = problem, ""
	case errors.Is(e.Err, client.ErrNetwork):
		out.Failure = string(peer.Unreachable)
	}
	if out.Failure == string(peer.Unreachable) && !browser.Online() {
		out.Failure = "offline"
	}
	return out
}

func measured(e peer.SampleMeasured) call.Measured {
	out := call.Measured{
		At: e.At, Quality: e.Quality, MicDBFS: e.MicDBFS, AgentDBFS: e.AgentDBFS,
		Metrics: make(map[quality.Direction]rest.Metrics, len(e.Ratings)),
	}
	for d, r := range e.Ratings {
		out.Metrics[d] = metrics(r)
	}
	if pair := e.Sample.CandidatePair; pair != nil {
		out.Protocol, out.Path = pair.Protocol, "direct"
		if pair.LocalCandidateType == "relay" || pair.RemoteCandidateType == "relay" {
			out.Path = "relay"
		}
	}
	return out
}

func metrics(r peer.Rating) rest.Metrics {
	f := r.Figures
	m := rest.Metrics{
		LossRatio: f.EffectiveLossRatio, JitterMS: f.JitterMS, RTTMS: f.RTTMS, BufferMS: f.BufferMS,
		DelayMS: r.Score.DelayMS, ConcealedRatio: f.ConcealedRatio, BitrateBPS: f.BitrateBPS,
	}
	if r.Verdict.Level.Bars() > 0 {
		m.R, m.MOS = &r.Verdict.R, &r.Verdict.MOS
	}
	return m
}
