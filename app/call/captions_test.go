package call_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// heard is a call's captions after some were told.
func heard(events ...peer.CaptionReceived) []call.Caption {
	p := talking()
	for _, ev := range events {
		p = call.Apply(p, ev, noon)
	}
	return p.Talk.Captions
}

func told(captions []call.Caption) string {
	var lines []string
	for _, c := range captions {
		lines = append(lines, fmt.Sprint(c.By, ":", c.ShownText()))
	}
	return strings.Join(lines, "|")
}

func TestCaptionsGrowByTurn(t *testing.T) {
	you := func(text string, whole bool) peer.CaptionReceived {
		return peer.CaptionReceived{By: rtcstats.LegCaller, Turn: "you", Text: text, IsWhole: whole}
	}
	agent := func(text string, whole bool) peer.CaptionReceived {
		return peer.CaptionReceived{By: rtcstats.LegAgent, Turn: "agent", Text: text, IsWhole: whole}
	}
	cut := peer.CaptionReceived{By: rtcstats.LegAgent, Turn: "agent", IsCut: true}
	long := strings.Repeat("a", peer.MaxCaption)
	for name, test := range map[string]struct {
		events []peer.CaptionReceived
		want   string
	}{
		"word by word":                     {[]peer.CaptionReceived{agent("Hel", false), agent("lo", false)}, "agent:Hello"},
		"the whole counts":                 {[]peer.CaptionReceived{agent("Hel", false), agent("Hello.", true), agent("lo", false)}, "agent:Hello."},
		"words that come late stand first": {[]peer.CaptionReceived{you("", false), agent("Yes", false), you("Hi.", true)}, "caller:Hi.|agent:Yes"},
		"an interrupted turn":              {[]peer.CaptionReceived{agent("Hello ", false), cut}, "agent:Hello …"},
		"one that nobody knows":            {[]peer.CaptionReceived{cut}, ""},
		"a turn at its limit":              {[]peer.CaptionReceived{agent(long, false), agent("b", false)}, "agent:" + long},
	} {
		if got := told(heard(test.events...)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestCaptionsAreBoundedByTurns(t *testing.T) {
	var events []peer.CaptionReceived
	for i := range call.MaxCaptions + 1 {
		events = append(events, peer.CaptionReceived{By: rtcstats.LegAgent, Turn: fmt.Sprint(i), Text: "a"})
	}
	if n := len(heard(events[:call.MaxCaptions]...)); n != call.MaxCaptions {
		t.Errorf("%d turns at the limit", n)
	}
	if got := heard(events...); len(got) != call.MaxCaptions || got[0].Turn != "1" {
		t.Errorf("%d turns over it, the oldest %s", len(got), got[0].Turn)
	}
}

// What was said is gone with the call, and was in no storage meanwhile.
func TestCaptionsEndWithTheCall(t *testing.T) {
	said := peer.CaptionReceived{By: rtcstats.LegAgent, Turn: "one", Text: "a secret"}
	p := call.Apply(talking(), said, noon)
	if strings.Contains(call.Diagnose(p), "secret") {
		t.Error("the diagnostics have it")
	}
	if p = call.Apply(p, peer.CallEnded{Ended: wire.Ended{Cause: wire.AgentLeft}}, noon); len(p.Talk.Captions) != 0 {
		t.Errorf("left are %+v", p.Talk.Captions)
	}
	tabs, kept := &tab{}, &tab{}
	phone := &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}, said}}
	inTabWith(t, phone, tabs, kept, func(e *call.Engine) {
		e.Start()
		e.Choose(func(c call.Choice) call.Choice { c.ReadsCaptions = true; return c })
	})
	for name, s := range map[string]*tab{"the tab": tabs, "the browser": kept} {
		for _, text := range s.copyOf().kept {
			if strings.Contains(text, "secret") {
				t.Errorf("%s keeps %s", name, text)
			}
		}
	}
}

