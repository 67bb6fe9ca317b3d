package realtime_test

import (
	"testing"
	"time"

	"parley/server/agent/realtime"
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

// parts are a turn's, in milliseconds: the wait, silence window, network, tools
// and model.
type parts [5]int64

func partsOf(turn realtime.Turn) parts {
	return parts{
		turn.Wait.Milliseconds(), turn.SilenceWindow.Milliseconds(), turn.Network.Milliseconds(),
		turn.Tools.Milliseconds(), turn.Model.Milliseconds(),
	}
}

func TestATurnIsMeasuredInParts(t *testing.T) {
	for name, test := range map[string]struct {
		play func(*call)
		want parts
		lag  time.Duration // of the event behind the packets
	}{
		"by packets and events": {func(c *call) {
			c.turns.RoundTrip(80 * time.Millisecond)
			c.event(0, serverVAD)
			c.turns.CallerVoice(after(100), true)
			c.event(200, started)
			c.turns.CallerVoice(after(2000), false)
			c.event(2580, stopped)
			c.event(2900, speaking)
			c.turns.AgentVoice(after(2890), true)
		}, parts{890, 500, 80, 0, 310}, 10 * time.Millisecond},
		"by events alone": {func(c *call) {
			c.turns.RoundTrip(80 * time.Millisecond)
			c.event(0, serverVAD)
			c.event(200, started)
			c.event(2580, stopped)
			c.event(2900, speaking)
			c.event(5000, spoken)
		}, parts{900, 500, 80, 0, 320}, 0},
		"an agent without events of its audio": {func(c *call) {
			c.event(0, serverVAD)
			c.event(200, started)
			c.turns.CallerVoice(after(2000), false)
			c.event(2560, stopped)
			c.turns.AgentVoice(after(3000), true)
			c.turns.AgentVoice(after(4000), false)
		}, parts{1000, 500, 60, 0, 440}, 0},
		"a function before the answer": {func(c *call) {
			c.turns.RoundTrip(80 * time.Millisecond)
			c.event(0, serverVAD)
			c.turns.CallerVoice(after(2000), false)
			c.event(2580, stopped)
			c.event(2700, function)
			c.turns.ToolsDone(after(3700))
			c.turns.AgentVoice(after(4000), true)
			c.event(4000, speaking)
		}, parts{2000, 500, 80, 1000, 420}, 0},
		"they went on": {func(c *call) {
			c.event(0, serverVAD)
			c.turns.CallerVoice(after(1000), false)
			c.event(1500, stopped)
			c.event(1700, started)
			c.turns.CallerVoice(after(3000), false)
			c.event(3500, stopped)
			c.turns.AgentVoice(after(3900), true)
			c.event(3900, speaking)
		}, parts{900, 500, 0, 0, 400}, 0},
		"the client says when": {func(c *call) {
			c.turns.CallerVoice(after(1000), true)
			c.turns.CallerVoice(after(2000), false)
			c.event(2100, `{"type":"input_audio_buffer.committed","item_id":"i"}`)
			c.event(2500, speaking)
			c.turns.AgentVoice(after(2500), true)
		}, parts{500, 0, 100, 0, 400}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := &call{t: t}
			test.play(c)
			turns, _ := c.turns.Take()
			if len(turns) != 1 || partsOf(turns[0]) != test.want || turns[0].EventLag != test.lag {
				t.Fatalf("%+v\nwant %v", turns, test.want)
			}
			turn := turns[0]
			if turn.SilenceWindow+turn.Network+turn.Tools+turn.Model != turn.Wait {
				t.Errorf("the parts do not sum up: %+v", turn)
			}
			if again, _ := c.turns.Take(); len(again) > 0 {
				t.Errorf("taken twice: %v", again)
			}
		})
	}
}

func TestAGreetingIsNoTurn(t *testing.T) {
	c := &call{t: t}
	c.event(0, serverVAD)
	c.event(100, speaking)
	c.turns.AgentVoice(after(120), true)
	c.turns.AgentVoice(after(900), false)
	if turns, cuts := c.turns.Take(); len(turns)+len(cuts) > 0 {
		t.Errorf("measured %v %v", turns, cuts)
	}
}

func TestAnInterruptionIsMeasuredToTheAgentsSilence(t *testing.T) {
	c := &call{t: t}
	c.turns.AgentVoice(after(0), true)
	c.turns.CallerVoice(after(1000), true)
	c.event(1150, started)
	c.event(1200, cleared)
	c.turns.AgentVoice(after(1260), false)
	_, cuts := c.turns.Take()
	want := realtime.Interruption{At: after(1000), Cleared: 200 * time.Millisecond, Silent: 260 * time.Millisecond}
	if len(cuts) != 1 || cuts[0] != want {
		t.Errorf("measured %+v", cuts)
	}
}

func TestAnAgentThatHadFinishedWasNotInterrupted(t *testing.T) {
	c := &call{t: t}
	c.turns.AgentVoice(after(0), true)
	c.event(1150, started)
	c.turns.AgentVoice(after(1160), false)
	c.event(2000, stopped)
	c.event(3000, started)
	if _, cuts := c.turns.Take(); len(cuts) > 0 {
		t.Errorf("measured %+v", cuts)
	}
}

func TestQuantiles(t *testing.T) {
	var d realtime.Durations
	if d.Quantile(.5) != 0 {
		t.Error("a quantile of nothing")
	}
	for i := range 1500 { // the first 500 are forgotten
		d.Add(time.Duration(1500 - i))
	}
	for q, want := range map[float64]time.Duration{0: 1, .5: 500, .95: 950, 1: 1000} {
		if got := d.Quantile(q); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
	}
	if d.Len() != 1000 {
		t.Errorf("%d are kept", d.Len())
	}
}
