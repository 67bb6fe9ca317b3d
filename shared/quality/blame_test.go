package quality_test

import (
	"testing"

	"parley/shared/quality"
	"parley/shared/rtcstats"
)

type legFigures = map[quality.Direction]rtcstats.Figures

// figuresOf are a leg's whose directions are alike.
func figuresOf(loss, rtt float64) legFigures {
	f := rtcstats.Figures{EffectiveLossRatio: &loss, RTTMS: &rtt}
	return legFigures{quality.ToAgent: f, quality.ToCaller: f}
}

var cutFigures = legFigures{quality.ToAgent: {Silent: true}, quality.ToCaller: {Silent: true}}

func TestEachPoorSecondHasAnOwner(t *testing.T) {
	fine := figuresOf(0, 40)
	for name, test := range map[string]struct {
		second quality.Second
		want   quality.Owner
	}{
		"nothing measured":                        {quality.Second{}, quality.OwnerNone},
		"all is well":                             {quality.Second{Caller: fine, Agent: fine}, quality.OwnerNone},
		"the caller loses":                        {quality.Second{Caller: figuresOf(.10, 40), Agent: fine}, quality.OwnerCaller},
		"the agent's leg loses":                   {quality.Second{Caller: fine, Agent: figuresOf(.10, 40)}, quality.OwnerAgent},
		"the caller loses, the agent is not far":  {quality.Second{Caller: figuresOf(.10, 40)}, quality.OwnerCaller},
		"the agent's leg is slow":                 {quality.Second{Caller: fine, Agent: figuresOf(0, 900)}, quality.OwnerAgent},
		"the caller is slow":                      {quality.Second{Caller: figuresOf(0, 900), Agent: fine}, quality.OwnerCaller},
		"both lose, the caller more":              {quality.Second{Caller: figuresOf(.12, 40), Agent: figuresOf(.10, 40)}, quality.OwnerCaller},
		"both lose, the agent's leg more":         {quality.Second{Caller: figuresOf(.10, 40), Agent: figuresOf(.12, 40)}, quality.OwnerAgent},
		"neither alone is poor, both are":         {quality.Second{Caller: figuresOf(.03, 40), Agent: figuresOf(.04, 40)}, quality.OwnerAgent},
		"the caller is cut off":                   {quality.Second{Caller: cutFigures, Agent: fine}, quality.OwnerCaller},
		"the agent is cut off":                    {quality.Second{Caller: fine, Agent: cutFigures}, quality.OwnerAgent},
		"both are cut off at once":                {quality.Second{Caller: cutFigures, Agent: cutFigures}, quality.OwnerServer},
		"this machine is late":                    {quality.Second{Caller: figuresOf(0, 540), Agent: figuresOf(0, 540), ServerDelayMS: 500}, quality.OwnerServer},
		"this machine is late, nobody hears it":   {quality.Second{ServerDelayMS: 500}, quality.OwnerNone},
		"the agent thinks as long as it may":      {quality.Second{Caller: fine, ThinkingMS: quality.SlowFirstWordMS}, quality.OwnerNone},
		"the agent thinks too long":               {quality.Second{Caller: fine, ThinkingMS: quality.SlowFirstWordMS + 1}, quality.OwnerModel},
		"the agent says nothing in its turn":      {quality.Second{Caller: fine, Agent: fine, IsAgentMute: true}, quality.OwnerModel},
		"the agent is slow because it is cut off": {quality.Second{Caller: fine, Agent: cutFigures, ThinkingMS: 9000}, quality.OwnerAgent},
	} {
		var last quality.Owner
		var b quality.Blamer
		for range quality.LookBack {
			last = b.Next(test.second)
		}
		if last != test.want {
			t.Errorf("%s: it is %q's, want %q", name, last, test.want)
		}
	}
}

// c, a and g are seconds of the caller's network, of the agent's leg, and good ones; m
// is one of an agent that thinks too long.
func TestAnOwnerHasToProveItself(t *testing.T) {
	fine := figuresOf(0, 40)
	seconds := map[rune]quality.Second{
		'c': {Caller: figuresOf(.2, 40), Agent: fine}, 'a': {Caller: fine, Agent: figuresOf(.2, 40)},
		'g': {Caller: fine, Agent: fine}, 'm': {Caller: fine, Agent: fine, ThinkingMS: 5000},
	}
	letters := map[quality.Owner]rune{quality.OwnerNone: '-', quality.OwnerCaller: 'c', quality.OwnerAgent: 'a', quality.OwnerModel: 'm'}
	for played, want := range map[string]string{
		"ccgggg":       "------", // two of five are no proof
		"cccgggggg":    "--ccccc--",
		"cgcgcggggg":   "----ccccc-",
		"cccacccc":     "--cccccc", // one second of another changes nothing
		"cccaaa":       "--ccca",
		"gmg":          "-m-",
		"cmg":          "-m-",       // a caller's loss explains no agent's wait
		"ammggggm":     "-aa----m",  // what is waited for may be lost on the way
		"cccmggggg":    "--ccccc--", // the way comes first
		"ggggggcccccc": "--------cccc",
	} {
		var b quality.Blamer
		got := ""
		for _, s := range played {
			got += string(letters[b.Next(seconds[s])])
		}
		if got != want {
			t.Errorf("%s: %s, want %s", played, got, want)
		}
	}
}
