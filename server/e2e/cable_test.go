package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// cable is the line of WebPageTest's profile of that name: 5 Mbit/s down, 1 up, 28 ms.
var cable = network.Conditions{Latency: 28, DownloadThroughput: 5e6 / 8, UploadThroughput: 1e6 / 8, ConnectionType: network.ConnectionTypeEthernet}

// by has the page come by a line.
func (s *screen) by(line network.Conditions) {
	s.t.Helper()
	if _, err := chromedp.Call(s.ctx, network.Enable, network.EnableParams{}); err != nil {
		s.t.Fatal(err)
	}
	_, err := chromedp.Call(s.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&line}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// By cable a page is painted long before its program, which is megabytes, has come.
func TestAColdLoadByCable(t *testing.T) {
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{}, nil, withMotion)
	for name, link := range map[string]string{"caller": srv.callerLink, "admin": srv.adminLink} {
		for try, quick := 1, false; !quick && try <= 3; try++ {
			s := b.open("about:blank", watchLoad)
			s.by(cable)
			s.goTo(srv.origin() + "/web/offline.html")
			bare := s.painted()
			s.goTo(link)
			eventually(t, "the program has drawn", patience, func() (string, bool) { return s.text(), s.painted().Ready > 0 })
			got := s.painted()
			t.Logf("%s: first paint %.0f ms by cable (a page without a program: %.0f), signed in and drawn %.0f ms", name, got.Paint, bare.Paint, got.Ready)
			quick = got.Paint <= max(maxPaint, paintsOfBare*bare.Paint) && got.Ready > got.Paint
			if !quick && try == 3 {
				t.Errorf("%s: painted after %.0f ms, ready after %.0f", name, got.Paint, got.Ready)
			}
			s.close()
		}
	}
}
