package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"parley/shared/rest"
)

// An adminPage is one of the control room's, by what it says.
type adminPage struct {
	name, path string
	what       string // it couldn't load
	shows      string // once it is loaded
	empty      string // where there is nothing; "" for a page that always has something
	noMatch    string // a query that nothing matches
	noMatches  string // what it says then
	isLive     bool   // it follows the stream
}

// controlRoom lists all pages below /admin. The session's path lacks its id.
func controlRoom() []adminPage {
	return []adminPage{
		{name: "overview", path: "/admin", what: "the overview", shows: "Calls by quality, stacked", empty: "No calls yet.", isLive: true},
		{name: "sessions", path: "/admin/sessions", what: "sessions", shows: "First word", empty: "No calls yet.",
			noMatch: "q=nothing-is-called-this", noMatches: "No sessions match these filters.", isLive: true},
		{name: "session", path: "/admin/sessions/", what: "this session", shows: "Your visit is recorded."},
		{name: "logs", path: "/admin/logs", what: "access logs", shows: "requests shown", empty: "No requests in this time.",
			noMatch: "q=nothing-is-called-this", noMatches: "No requests match these filters."},
		{name: "activity", path: "/admin/activity", what: "activity", shows: "(demo)", empty: "Nothing has happened yet.",
			noMatch: "q=nothing-is-called-this", noMatches: "No activities match these filters.", isLive: true},
		{name: "audit", path: "/admin/audit", what: "the audit log", shows: "Chain intact", empty: "No admin actions in this time.",
			noMatch: "actor=nobody", noMatches: "No entries match these filters."},
		{name: "ended", path: "/admin/sessions?tab=ended", what: "sessions", shows: "How it ended", empty: "No session ended in this time.",
			noMatch: "agent=nothing", noMatches: "No sessions match these filters."},
		{name: "alerts", path: "/admin/alerts", what: "alerts", shows: "Acknowledge", empty: "All clear."},
		{name: "rules", path: "/admin/alerts/rules", what: "alert rules", shows: "Add a webhook"},
		{name: "privacy", path: "/admin/privacy", what: "the privacy status", shows: "No audio is written to disk"},
		{name: "people", path: "/admin/people", what: "revocations", shows: "Revoke", empty: "Nobody's access is withdrawn."},
		{name: "agents", path: "/admin/agents", what: "agents", shows: "Check", empty: "No agent is set up."},
		{name: "nodes", path: "/admin/nodes", what: "nodes", shows: "This is the only node.", empty: "No server is listed."},
		{name: "usage", path: "/admin/usage", what: "usage", shows: "Day (UTC)", empty: "Nothing was used in this time.",
			noMatch: "agent=nothing", noMatches: "No usage records match these filters."},
		{name: "settings", path: "/admin/settings", what: "settings", shows: "Calls at the same time"},
	}
}

// An adminState is one that every page can be in, or those for which says has words.
type adminState struct {
	name   string
	answer []otherwise // what the pages hear instead of the server
	query  func(adminPage) string
	says   func(adminPage) []string
	before func(*server) // what brings it about on the server
	after  func(*screen) // and once the page is loaded
	undo   func(*screen)
}

const fromMonitoring = "^/api/v1/monitoring/"

func refusal(status int, code rest.ProblemCode, wait int) []otherwise {
	return []otherwise{{Path: fromMonitoring, Status: status, Body: rest.Problem{Status: status, Code: code, RequestID: "req_8F3K", RetryAfterS: wait}}}
}

func always(words ...string) func(adminPage) []string {
	return func(adminPage) []string { return words }
}

// nothingYet is what a server answers to which nothing has happened.
func nothingYet() []otherwise {
	snapshot := fmt.Sprintf("id: 1\nevent: snapshot\ndata: {\"seq\":1,\"t\":%q,\"sessions\":[],\"stats\":{},\"activities\":[]}\n\n", "2026-11-26T08:00:00Z")
	return []otherwise{
		{Path: rest.PathStream + "$", Stream: snapshot},
		{Path: rest.PathHistory + "$", Status: 200, Body: rest.History{}},
		{Path: rest.PathAudit + "$", Status: 200, Body: rest.AuditPage{Items: []rest.AuditEntry{}, Chain: rest.Chain{Intact: true}}},
		{Path: "/(logs|sessions|alerts|revocations|agents|nodes|usage|activities)$", Status: 200, Body: map[string]any{"items": []any{}}},
	}
}

