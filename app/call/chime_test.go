package call_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/shared/wire"
)

// TestChimesSoundWhenSomethingIsSeen, and none while the agent speaks but those that
// can't wait; none at all when they are off.
func TestChimesSoundWhenSomethingIsSeen(t *testing.T) {
	live := talking()
	live.Talk.Measured.AgentDBFS = -100
	warned := with(live, func(p *call.Picture) {
		p.Talk.Warning = wire.Warning{Code: wire.WarnIdle, EndsAt: noon.Add(time.Minute)}
	})
	shouting := with(live, func(p *call.Picture) { p.Talk.Shouting = true })
	overAgent := with(shouting, func(p *call.Picture) { p.Talk.Measured.AgentDBFS = -20 })
	over := with(live, func(p *call.Picture) { p.Phase = call.Over })
	connecting := with(live, func(p *call.Picture) { p.Phase = call.Connecting })
	for name, test := range map[string]struct {
		before, after call.Picture
		want          string
	}{
		"nothing":          {live, live, ""},
		"begins":           {connecting, live, "connect"},
		"ends":             {live, over, "end"},
		"never was":        {connecting, call.Picture{}, ""},
		"is about to end":  {live, warned, "warning"},
		"still is":         {warned, warned, ""},
		"talks muted":      {live, shouting, "muted"},
		"still talks":      {shouting, shouting, ""},
		"over the agent":   {live, overAgent, ""},
		"sounds are off":   {live, with(over, func(p *call.Picture) { p.Choice.SoundsOff = true }), ""},
		"warning, but off": {live, with(warned, func(p *call.Picture) { p.Choice.SoundsOff = true }), ""},
	} {
		if got := call.ChimeOf(test.before, test.after); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestAChimeIsAWAV that says its own size, and neither clicks nor clips.
func TestAChimeIsAWAV(t *testing.T) {
	wav := call.SoundOfTest()
	size := int(binary.LittleEndian.Uint32(wav[40:]))
	if string(wav[:4]) != "RIFF" || string(wav[8:16]) != "WAVEfmt " || len(wav) != 44+size || int(binary.LittleEndian.Uint32(wav[4:])) != len(wav)-8 {
		t.Fatalf("%d bytes, %q", len(wav), wav[:44])
	}
	last, loudest := 0, 0
	for i := 44; i < len(wav); i += 2 {
		v := int(int16(binary.LittleEndian.Uint16(wav[i:])))
		if step := v - last; step > 8000 || step < -8000 {
			t.Fatalf("sample %d clicks: %d after %d", i, v, last)
		}
		last, loudest = v, max(loudest, v)
	}
	if loudest < 10000 || loudest > 20000 || last > 200 || last < -200 {
		t.Errorf("loudest %d, ends at %d", loudest, last)
	}
}

// TestTheSpeakerIsTried at the chosen output and volume, and says how that went.
func TestTheSpeakerIsTried(t *testing.T) {
	p := &phone{}
	in(t, p, func(t *testing.T, e *call.Engine) {
		e.CheckMicrophone()
		synctest.Wait()
		if s := e.Picture().Speaker; !s.CanChoose || len(s.Devices) != 1 || s.Devices[0].ID != "c" {
			t.Errorf("speakers %+v", s)
		}
		e.ChooseSpeaker("c")
		e.Choose(func(c call.Choice) call.Choice { c.Volume = 20; return c })
		e.PlayTestSound()
		synctest.Wait()
		if got := e.Picture().Speaker.State; got != call.SpeakerPlayed || len(p.played) != 1 || p.played[0].speaker != "c" || p.played[0].volume != 0.2 {
			t.Errorf("state %d, played %d", got, len(p.played))
		}
		p.soundErr = errors.New("no output")
		e.PlayTestSound()
		synctest.Wait()
		if got := e.Picture().Speaker.State; got != call.SpeakerFailed {
			t.Errorf("state %d", got)
		}
		e.Start()
		synctest.Wait()
		if got := p.line(t, 1).dial.Speaker; got != "c" {
			t.Errorf("the call sounds at %q", got)
		}
	})
}

// TestSettingsShowWhatIsChosen.
func TestSettingsShowWhatIsChosen(t *testing.T) {
	var c call.Choice
	html := app.HTMLString(call.SettingsOf(call.Picture{Choice: c}))
	for _, want := range []string{"My settings", "Theme", "Times", "UTC", "Show captions", "Sounds", `value="50"`, "Volume of sounds", "Single-key shortcuts", "once you&#39;ve allowed the microphone", "Install"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	if got := strings.Count(html, " checked"); got != 4 {
		t.Errorf("%d of captions, sounds, keys and the last call are on", got)
	}
	c.HidesCaptions, c.SoundsOff, c.KeysOff, c.ReadsCaptions, c.ForgetsCalls, c.Volume = true, true, true, true, true, 70
	html = app.HTMLString(call.SettingsOf(call.Picture{Choice: c, Mic: call.MicCheck{Devices: []call.Device{{ID: "a", Label: "A"}, {ID: "b", Label: "B"}}}}))
	if strings.Count(html, " checked") != 1 || !strings.Contains(html, `value="70"`) || !strings.Contains(html, "disabled") || !strings.Contains(html, `id="set-mic"`) {
		t.Error(html)
	}
}
