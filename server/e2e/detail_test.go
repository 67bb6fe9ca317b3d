package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"parley/shared/rtcstats"
)

// chartState is what the figures of a page say of their one cursor.
type chartState struct {
	Cursors []string // where each is, of its own width
	When    []string // what each chart's readout says
	Range   string   // what is zoomed to
	Tables  int
}

func (s *screen) charts() chartState {
	return evaluate[chartState](s, `(() => {
	  const all = (css, of) => [...document.querySelectorAll(css)].map(of);
	  return {
	    Cursors: all('.chart-cursor', e => e.getAttribute('transform') || ''),
	    When: all('.detail-charts .chart-when', e => e.textContent),
	    Range: all('.chart-range', e => e.textContent)[0] || '',
	    Tables: all('.chart-table table', e => e.rows.length).length,
	  };
	})()`)
}

// pointAt moves the mouse to a share of the width of a chart's plot.
func (s *screen) pointAt(chart string, share float64) {
	s.t.Helper()
	at := evaluate[[]float64](s, fmt.Sprintf(`(() => {
	  const plot = document.querySelector('#%s .chart-plot');
	  plot.scrollIntoView({ block: 'center' });
	  const r = plot.getBoundingClientRect();
	  return [r.x + r.width * %f, r.y + r.height / 2];
	})()`, chart, share))
	if len(at) != 2 {
		s.t.Fatalf("no chart %s", chart)
	}
	if err := chromedp.Do(s.ctx, chromedp.MouseEvent("mouseMoved", at[0], at[1])); err != nil {
		s.t.Fatal(err)
	}
}

// agree reports whether there are charts, all pointing at one moment, which is not
// the one before.
func (c chartState) agree(before string) bool {
	if len(c.When) < 4 || c.When[0] == "newest" || c.When[0] == before {
		return false
	}
	for i := range c.When {
		if c.When[i] != c.When[0] {
			return false
		}
	}
	for _, at := range c.Cursors {
		if at != c.Cursors[0] {
			return false
		}
	}
	return true
}

// pointsTogether waits until all charts point at another moment than before.
func (s *screen) pointsTogether(before string) (c chartState) {
	s.t.Helper()
	eventually(s.t, "all charts point at one moment", patience, func() (string, bool) {
		c = s.charts()
		return fmt.Sprintf("%+v, before %q", c, before), c.agree(before)
	})
	return c
}

// becomes waits until the charts are as wanted.
func (s *screen) becomes(what string, wanted func(chartState) bool) (c chartState) {
	s.t.Helper()
	eventually(s.t, what, patience, func() (string, bool) {
		c = s.charts()
		return fmt.Sprintf("%+v at %s", c, s.address()), wanted(c)
	})
	return c
}

func TestAnAdminLooksIntoACall(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{voice: voice(t)}, nil)
	caller := b.signIn(srv.callerLink)
	caller.startCall()
	session := srv.onlySession(t)
	eventually(t, "both ways are rated", patience, func() (string, bool) {
		rated := 0
		for _, s := range srv.connection(t, session.ID, "").Streams {
			if s.Leg == rtcstats.LegCaller && s.Summary.MOS != nil {
				rated++
			}
		}
		return fmt.Sprintf("%d streams are rated", rated), rated >= 2
	})

	admin := b.open(srv.adminLink, watchLoad)
	admin.says("Quality now")
	admin.goTo(srv.origin() + "/admin/sessions/" + session.ID)
	admin.says("Your visit is recorded.")
	admin.says("Estimated MOS")
	admin.saysNot("Ends at –") // the stream has told, too
	admin.isStill("a live session")
	if text := admin.text(); strings.Contains(text, "demo-caller") {
		t.Errorf("the caller is not masked:\n%s", text)
	}

	admin.pointAt("chart-mos", 0.5)
	first := admin.pointsTogether("")
	if err := chromedp.Do(admin.ctx, chromedp.MouseEvent("mouseMoved", 2, 2)); err != nil { // it would go on pointing
		t.Fatal(err)
	}
	evaluate[any](admin, `document.querySelector('#chart-loss_ratio .chart-stage').focus()`)
	admin.types(kb.ArrowLeft)
	second := admin.pointsTogether(first.When[0])
	admin.types("+")
	admin.becomes("zoomed in", func(c chartState) bool { return c.Range != second.Range && strings.Contains(admin.address(), "from=") })
	admin.types("t")
	admin.becomes("a table", func(c chartState) bool { return c.Tables == 1 })
	admin.press("Show as chart: Loss")
	admin.becomes("a chart again", func(c chartState) bool { return c.Tables == 0 })

	link, shown := admin.address(), admin.charts()
	other := admin.openTab(link)
	other.says("Your visit is recorded.")
	seen := other.becomes("the link shows the same", func(c chartState) bool { return c.agree("") && c.Range == shown.Range })
	if seen.When[0] != shown.When[0] {
		t.Errorf("the link leads to %s, not to %s", seen.When[0], shown.When[0])
	}
	admin.press("Reset")
	admin.becomes("all there is, live", func(c chartState) bool { return !strings.Contains(admin.address(), "t=") && c.When[0] == "newest" })

	admin.isAccessible("session")
	for _, tab := range []string{"Quality", "Turns", "Events", "Network path", "Log lines", "Raw stats"} {
		evaluate[any](admin, fmt.Sprintf(`[...document.querySelectorAll('[role=tab]')].find(e => e.textContent.startsWith(%q)).click()`, tab))
		eventually(t, tab+" is shown", patience, func() (string, bool) {
			return admin.text(), evaluate[bool](admin, fmt.Sprintf(`!!document.querySelector('[role=tab][aria-selected=true]')?.textContent.startsWith(%q)`, tab))
		})
		admin.resize(narrow)
		admin.fitsAcross("session " + tab)
		admin.isAccessible("session " + tab)
		admin.resize(desktop)
		admin.keep("session " + tab + " wide")
	}

	admin.press("Reveal…")
	admin.says("Reveal who this is?")
	admin.click("Reason", "textbox", "combobox")
	admin.types("caller asked for help")
	admin.press("Reveal")
	admin.says("demo-caller")
	evaluate[any](admin, `document.querySelector('.is-revealed .button').click()`)
	admin.saysNot("demo-caller")

	admin.press("Extend")
	admin.press("End call…")
	admin.says("End this call?")
	admin.click("Reason", "textbox", "combobox")
	admin.types("maintenance at noon")
	admin.press("End call")
	caller.says("maintenance at noon")
	admin.says("Ended · ended by an admin")
	admin.isAccessible("session ended")

	admin.mayComplain("404")
	admin.goTo(srv.origin() + "/admin/sessions/sess_none")
	admin.says("This session isn't here.")
	admin.isAccessible("no session")
}