func adminStates() []adminState {
	return []adminState{
		{name: "loaded", says: func(p adminPage) []string { return []string{p.shows} }},
		{name: "loading", answer: []otherwise{{Path: fromMonitoring, Hangs: true}}, says: always("Still loading. The server is slow to answer."),
			after: func(s *screen) {
				eventually(s.t, "what moves has come to its end", patience, func() (string, bool) {
					evaluate[any](s, "document.getAnimations().forEach(a => { try { a.finish(); } catch {} }); 0") // one that goes on for ever has no end
					text := s.text()
					return text, strings.Contains(text, "Still loading.")
				})
			}},
		{name: "empty", answer: nothingYet(), says: func(p adminPage) []string { return given(p.empty) }},
		{name: "no match", query: func(p adminPage) string { return p.noMatch },
			says: func(p adminPage) []string { return given(p.noMatches, "Clear filters") }},
		{name: "error", answer: refusal(500, rest.CodeServerError, 0), says: func(p adminPage) []string {
			return []string{"We couldn't load " + p.what + ".", "This is on our side.", "req_8F3K", "Try again"}
		}},
		{name: "server down", answer: []otherwise{{Path: fromMonitoring, Fails: true}}, says: always("We can't reach the server.", "Trying again")},
		{name: "no network", answer: []otherwise{{Path: fromMonitoring, Fails: true}}, says: always("You're offline."),
			after: func(s *screen) { s.hasNetwork(false) }, undo: func(s *screen) { s.hasNetwork(true) }},
		{name: "network lost", says: func(p adminPage) []string { return []string{p.shows, "You're offline. Showing data from"} },
			after: func(s *screen) { s.hasNetwork(false) }, undo: func(s *screen) { s.hasNetwork(true) }},
		{name: "too many requests", answer: refusal(429, rest.CodeRateLimited, 60), says: always("Too many requests.", "Trying again in")},
		{name: "stream limit", answer: []otherwise{{Path: rest.PathStream + "$", Status: 429, Body: rest.Problem{Status: 429, Code: rest.CodeRateLimited, RetryAfterS: 60}}},
			says: func(p adminPage) []string {
				if !p.isLive || p.name == "activity" { // which has no other source
					return nil
				}
				return []string{"Live updates were opened too often. They resume in", "the data below is refreshed each 10 s until then.", p.shows}
			}},
		{name: "not an admin", answer: refusal(403, rest.CodeForbidden, 0), says: always("Admins only", "Your account can't open this page.", "Back to call")},
		{name: "foreign address", answer: refusal(403, rest.CodeNetwork, 0), says: always("This page isn't available from your network", "Your address isn't on this server's admin list.")},
		{name: "signed out", answer: refusal(401, rest.CodeUnauthorized, 0), says: always("Your sign-in expired", "Sign in")},
		{name: "stream hour", answer: []otherwise{{Path: rest.PathStream + "$", Stream: "event: " + string(rest.EventRenew) + "\ndata: {}\n\n", Ends: true}},
			says: func(p adminPage) []string {
				if !p.isLive {
					return nil
				}
				return []string{p.shows, "Live"}
			},
			after: func(s *screen) {
				eventually(s.t, "the stream's hour", patience, func() (string, bool) { return "", evaluate[bool](s, "parleySays.rules[0].told > 0") })
				s.hearsInstead()
				eventually(s.t, "a word of the stream that goes on", patience, func() (string, bool) {
					said := evaluate[[]string](s, "parleySays.said")
					return fmt.Sprint(said), slices.Contains(said, "Live connection renewed.")
				})
			}},
		// The last: it stops what the pages live of.
		{name: "monitoring off", before: func(srv *server) { srv.switchMonitoring(false) }, says: func(p adminPage) []string {
			words := []string{"Monitoring is off. Live data and logs stopped at", "Turn on"}
			if p.isLive {
				words = append(words, "Monitoring off")
			}
			return words
		}},
	}
}

// switchMonitoring as an admin does without a page.
func (s *server) switchMonitoring(on bool) {
	s.t.Helper()
	if status := s.send(http.MethodPatch, rest.PathSettings, fmt.Sprintf(`{"monitoring":%v}`, on), token(s.adminLink)); status != http.StatusOK {
		s.t.Fatalf("monitoring %v: %d", on, status)
	}
}

// given are the words, or none if the first is none.
func given(words ...string) []string {
	if words[0] == "" {
		return nil
	}
	return words
}

// allPictures has the pictures of every page in every state taken, in all shapes, which
// takes some minutes: PARLEY_PICTURES=1.
func allPictures() bool { return os.Getenv("PARLEY_PICTURES") != "" }

// shapes are the windows and colours of each picture.
var shapes = []struct {
	window size
	scheme string
}{{desktop, "light"}, {desktop, "dark"}, {phone, "light"}, {phone, "dark"}}

// looks keeps a page as pictures, and has axe look at the wide one in the light and at
// the narrow one in the dark.
func (s *screen) looks(name string) {
	s.t.Helper()
	for _, shape := range shapes {
		s.resize(shape.window)
		s.wear(shape.scheme)
		at := fmt.Sprintf("%s-%d-%s", name, shape.window.width, shape.scheme)
		if err := s.keepIn("admin-states", at); err != nil {
			s.t.Error(err)
		}
		if (shape.window == phone) == (shape.scheme == "dark") {
			s.checkAxe(at, everyRule)
		}
	}
	s.wear("light")
}

