package realtime_test

import (
	"reflect"
	"testing"
	"time"

	"parley/server/agent/realtime"
	"parley/shared/rest"
)

// call plays a call by milliseconds from its start.
type call struct {
	t     *testing.T
	turns realtime.Turns
}

func (c *call) event(ms int, message string) { c.turns.Observe(after(ms), read(c.t, message)) }

func after(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

const (
	serverVAD = `{"type":"session.created","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":500}}}}}`
	started   = `{"type":"input_audio_buffer.speech_started","item_id":"i"}`
	stopped   = `{"type":"input_audio_buffer.speech_stopped","item_id":"i"}`
	speaking  = `{"type":"output_audio_buffer.started","response_id":"r"}`
	cleared   = `{"type":"output_audio_buffer.cleared","response_id":"r"}`
	spoken    = `{"type":"output_audio_buffer.stopped","response_id":"r"}`
	function  = `{"type":"response.function_call_arguments.done","response_id":"r","call_id":"c","name":"f","arguments":"{}"}`
)

// callerSpeaks and agentSpeaks send packets of voice from…to, and then some of silence.
func (c *call) callerSpeaks(from, to int) { speak(c.turns.CallerVoice, from, to) }

func (c *call) agentSpeaks(from, to int) { speak(c.turns.AgentVoice, from, to) }

func speak(packet func(time.Time, bool), from, to int) {
	for ms := from; ms < to+300; ms += 20 {
		packet(after(ms), ms <= to)
	}
}

// parts are a turn's, in milliseconds: the wait, silence window, network, tools
// and model.
type parts [5]float64

func partsOf(turn rest.Turn) parts {
	return parts{turn.WaitMS, turn.SilenceWindowMS, turn.NetworkMS, turn.ToolsMS, turn.ModelMS}
}

func TestATurnIsMeasuredInParts(t *testing.T) {
	for name, test := range map[string]struct {
		play func(*call)
		want parts
		lag  float64 // ms of the event behind the packets
	}{
		"by packets and events": {func(c *call) {
			c.turns.RoundTrip(80 * time.Millisecond)
			c.event(0, serverVAD)
			c.event(200, started)
			c.callerSpeaks(100, 2000)
			c.event(2580, stopped)
			c.turns.AgentVoice(after(2890), true)
			c.event(2900, speaking)
		}, parts{890, 500, 80, 0, 310}, 10},
		"by events alone": {func(c *call) {
			c.turns.RoundTrip(80 * time.Millisecond)
			c.event(0, serverVAD)
			c.event(200, started)
			c.event(2580, stopped)
			c.event(2900, speaking)
			c.event(5000, spoken)
		}, parts{900, 500, 80, 0, 320}, 0},
		"a caller whose browser sends no silence": {func(c *call) {
			c.event(0, serverVAD)
			for ms := 1000; ms <= 2000; ms += 20 {
				c.turns.CallerVoice(after(ms), true)
			}
			c.event(2500, stopped)
			c.turns.AgentVoice(after(2700), true)
			c.event(2700, speaking)
		}, parts{700, 500, 0, 0, 200}, 0},
		"the agent's event tells of a pause inside a sentence": {func(c *call) {
			c.event(0, serverVAD)
			for ms := 1000; ms <= 2000; ms += 20 {
				c.turns.CallerVoice(after(ms), true)
			}
			c.event(2010, stopped) // while they speak: their voice tells no end
			c.turns.AgentVoice(after(2100), true)
			c.event(2100, speaking)
		}, parts{590, 500, 0, 0, 90}, 0},
		"an agent without events of its audio": {func(c *call) {
			c.event(0, serverVAD)
			c.event(200, started)
			c.callerSpeaks(200, 2000)
			c.event(2560, stopped)
			c.agentSpeaks(3000, 4000)
		}, parts{1000, 500, 60, 0, 440}, 0},
		"a function before the answer": {func(c *call) {
			c.turns.RoundTrip(80 * time.Millisecond)
			c.event(0, serverVAD)
			c.callerSpeaks(1000, 2000)
			c.event(2580, stopped)
			c.event(2700, function)
			c.turns.ToolsDone(after(3700))
			c.turns.AgentVoice(after(4000), true)
			c.event(4000, speaking)
		}, parts{2000, 500, 80, 1000, 420}, 0},
		"they went on": {func(c *call) {
			c.event(0, serverVAD)
			c.callerSpeaks(500, 1000)
			c.event(1500, stopped)
			c.event(1700, started)
			c.callerSpeaks(1600, 3000)
			c.event(3500, stopped)
			c.turns.AgentVoice(after(3900), true)
			c.event(3900, speaking)
		}, parts{900, 500, 0, 0, 400}, 0},
		"the client says when": {func(c *call) {
			c.callerSpeaks(1000, 2000)
			c.event(2100, `{"type":"input_audio_buffer.committed","item_id":"i"}`)
			c.event(2500, speaking)
			c.turns.AgentVoice(after(2500), true)
		}, parts{500, 0, 100, 0, 400}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := &call{t: t}
			test.play(c)
			turns, _ := c.turns.Take()
			if len(turns) != 1 || partsOf(turns[0]) != test.want {
				t.Fatalf("%+v\nwant %v", turns, test.want)
			}
			turn := turns[0]
			if lag := turn.EventLagMS; lag != nil && *lag != test.lag || lag == nil && test.lag != 0 {
				t.Errorf("the event's lag: %v, want %v", lag, test.lag)
			}
			if turn.SilenceWindowMS+turn.NetworkMS+turn.ToolsMS+turn.ModelMS != turn.WaitMS {
				t.Errorf("the parts do not sum up: %+v", turn)
			}
			if again, _ := c.turns.Take(); len(again) > 0 {
				t.Errorf("taken twice: %v", again)
			}
		})
	}
}

