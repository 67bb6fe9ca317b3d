package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// tabs are the addresses of the browser's pages.
func (s *screen) tabs() (addresses []string) {
	s.t.Helper()
	open, err := chromedp.Call(s.ctx, target.GetTargets, target.GetTargetsParams{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range open.TargetInfos {
		if one.Type == "page" {
			addresses = append(addresses, one.URL)
		}
	}
	return addresses
}

// Admins who call look at admin pages in a tab of their own, however they get
// there: the call goes on.
func TestLookingAtAdminPagesEndsNoCall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--agent=echo")
	admin := startBrowser(t, microphone{voice: voice(t)}, nil).open(srv.adminLink)
	admin.says("No calls yet")
	admin.press("Call")
	admin.says("Ready when you are")
	admin.press("Overview") // without a call, in this tab
	admin.says("No calls yet")
	admin.press("Call")
	admin.startCall()
	id := srv.onlySession(t).ID
	before := len(admin.tabs())
	for i, way := range []func(){
		func() { admin.press("Overview") },
		func() { admin.press("Sessions") },
	} {
		way()
		eventually(t, "a tab of its own opens", patience, func() (string, bool) {
			now := admin.tabs()
			return fmt.Sprint(now), len(now) == before+i+1
		})
		// As its user comes back to it: a page behind another answers to no press.
		if _, err := chromedp.Call(admin.ctx, page.BringToFront, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		if at := admin.address(); !strings.HasSuffix(at, "/call") {
			t.Errorf("the call's own tab is at %s", at)
		}
		admin.goesOn(srv, id)
	}
	admin.press("End")
	admin.says("You ended the call.")
}
