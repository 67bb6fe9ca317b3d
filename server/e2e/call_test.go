package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Energies of what is heard, as totalAudioEnergy counts (W3C webrtc-stats).
const (
	quiet  = 0.001 // comfort noise and nothing else
	voiced = 0.02  // a good part of a spoken sentence
	// pause is longer than any between two words of the sentence.
	pause = 400 * time.Millisecond
)

// sound is what the page's own statistics say of the newest call.
type sound struct {
	Sent    float64 `json:"sent"`  // totalAudioEnergy of the microphone
	Heard   float64 `json:"heard"` // totalAudioEnergy of the inbound track
	Packets int     `json:"packets"`
	Lost    int     `json:"lost"`
}

func (s *screen) sound() sound { return evaluate[sound](s, "parleyProbe.stats()") }

// signIn follows a sign-in link to the page where calls start.
func (b *browser) signIn(link string) *screen {
	b.t.Helper()
	s := b.open(link)
	s.says("Ready when you are")
	return s
}

// startCall presses what a caller presses, and waits for the agent.
func (s *screen) startCall() {
	s.t.Helper()
	s.startCallUntil("Agent is ") // whatever: it may answer by now
}

// startCallUntil presses what a caller presses, and again while nothing comes of it: on a
// busy machine what loads can move the button from under the pointer.
func (s *screen) startCallUntil(says string) {
	s.t.Helper()
	var pressed time.Time
	eventually(s.t, "a call is begun, and the page says "+says, 3*patience, func() (string, bool) {
		text := s.text()
		if strings.Contains(text, "Start call") && time.Since(pressed) > patience/4 {
			if _, ok := s.tryClick("Start call", "button"); ok { // it may be gone by now: then the call begins
				pressed = time.Now()
			}
		}
		return text, strings.Contains(text, says)
	})
}

func TestACall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil, withMotion).signIn(srv.callerLink)
	caller.pictures("ready")

	caller.press("Check microphone")
	caller.says("We can hear you")
	caller.pictures("checked")

	caller.startCall()
	saysBackAfterThePause(t, caller)
	caller.says("Agent is speaking")
	caller.says("Excellent")
	caller.pictures("in-call")

	caller.press("Mute")
	caller.says("Unmute")
	caller.press("Unmute")
	caller.press("End")
	caller.says("You ended the call.")
	caller.pictures("ended")
}

// sentences may pass before the parrot keeps to its rule: a busy machine leaves gaps in what
// its caller says, at which it begins.
const sentences = 3

// saysBackAfterThePause holds the parrot to its rule: nothing comes back while
// the caller speaks, and what they said comes back when they stop.
func saysBackAfterThePause(t *testing.T, caller *screen) {
	t.Helper()
	var last sound
	for n := 1; ; n++ {
		talked, at := listenToASentence(t, caller)
		if last = at; talked <= quiet {
			break
		}
		if n == sentences {
			t.Errorf("the parrot talked while its caller did: energy %g", talked)
			break
		}
	}
	eventually(t, "the parrot says it back", patience, func() (string, bool) {
		now := caller.sound()
		return fmt.Sprint(now), now.Heard-last.Heard > voiced
	})
}

// listenToASentence waits until the caller has spoken and stopped, and gives what came
// back meanwhile, and the newest look at which the caller still spoke. What came back
// before they began answers what they said before.
func listenToASentence(t *testing.T, caller *screen) (talked float64, last sound) {
	t.Helper()
	last = caller.sound()
	var start sound
	var spoke time.Time
	speaks := false
	eventually(t, "the caller speaks, and stops", patience, func() (string, bool) {
		now := caller.sound()
		heard := now.Sent-last.Sent > quiet
		if heard && !speaks {
			start, speaks = now, true
		}
		if heard || !speaks {
			last, spoke = now, time.Now()
		}
		if !speaks || time.Since(spoke) <= pause {
			return fmt.Sprint(now), false
		}
		speaks = false
		return fmt.Sprint(now), last.Sent-start.Sent > voiced // else it was the end of a sentence
	})
	return last.Heard - start.Heard, last
}

// Click to first audio is what a caller waits for. The figure in the README
// comes from here.
func TestClickToFirstAudio(t *testing.T) {
	const calls, budget = 5, 1500 * time.Millisecond
	srv := startServer(t, nil, "--agent=echo")
	b := startBrowser(t, microphone{voice: voice(t)}, nil, withMotion)
	crowding, best := watchCrowding(t), time.Minute
	for range calls {
		caller := b.signIn(srv.callerLink)
		caller.press("Start call")
		var took time.Duration
		eventually(t, "the first packet of audio", patience, func() (string, bool) {
			took = time.Duration(evaluate[float64](caller, "parleyProbe.firstAudioMS") * float64(time.Millisecond))
			return caller.text(), took > 0
		})
		t.Logf("click to first audio: %v", took.Round(time.Millisecond))
		best = min(best, took)
		caller.press("End")
		caller.says("You ended the call.")
	}
	crowding.holds(t, "click to first audio, at best", best, budget)
}

// The page shows what the server says, and no figures of its own.
func thePageAndTheServerAgree(t *testing.T) {
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.startCall()
	id := srv.onlySession(t).ID
	caller.press("Details")
	eventually(t, "page and server agree", time.Minute, func() (string, bool) {
		page, told := caller.figures(), srv.latest(t, id)
		seen := fmt.Sprintf("the page: %v\nthe API:  %v", page, told)
		return seen, near(page.rtt, told.rtt, 5) && near(page.toAgent, told.toAgent, 0.5) && near(page.toCaller, told.toCaller, 0.5)
	})
	caller.pictures("details")
}