// A turn whose answer is over tells who spoke when, and whether the caller cut it short.
func TestATurnIsToldInFullOnceItsAnswerIsOver(t *testing.T) {
	ask := func(c *call) {
		c.event(0, serverVAD)
		c.callerSpeaks(1000, 2000)
		c.event(1100, started)
		c.event(2500, stopped)
		c.turns.AgentVoice(after(3000), true)
		c.event(3000, speaking)
	}
	for name, test := range map[string]struct {
		play          func(*call)
		agentSpoke    float64
		isInterrupted bool
	}{
		"to its end": {func(c *call) {
			ask(c)
			c.agentSpeaks(3020, 3500) // a pause is no end
			c.agentSpeaks(4000, 5000)
			c.event(5020, spoken)
			c.turns.Pass(after(6000))
		}, 2000, false},
		"the event comes after the silence": {func(c *call) {
			ask(c)
			c.agentSpeaks(3020, 5000)
			c.event(5600, spoken)
		}, 2000, false},
		"spoken over": {func(c *call) {
			ask(c)
			c.agentSpeaks(3020, 4200)
			c.turns.AgentVoice(after(4510), true)
			c.event(4520, started)
			c.event(4600, cleared)
			c.turns.Pass(after(6000))
		}, 1510, true},
		"an agent without events of its audio": {func(c *call) {
			c.event(0, serverVAD)
			c.callerSpeaks(1000, 2000)
			c.event(1100, started)
			c.event(2500, stopped)
			c.agentSpeaks(3000, 4000)
			c.agentSpeaks(4600, 5000)
			c.event(8000, started) // the next turn tells that this one was over
		}, 2000, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &call{t: t}
			test.play(c)
			first, _ := c.turns.Take()
			ended := c.turns.TakeEnded()
			if len(first) != 1 || first[0].AgentSpokeMS != nil || len(ended) != 1 || ended[0].AgentSpokeMS == nil {
				t.Fatalf("measured %+v, ended %+v", first, ended)
			}
			turn := ended[0]
			if turn.Number != 1 || turn.Started == nil || !turn.Started.Equal(after(1000)) || turn.SpokeMS == nil || *turn.SpokeMS != 1000 {
				t.Errorf("the caller's part: %+v", turn)
			}
			if *turn.AgentSpokeMS != test.agentSpoke || turn.IsInterrupted != test.isInterrupted {
				t.Errorf("the agent spoke for %v ms, interrupted %v", *turn.AgentSpokeMS, turn.IsInterrupted)
			}
			if partsOf(turn) != partsOf(first[0]) {
				t.Errorf("its parts changed: %+v, %+v", first, turn)
			}
			if again := c.turns.TakeEnded(); len(again) > 0 {
				t.Errorf("taken twice: %v", again)
			}
		})
	}
}