// restrained is what a page says of itself to who has forced colours and reduced motion.
// Rows out of sight have no innerText.
const restrained = `(() => {
  const all = q => [...document.querySelectorAll(q)], style = (e, of) => getComputedStyle(e)[of];
  return [
    matchMedia('(forced-colors: active) and (prefers-reduced-motion: reduce)').matches || 'the browser forces no colours',
    all('.badge').length > 5 || 'there are no badges',
    all('.badge').every(e => e.textContent.trim()) || 'a level has no word',
    all('.bars .bar').every(e => style(e, 'strokeWidth') === '1px' && style(e, 'stroke') !== 'none') || 'bars have no border',
    all('.chip').every(e => style(e, 'borderTopStyle') === 'solid') || 'a chip has no border',
    document.getAnimations().every(a => a.playState !== 'running' || !(a.effect.getComputedTiming().duration > 0)) || 'something moves',
  ].filter(e => e !== true).join(', ');
})()`

// goesWithoutColourAndMotion checks that the page of sessions can be read in the system's
// own colours, and stands still where that is asked for.
func (s *screen) goesWithoutColourAndMotion() {
	s.t.Helper()
	s.hearsInstead()
	s.follow("/admin/sessions")
	if _, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"}, {Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "badges with words and borders, and no motion", patience, func() (string, bool) {
		wrong := evaluate[string](s, restrained+" || 'nothing'")
		return wrong, wrong == "nothing"
	})
	s.wear("light")
}

// fits checks that a page needs no sideways scrolling on a phone, and on the narrowest.
func (s *screen) fits(name string) {
	s.t.Helper()
	for _, window := range []size{phone, narrow} {
		s.resize(window)
		s.fitsAcross(name)
	}
	s.resize(desktop)
}

// pagesOfAState are those that it is seen on where not all are asked for.
const pagesOfAState = 1

// TestEveryAdminPageInEveryState: what it says, and with PARLEY_PICTURES that it fits,
// that axe has nothing to say, and how it looks. Else each state is seen on one page, and
// each page in one state: the pages have them from the same rooms.
func TestEveryAdminPageInEveryState(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--demo-data")
	s := startBrowser(t, microphone{}, nil, withMotion).open(srv.adminLink, answersOtherwise)
	s.says("Calls by quality, stacked")
	s.mayComplain("429") // who looks at all pages in all states opens more than ten streams a minute
	pages := controlRoom()
	for i := range pages {
		if pages[i].name == "session" {
			pages[i].path += srv.active(t)[0].ID
		}
	}
	s.follow("/admin/settings") // the last of the pages: each is come to from another
	for i, state := range adminStates() {
		seen := 0
		if state.before != nil {
			state.before(srv)
		}
		for j := range pages {
			if !allPictures() {
				j = (2*i + 4*j) % len(pages)
			}
			p := pages[j]
			says := state.says(p)
			if says == nil || seen == pagesOfAState && !allPictures() {
				continue
			}
			seen++
			t.Run(p.name+" "+state.name, func(t *testing.T) {
				s.t = t
				s.isIn(state, p, says)
			})
		}
	}
	s.t = t
	s.press("Turn on")
	s.saysNot("Monitoring is off.")
	s.saysNot("Monitoring off")
	s.goesWithoutColourAndMotion()
	srv.exportsAreMasked(t)
}

// isIn brings a page into a state, and looks at it.
func (s *screen) isIn(state adminState, p adminPage, says []string) {
	s.t.Helper()
	address := p.path
	if strings.HasSuffix(before(s.address(), "?"), "/admin/sessions") { // two of the pages are one's tabs
		s.hearsInstead()
		s.follow("/admin/settings")
	}
	if state.undo != nil {
		defer state.undo(s)
	}
	s.hearsInstead(state.answer...)
	if state.query != nil {
		address += map[bool]string{true: "&", false: "?"}[strings.Contains(address, "?")] + state.query(p)
	}
	s.follow(address)
	if state.after != nil {
		if state.answer == nil {
			s.says(p.shows)
			eventually(s.t, "all of it is loaded", patience, func() (string, bool) {
				return "", evaluate[bool](s, "document.querySelector('.page') && !document.querySelector('[aria-busy=true]')")
			})
		}
		state.after(s)
	}
	for _, words := range says {
		s.says(words)
	}
	if state.answer == nil { // it is what the server gave
		s.isMasked(p.name + " " + state.name)
	}
	if allPictures() {
		s.looks(p.name + "-" + state.name)
		s.fits(p.name + " " + state.name)
	}
}
