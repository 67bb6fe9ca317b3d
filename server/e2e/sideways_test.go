package e2e_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// edges is what a table shows where it hides something: whether at its start, and its end.
type edges struct{ Start, End bool }

// edgesShown reads them of the first table: of its cells, which keep a column in sight, or
// of what lies over its end.
func (s *screen) edgesShown() edges {
	return evaluate[edges](s, `(() => {
	  const box = document.querySelector('.table-box'), row = box.querySelector('tbody tr'), of = (e, part) => getComputedStyle(e, part);
	  const throwsShadow = e => of(e).boxShadow.replace(/\/ 0\)|, 0\) |transparent/g, '').includes('/') || /rgba\(\d+, \d+, \d+, 0\.\d/.test(of(e).boxShadow);
	  const isDrawn = e => throwsShadow(e) || parseFloat(of(e).borderInlineStartWidth) + parseFloat(of(e).borderInlineEndWidth) > 0;
	  return { Start: isDrawn(row.firstElementChild), End: box.closest('.has-extras') ? isDrawn(row.lastElementChild) : +of(box, '::after').opacity === 1 };
	})()`)
}

// What a table hides sideways is told at that edge, and nothing where it hides nothing; also
// where a system's own colours take shadows away.
func TestATableTellsWhatItHidesSideways(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--demo-data")
	admin := startBrowser(t, microphone{}, nil).open(srv.adminLink)
	admin.says("Quality now")
	shows := func(when, left string, want edges) {
		t.Helper()
		admin.set("document.querySelector('.table-box').scrollLeft = " + left)
		eventually(t, fmt.Sprintf("%s, scrolled to %s: %+v", when, left, want), patience, func() (string, bool) {
			got := admin.edgesShown()
			return fmt.Sprintf("%+v", got), got == want
		})
		admin.keep(when + " scrolled to " + left)
	}
	for name, path := range map[string]string{
		"columns of choice": "/admin/sessions?columns=mouth,jitter,buffer,bitrate,codec,path,agent,started", "a narrow window": "/admin/audit",
	} {
		admin.resize(map[bool]size{true: desktop, false: {900, 700}}[name == "columns of choice"])
		admin.goTo(srv.origin() + path)
		admin.says("demo")
		eventually(t, "there are rows", patience, func() (string, bool) {
			return admin.text(), evaluate[bool](admin, "document.querySelectorAll('.table-box tbody tr').length > 5")
		})
		for _, colours := range []string{"none", "active"} {
			if _, err := chromedp.Call(admin.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: colours}}}); err != nil {
				t.Fatal(err)
			}
			shows(name+", forced colours "+colours, "0", edges{End: true})
			shows(name+", forced colours "+colours, "100", edges{Start: true, End: true})
			shows(name+", forced colours "+colours, "9999", edges{Start: true})
		}
	}
	admin.resize(desktop)
	admin.goTo(srv.origin() + "/admin/usage")
	admin.says("Total")
	shows("all in sight", "0", edges{})

	admin.resize(narrow)
	admin.goTo(srv.origin() + "/admin/activity")
	admin.says("Call started")
	if n := evaluate[int](admin, wordsOverIDs); n != 0 {
		t.Errorf("in the narrowest window %d activities stand over their session's id", n)
	}
	admin.keep("activity at 320")
}

// wordsOverIDs counts the activities whose words reach into the session's id beside them.
const wordsOverIDs = `[...document.querySelectorAll('.activity-row')].filter(row => {
  const words = document.createRange(), id = row.querySelector('.activity-session').getBoundingClientRect();
  words.selectNodeContents(row.querySelector('.activity-what'));
  const box = words.getBoundingClientRect();
  return id.width > 0 && box.right > id.left && box.bottom > id.top && box.top < id.bottom;
}).length`