func TestAGreetingIsNoTurn(t *testing.T) {
	c := &call{t: t}
	c.event(0, serverVAD)
	c.event(100, speaking)
	c.agentSpeaks(120, 900)
	if turns, cuts := c.turns.Take(); len(turns)+len(cuts) > 0 {
		t.Errorf("measured %v %v", turns, cuts)
	}
}

func TestAnInterruptionIsMeasuredToTheAgentsSilence(t *testing.T) {
	for name, test := range map[string]struct {
		play            func(*call)
		cleared, silent float64
	}{
		"it sends silence": {func(c *call) {
			c.event(1200, cleared)
			c.agentSpeaks(1220, 1260)
		}, 200, 260},
		"it sends nothing": {func(c *call) {
			c.event(1200, cleared)
			c.turns.AgentVoice(after(1260), true)
		}, 200, 260},
		"it paused before": {func(c *call) {
			c.turns.Pass(after(1480)) // its pause is no silence yet
			c.turns.AgentVoice(after(1520), true)
			c.event(1550, cleared)
		}, 550, 520},
	} {
		t.Run(name, func(t *testing.T) {
			c := &call{t: t}
			for ms := 0; ms < 1200; ms += 20 {
				c.turns.AgentVoice(after(ms), true)
			}
			c.callerSpeaks(1000, 1100)
			c.event(1150, started)
			test.play(c)
			c.turns.Pass(after(3000))
			_, cuts := c.turns.Take()
			want := rest.Interruption{At: after(1000), ClearedMS: &test.cleared, SilentMS: &test.silent}
			if len(cuts) != 1 || !reflect.DeepEqual(cuts[0], want) {
				t.Errorf("measured %+v", cuts)
			}
		})
	}
}

func TestAnAgentThatHadFinishedWasNotInterrupted(t *testing.T) {
	c := &call{t: t}
	c.turns.AgentVoice(after(1000), true)
	c.event(1150, started)
	c.turns.AgentVoice(after(1160), false)
	c.event(2000, stopped)
	c.event(3000, started)
	if _, cuts := c.turns.Take(); len(cuts) > 0 {
		t.Errorf("measured %+v", cuts)
	}
}

func TestSoundIsToldFromSilenceBySize(t *testing.T) {
	var s realtime.Sound
	play := func(from, to, size int, isSilent, want bool) {
		t.Helper()
		for ms := from; ms < to; ms += 20 {
			if s.BySize(after(ms), size, isSilent) != want {
				t.Fatalf("%d bytes at %d ms: not %v", size, ms, want)
			}
		}
	}
	play(0, 100, 3, true, false)       // of an encoder that stops
	play(100, 2000, 12, true, true)    // nothing is known of its silence yet
	play(2000, 4000, 12, true, false)  // now it is
	play(4000, 4100, 80, true, true)   // before the event of it
	play(4100, 6000, 80, false, true)  // after
	play(6000, 8000, 22, false, false) // the largest that is silence still
	play(8000, 8100, 23, false, true)
	if realtime.ByLevel(-51) || !realtime.ByLevel(-50) {
		t.Error("sound begins at -50 dBov")
	}
}
