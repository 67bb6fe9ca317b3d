package call_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/app/call"
	"parley/shared/wire"
)

// shownParts finds what the style sheet shows of the orb in a state, and how the ring is
// drawn where it has no more than that.
var shownParts = regexp.MustCompile(`\.orb-([a-z]+) \.orb-([a-z]+)[^{]*\{([^}]*)\}`)

// TestAStateIsToldWithoutColour: each state of a call has a word of its own, a shape of
// its own, and a shape that looks like no other one's when its colours are taken away.
func TestAStateIsToldWithoutColour(t *testing.T) {
	does := func(agent wire.AgentState) call.Picture {
		return with(talking(), func(p *call.Picture) { p.Talk.State.Agent = agent })
	}
	states := map[string]call.Picture{
		"ready": {}, "connecting": {Phase: call.Connecting}, "listening": does(wire.AgentListening), "thinking": does(wire.AgentThinking),
		"speaking": does(wire.AgentSpeaking), "muted": with(talking(), func(p *call.Picture) { p.Talk.Muted = true }),
		"reconnecting": with(talking(), func(p *call.Picture) { p.Talk.Until = noon }), "over": {Phase: call.Over},
	}
	looks := looksOfOrb(t)
	words, drawn := map[string]string{}, map[string]string{}
	for name, p := range states {
		page := treeOf(call.PageOf(p, false, false, false))
		shape := call.OrbShape(p)
		if _, ok := page.find(func(n node) bool { return n.hasClass("orb-" + shape) }); !ok || shape != name {
			t.Errorf("%s: the orb is %s", name, shape)
		}
		word := stateWord(page)
		if other, taken := words[word]; taken || word == "" {
			t.Errorf("%s says %q, as %s does", name, word, other)
		}
		look := looks[shape]
		if other, taken := drawn[look]; taken || look == "" {
			t.Errorf("%s looks like %s: %q", name, other, look)
		}
		words[word], drawn[look] = name, name
	}
}

// stateWord is the largest word of a page: the one under the orb, or the heading.
func stateWord(page node) string {
	for _, of := range []func(node) bool{func(n node) bool { return n.hasClass("orb-word") }, func(n node) bool { return n.tag == "h1" }} {
		if n, ok := page.find(of); ok && strings.Join(n.texts, "") != "" {
			return strings.Join(n.texts, "")
		}
	}
	return ""
}

// looksOfOrb is what of the orb is drawn in each state, as the style sheet has it: its
// parts, and whether its ring is broken and its body filled.
func looksOfOrb(t *testing.T) map[string]string {
	t.Helper()
	css, err := os.ReadFile("../../web/parley.css")
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]string{}
	for _, rule := range shownParts.FindAllStringSubmatch(string(css), -1) {
		state, part, how := rule[1], rule[2], rule[3]
		switch {
		case part == "disc" && strings.Contains(how, "fill: var(--ink)"):
			part = "filled"
		case strings.Contains(how, "stroke-dasharray"):
			part += " dashed"
		case !strings.Contains(how, "display: block"):
			continue
		}
		if !slices.Contains(parts[state], part) {
			parts[state] = append(parts[state], part)
		}
	}
	looks := map[string]string{}
	for state, all := range parts {
		slices.Sort(all)
		looks[state] = strings.Join(all, ", ")
	}
	return looks
}
