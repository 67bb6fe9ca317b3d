package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// talkingAgain is how soon the agent has to be heard after a reload. Other work
// of the machine counts, too: the best of some reloads is held against it.
const (
	talkingAgain = 3 * time.Second
	reloads      = 3
)

// reload reloads the page, and says yes when the browser asks whether to leave.
// It returns when the new page is loaded.
func (s *screen) reload() {
	s.t.Helper()
	s.answering(func() {
		if err := chromedp.Do(s.ctx, chromedp.Reload()); err != nil {
			s.t.Fatal(err)
		}
	})
}

// answering says yes when the browser asks whether to leave the page.
func (s *screen) answering(leave func()) {
	s.t.Helper()
	ctx, loaded := context.WithCancel(s.ctx)
	questions := chromedp.Events(ctx, page.JavascriptDialogOpening)
	var answering sync.WaitGroup
	answering.Go(func() {
		for _, err := range questions {
			if err != nil { // the page is loaded
				return
			}
			if _, err := chromedp.Call(s.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}); err != nil {
				s.t.Errorf("answer the browser: %v", err)
			}
		}
	})
	defer answering.Wait()
	defer loaded()
	leave()
}

// A page that is reloaded in the middle of a call goes on with it: the caller
// hears the agent again within three seconds.
func TestAReloadInMidCall(t *testing.T) {
	srv := startServer(t, nil, "--agent=echo")
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.startCall()
	id := srv.onlySession(t).ID
	caller.mayComplain("beforeunload") // of a question that a page without a click can't ask
	crowding, best := watchCrowding(t), time.Minute
	for range reloads {
		start := time.Now()
		caller.reload()
		eventually(t, "the agent is heard again", patience, func() (string, bool) {
			now := caller.sound()
			return fmt.Sprint(caller.text(), now), now.Packets > 0
		})
		took := time.Since(start)
		t.Logf("from the reload to the agent's first packet: %v", took.Round(time.Millisecond))
		best = min(best, took)
		caller.says("Agent is")
		if now := srv.onlySession(t).ID; now != id {
			t.Errorf("it is another session: %s, was %s", now, id)
		}
	}
	crowding.holds(t, "the best reload is heard again", best, talkingAgain)
	caller.press("End")
	caller.says("You ended the call.")
	if caller.place() != "" {
		t.Error("the place in the call stays in the session storage")
	}
}

// The agent's conversation goes on, and who was muted stays muted.
func TestTheAgentIsTheSameAfterAReload(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).signIn(srv.callerLink)
	caller.startCall()
	saysBackAfterThePause(t, caller)
	caller.press("Mute")
	caller.says("You're muted")
	caller.reload()
	caller.says("You're muted")
	caller.press("Unmute")
	// It may be in the middle of a sentence, of which the parrot says back the
	// rest. After that it waits for the end of the next one, as before.
	agentHasSpoken(t, caller)
	saysBackAfterThePause(t, caller)
	caller.press("End")
	caller.says("You ended the call.")
}

// agentHasSpoken waits until the agent has said something and is silent again.
func agentHasSpoken(t *testing.T, caller *screen) {
	t.Helper()
	start := caller.sound()
	last, since := start, time.Now()
	eventually(t, "the agent has spoken", patience, func() (string, bool) {
		now := caller.sound()
		if now.Heard-last.Heard > quiet {
			last, since = now, time.Now()
		}
		return fmt.Sprint(now), last.Heard-start.Heard > voiced && time.Since(since) > pause
	})
}

// Who is in a call elsewhere moves it here, and back.
func TestACallMovesToAnotherBrowser(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	first := b.signIn(srv.callerLink)
	first.mayComplain("503") // of a call that can't start now
	first.startCall()
	id := srv.onlySession(t).ID

	second := b.open(srv.callerLink)
	second.mayComplain("503")
	second.says("You're already in a call")
	second.says("In another tab or device, since ")
	second.press("Cancel")
	second.saysNot("You're already in a call")
	second.press("Start call")
	second.says("You're already in a call")
	second.pictures("elsewhere")
	second.press("Move it here")
	second.says("Agent is listening")
	first.says("Your call moved")
	if now := srv.onlySession(t).ID; now == id {
		t.Errorf("the session %s goes on, though another took its place", id)
	}
	saysBackAfterThePause(t, second)

	first.press("Start here")
	first.says("Agent is listening")
	second.says("Your call moved")
	first.press("End")
	first.says("You ended the call.")
}
