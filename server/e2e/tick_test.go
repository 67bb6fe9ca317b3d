package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

const (
	// tickBudget is what a second of an admin's page with 100 live calls may cost its
	// main thread, by its own processor time, on a machine that has nothing else to do.
	tickBudget = 16 * time.Millisecond
	// tickCeiling is when this test fails: what the page may cost in CI, on a machine
	// without a GPU that runs other browsers beside it.
	tickCeiling = 250 * time.Millisecond
	tickSeconds = 12
)

// TestATickOfAHundredRows measures what the page of live sessions costs a second while
// all of a hundred rows change.
func TestATickOfAHundredRows(t *testing.T) {
	srv := startServer(t, nil, "--demo-data", "--demo-live=100")
	admin := startBrowser(t, microphone{}, nil).open(srv.adminLink, watchLoad)
	admin.press("Sessions")
	eventually(t, "a hundred rows", patience, func() (string, bool) {
		n := evaluate[int](admin, "document.querySelectorAll('tr[data-id]').length")
		return "", n >= 90
	})
	median := admin.tick("100 rows", tickBudget)
	if median > tickCeiling {
		t.Errorf("a tick costs %v, at most %v are allowed", median, tickCeiling)
	}
	if text := admin.text(); !strings.Contains(text, "Live") {
		t.Errorf("the page is not live: %s", text)
	}
	admin.tellsAges(srv)
	admin.areStill(adminPages(t, srv, admin)...)
}

// tellsAges checks that rows in sight, which go-app drew long ago, say how old their calls
// are now: in the text, in its code, and each in the row of its call.
func (s *screen) tellsAges(srv *server) {
	s.t.Helper()
	eventually(s.t, "ages as the interface has them", patience, func() (string, bool) {
		rows := evaluate[[]struct {
			ID, Code, Text string
		}](s, `[...document.querySelectorAll('tr[data-id]:not(.row-gone)')].slice(0, 8).map(tr => { const time = tr.cells[8].querySelector('time');
		  return { ID: tr.dataset.id, Code: time.dateTime, Text: time.textContent } })`)
		began := map[string]time.Time{}
		for _, one := range srv.active(s.t) {
			began[one.ID] = one.StartedAt
		}
		for _, row := range rows {
			told, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(row.Code, "PT")))
			off := time.Since(began[row.ID]) - told
			if err != nil || off.Abs() > 5*time.Second || !strings.HasSuffix(row.Text, fmt.Sprintf(":%02d", int(told.Seconds())%60)) {
				return fmt.Sprintf("%+v is off by %v", row, off), false
			}
		}
		return "no rows", len(rows) > 0
	})
}

// adminPages are the addresses of every page of an admin, as far as there is one to go to.
func adminPages(t *testing.T, srv *server, s *screen) []string {
	t.Helper()
	pages := evaluate[[]string](s, `[...new Set([...document.querySelectorAll('nav a[href^="/admin"]')].map(a => a.getAttribute('href')))]`)
	if len(pages) < 10 {
		t.Fatalf("the pages are %v", pages)
	}
	return append(pages, "/admin/alerts/rules", "/admin/sessions/"+srv.active(t)[0].ID)
}

// tick measures what a second of the page costs its main thread, by its own processor
// time: the median of some.
func (s *screen) tick(of string, budget time.Duration) time.Duration {
	s.t.Helper()
	_, err := chromedp.Call(s.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	if err != nil {
		s.t.Fatal(err)
	}
	var ticks []time.Duration
	before, next := s.busy(), time.NewTicker(time.Second)
	defer next.Stop()
	for range tickSeconds {
		<-next.C
		now := s.busy()
		ticks = append(ticks, now-before)
		before = now
	}
	slices.Sort(ticks)
	median := ticks[len(ticks)/2]
	s.t.Logf("a tick of %s costs %v of the main thread (median; %v to %v), the budget is %v", of, median, ticks[0], ticks[len(ticks)-1], budget)
	return median
}

// busy is how long the page's main thread has worked.
func (s *screen) busy() time.Duration {
	s.t.Helper()
	metrics, err := chromedp.Call(s.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second))
		}
	}
	s.t.Fatal("no TaskDuration")
	return 0
}
