package call

import (
	"errors"
	"maps"
	"slices"
	"time"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// thanksFor is how long the page shows that a warning was taken back.
const thanksFor = 4 * time.Second

// apply is what an event makes of a picture. It is the whole meaning of a call
// for the page, and has no other input than its arguments.
func apply(p Picture, ev peer.Event, now time.Time) Picture {
	p.Now = now
	switch ev := ev.(type) {
	case peer.StepStarted:
		p.Setup = Setup{Step: ev.Step, Since: now}
	case peer.CallAccepted:
		p = applyHello(p, ev.Hello)
		p.Talk.Until = time.Time{} // of a place that was held: it is taken up
	case peer.SessionResumed:
		p = applyHello(p, ev.Hello)
	case peer.CallConnected:
		p = applyConnected(p, ev, now)
	case peer.StateReceived:
		p = applyState(p, ev.State)
	case peer.SampleMeasured:
		p = applySample(p, ev)
	case peer.WarningReceived:
		p = applyWarning(p, ev.Warning, now)
	case peer.CaptionReceived:
		p = applyCaption(p, ev, now)
	case peer.ConnectionDropped:
		p.Talk.Until, p.Talk.HasMedia = ev.Until, ev.HasMedia
	case peer.ConnectionRecovered:
		p = applyRecovery(p)
	case peer.CallEnded:
		p = applyEnd(p, ev, now)
	}
	return p // what the server refused is no concern of a page's
}

func applyHello(p Picture, h wire.Hello) Picture {
	p.Talk.SessionID = h.SessionID
	p.Talk.ResumeToken = h.ResumeToken
	p.Talk.Agent, p.Talk.Node = h.Agent, h.Node
	p.Talk.Limits = h.Limits
	return p
}

// applyConnected may come again after a new path was found: the clock goes on.
func applyConnected(p Picture, ev peer.CallConnected, now time.Time) Picture {
	p.Phase = Live
	if p.Talk.StartedAt.IsZero() {
		p.Talk.StartedAt = now
		p.Talk.SetupMS = milliseconds(ev.Setup)
	}
	return p
}

// applyRecovery forgets how both ends rated the line before: the outage is over, and
// nothing that is said of it concerns the line after it.
func applyRecovery(p Picture) Picture {
	p.Talk.Until, p.Talk.HasMedia = time.Time{}, false
	p.Talk.State.Quality = nil
	p.Talk.Measured.Quality, p.Talk.Measured.IsSilent = quality.Verdict{}, false
	p.Talk.Unproven = quality.LeastSamples
	return p
}

func applySample(p Picture, m peer.SampleMeasured) Picture {
	p.Talk.Unproven = max(0, p.Talk.Unproven-1)
	p.Talk.Measured = m
	v := p.Talk.Verdict()
	p.Talk.Tally = p.Talk.Tally.add(v, m.Ratings)
	second := ui.RibbonSecond{
		Agent:   loudness(m.AgentDBFS),
		Waiting: p.Talk.State.Agent == wire.AgentThinking,
		Level:   v.Level,
		Gap:     p.Talk.IsDropped() || v.Level == quality.None,
	}
	if second.Muted = p.Talk.Quiet(); !second.Muted {
		second.You = loudness(m.MicDBFS)
	}
	second.Paused = !p.Talk.PausedAt.IsZero()
	p.Talk = p.Talk.holdWait(second)
	p.Talk = p.Talk.addSecond(second)
	return p
}

// addSecond draws one more second of the ribbon.
func (t Talk) addSecond(s ui.RibbonSecond) Talk {
	from := max(0, len(t.Seconds)-(ribbonSpan-1))
	t.Seconds = append(slices.Clone(t.Seconds[from:]), s)
	if len(t.Whole) < maxWhole {
		// Pictures share what they have of it: each only reads as far as its own end.
		t.Whole = append(t.Whole, s)
	}
	return t
}

// A warning of another code replaces one that ends later; one without an end
// takes back only its own.
func applyWarning(p Picture, w wire.Warning, now time.Time) Picture {
	held := p.Talk.Warning
	if w.EndsAt.IsZero() {
		if held.Code == w.Code && !held.EndsAt.IsZero() {
			p.Talk.Warning, p.Talk.Hidden = wire.Warning{}, false
			if w.Code == wire.WarnIdle {
				p.Talk.Thanks = now.Add(thanksFor)
			}
		}
		return p
	}
	if held.EndsAt.IsZero() || held.Code == w.Code || w.EndsAt.Before(held.EndsAt) {
		p.Talk.Hidden = p.Talk.Hidden && held.Code == w.Code
		p.Talk.Warning = w
	}
	return p
}

// A call that the server refused, or that the caller gave up before it stood,
// never was: the caller is back where it began.
func applyEnd(p Picture, ev peer.CallEnded, now time.Time) Picture {
	failure := ev.Failure
	if errors.Is(ev.Err, client.ErrNetwork) && failure == "" {
		failure = peer.Unreachable
	}
	var problem *rest.Problem
	switch {
	case errors.As(ev.Err, &problem):
		p.Phase = Ready
		p.Refusal = refusal(*problem, now)
		p.Talk = Talk{}
	case p.Talk.Node != "" && ev.Ended.Cause == wire.ServerShutdown:
		p = applyMove(p, now)
	case p.Talk.StartedAt.IsZero() && failure == "" && (ev.Ended.Cause == "" || ev.Ended.Cause == wire.CallerLeft):
		p.Phase = Ready
		p.Talk = Talk{}
	default:
		p.Phase = Over
		p.End = End{At: now, Ended: ev.Ended, Failure: failure, Tried: reconnectingTime(p.Talk, now)}
		p.Talk.Until = time.Time{}
		p.Talk.Warning = wire.Warning{}
		p.Talk.Captions = nil // they live no longer than the call
	}
	return p
}

// applyMove begins the call anew: its server restarts, and others of the cluster serve.
func applyMove(p Picture, now time.Time) Picture {
	p.Phase, p.Setup = Connecting, Setup{Step: peer.StepServer, Since: now}
	p.Talk = Talk{Agent: p.Talk.Agent, Muted: p.Talk.Muted, HasCaptions: p.Talk.HasCaptions}
	return p
}

// reconnectingTime is how long the call was being put together again when it ended.
func reconnectingTime(t Talk, now time.Time) time.Duration {
	if !t.IsDropped() {
		return 0
	}
	return max(graceOf(t)-t.Until.Sub(now), 0)
}

// retryAfter is when a busy server is asked again, if it names no time.
const retryAfter = 15 * time.Second

// drainRetry is when a server that restarts is asked again, at the latest: its address is
// soon another's, or its own again.
const drainRetry = 5 * time.Second

// refusal decides whether the page tries again by itself: only for a line that
// is busy or restarting, which passes without the caller's doing.
func refusal(problem rest.Problem, now time.Time) *Refusal {
	r := &Refusal{Problem: problem}
	if problem.Code == rest.CodeCapReached || problem.Code == rest.CodeOrgCap || problem.Code == rest.CodeDraining {
		wait := time.Duration(problem.RetryAfterS) * time.Second
		if wait <= 0 {
			wait = retryAfter
		}
		if problem.Code == rest.CodeDraining {
			wait = min(wait, drainRetry)
		}
		r.RetryAt = now.Add(wait)
	}
	if problem.Code == rest.CodeRateLimited {
		r.OpenAt = now.Add(time.Duration(max(problem.RetryAfterS, 1)) * time.Second)
	}
	return r
}

// add counts one second.
func (t Tally) add(v quality.Verdict, ratings map[quality.Direction]peer.Rating) Tally {
	if v.Level == quality.None || v.Level == "" {
		return t
	}
	t.Levels = maps.Clone(t.Levels)
	if t.Levels == nil {
		t.Levels = map[quality.Level]int{}
	}
	t.Levels[v.Level]++
	t.Rated++
	t.MOSSum += v.MOS
	if t.MOSLowest == 0 || v.MOS < t.MOSLowest {
		t.MOSLowest = v.MOS
	}
	return t.addMetrics(ratings)
}

func (t Tally) addMetrics(ratings map[quality.Direction]peer.Rating) Tally {
	t.LossSum, t.LossCount = cloneSums(t.LossSum, t.LossCount)
	t.DelaySum, t.DelayCount = cloneSums(t.DelaySum, t.DelayCount)
	for d, r := range ratings {
		if loss := r.Second.EffectiveLossRatio; loss != nil {
			t.LossSum[d] += *loss
			t.LossCount[d]++
		}
		if delay, ok := quality.MouthToEar(d, r.Figures); ok {
			t.DelaySum[d] += delay
			t.DelayCount[d]++
		}
	}
	return t
}

func cloneSums(sums map[quality.Direction]float64, counts map[quality.Direction]int) (map[quality.Direction]float64, map[quality.Direction]int) {
	if sums == nil {
		return map[quality.Direction]float64{}, map[quality.Direction]int{}
	}
	return maps.Clone(sums), maps.Clone(counts)
}

// Levels of the ribbon's blocks. Below silence nothing is drawn; speech at a
// usual distance is at -30 to -20 dBFS.
const (
	silenceDBFS = -50
	loudDBFS    = -12
)

func loudness(dBFS float64) float64 {
	if dBFS <= silenceDBFS {
		return 0
	}
	return min((dBFS-silenceDBFS)/(loudDBFS-silenceDBFS), 1)
}