// Only whole turns are read aloud, once, and only to who wants it.
func TestCaptionsAreReadAloudOnDemand(t *testing.T) {
	part := call.Apply(talking(), peer.CaptionReceived{By: rtcstats.LegAgent, Turn: "one", Text: "Hel"}, noon)
	whole := call.Apply(part, peer.CaptionReceived{By: rtcstats.LegAgent, Turn: "one", Text: "Hello.", IsWhole: true}, noon)
	reads := func(p call.Picture) call.Picture { p.Choice.ReadsCaptions = true; return p }
	hides := func(p call.Picture) call.Picture { p.Choice.HidesCaptions = true; return p }
	for name, test := range map[string]struct {
		before, after call.Picture
		want          string
	}{
		"unasked":           {part, whole, ""},
		"when it is whole":  {reads(part), reads(whole), "Agent: Hello."},
		"not word by word":  {reads(talking()), reads(part), ""},
		"not twice":         {reads(whole), reads(whole), ""},
		"nor when hidden":   {reads(hides(part)), reads(hides(whole)), ""},
		"nor another's end": {reads(whole), reads(call.Apply(whole, peer.CaptionReceived{Turn: "two"}, noon)), ""},
	} {
		var n call.Narrator
		if got, urgent := n.Narrate(test.before, test.after); got != test.want || urgent {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// What was chosen is there the next time, but for what would surprise then.
func TestAChoiceIsRemembered(t *testing.T) {
	kept := &tab{}
	first := call.NewEngine(call.Config{Settings: kept})
	first.Choose(func(call.Choice) call.Choice {
		return call.Choice{Agent: "support", DeviceID: "usb", Muted: true, HidesCaptions: true, ReadsCaptions: true}
	})
	want := call.Choice{Agent: "support", HidesCaptions: true, ReadsCaptions: true}
	if got := call.NewEngine(call.Config{Settings: kept}).Picture().Choice; got != want {
		t.Errorf("remembered %+v", got)
	}
	for key := range kept.kept {
		kept.kept[key] = "{"
	}
	if got := call.NewEngine(call.Config{Settings: kept}).Picture().Choice; got != (call.Choice{}) {
		t.Errorf("of what can't be read: %+v", got)
	}
}

// Captions are listened for where there may be some, and have a place on the page where
// there are.
func TestWhereCaptionsAreShown(t *testing.T) {
	plain, captioned := rest.Agent{Name: "echo"}, rest.Agent{Name: "support", Captions: true}
	for name, test := range map[string]struct {
		agents  []rest.Agent // none: nothing is known
		listens bool
		shows   bool
	}{
		"an agent with captions": {[]rest.Agent{captioned}, true, true},
		"one without":            {[]rest.Agent{plain}, false, false},
		"one nobody knows":       {nil, true, false},
	} {
		p := &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}}}
		fetch := &admissions{agents: test.agents}
		synctest.Test(t, func(t *testing.T) {
			e := call.NewEngine(call.Config{Peer: p, Fetcher: fetch})
			defer e.Close()
			e.RefreshAdmission()
			synctest.Wait()
			e.Start()
			synctest.Wait()
			if got := p.line(t, 1).dial.HasCaptions; got != test.listens {
				t.Errorf("%s: listens %t", name, got)
			}
			if got := e.Picture().Talk.HasCaptions; got != test.shows {
				t.Errorf("%s: shows %t", name, got)
			}
		})
	}
}

// admissions answers with agents, or, if there are none, with nothing.
type admissions struct{ agents []rest.Agent }

func (a *admissions) Fetch(context.Context, client.Request) (client.Response, error) {
	if a.agents == nil {
		return client.Response{}, client.ErrNetwork
	}
	body, err := json.Marshal(rest.Admission{Agents: a.agents})
	return client.Response{Status: 200, Body: body}, err
}

// The agent that is called is the one that the page shows.
func TestTheAgentToCall(t *testing.T) {
	list := &rest.Admission{Agents: []rest.Agent{{Name: "echo"}, {Name: "support", Captions: true}}}
	for name, test := range map[string]struct {
		choice   string
		answer   *rest.Admission
		want     string
		captions bool
	}{
		"none chosen":         {"", list, "echo", false},
		"one that is there":   {"support", list, "support", true},
		"one that is gone":    {"sales", list, "echo", false},
		"nothing known":       {"sales", nil, "sales", true},
		"no agents to choose": {"sales", &rest.Admission{}, "sales", true},
	} {
		p := call.Picture{Choice: call.Choice{Agent: test.choice}, Admission: call.Admission{Answer: test.answer}}
		if got := p.AgentToCall(); got != test.want || p.MayHaveCaptions() != test.captions {
			t.Errorf("%s: %q, captions %t", name, got, p.MayHaveCaptions())
		}
	}
}
