package detail

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// server answers what the page asks, as a client of the real one does.
type server struct {
	record rest.SessionRecord
	err    error
	asked  []string
}

func (s *server) Session(context.Context, string) (rest.OwnSession, error) {
	return rest.OwnSession{SessionRecord: s.record, Usage: &rest.Usage{Responses: 3, Tokens: rest.Tokens{OutputAudio: 12_345}, CostMicros: 1_230_000, Currency: "EUR"}}, s.err
}

func (s *server) Connection(context.Context, string, client.Span) (rest.Connection, error) {
	return rest.Connection{
		Streams: []rest.StreamQuality{stream(rtcstats.LegCaller, quality.ToAgent, rtcstats.ByServer, 85, 80, -1, 40)},
		Turns: rest.SessionTurns{Latest: []rest.Turn{{Number: 7, Started: new(noon), SpokeMS: new(1000.0), AgentSpokeMS: new(2500.0), EndOfSpeech: at(1), WaitMS: 1200, SilenceWindowMS: 500, ModelMS: 700}},
			TurnSummary: rest.TurnSummary{FirstWord: rest.FirstWord{Turns: 1, P50MS: 1200, P95MS: 1200}}},
	}, nil
}

func (s *server) Activities(context.Context, rest.ActivityQuery) (rest.Page[rest.Activity], error) {
	return rest.Page[rest.Activity]{}, nil
}

func (s *server) Logs(context.Context, rest.LogQuery) (rest.Page[rest.LogEntry], error) {
	return rest.Page[rest.LogEntry]{Items: []rest.LogEntry{{T: at(9), Kind: rest.LogSocket, Status: 101, Method: "GET", Path: rest.PathSocket, RequestID: "req_1"}}}, nil
}

func (s *server) Settings(context.Context) (rest.Settings, error) {
	return rest.Settings{Settings: map[string]rest.Setting{rest.SettingLogRetention: {Value: 30.0}}}, nil
}

func (s *server) Watch(func([]client.Frame)) *client.Watch { panic("the session is over") }

func (s *server) EndSession(_ context.Context, id, reason string) error {
	s.asked = append(s.asked, "end "+id+" "+reason)
	return s.err
}

func (s *server) ExtendSession(_ context.Context, id string) error {
	s.asked = append(s.asked, "extend "+id)
	return s.err
}

func (s *server) RevealPerson(_ context.Context, id, reason string) (rest.Person, error) {
	s.asked = append(s.asked, "reveal "+id+" "+reason)
	return rest.Person{Subject: "ada@example.org", Remote: "192.0.2.7"}, s.err
}

func (s *server) RevokeSession(_ context.Context, id string, asked rest.RevokeRequest) (rest.Revoked, error) {
	s.asked = append(s.asked, "revoke "+id+" "+asked.Reason)
	return rest.Revoked{}, s.err
}

// mounted is a page as in a browser: elsewhere go-app mounts nothing.
type mounted struct{ *Page }

func (m mounted) OnPreRender(ctx app.Context) { m.OnMount(ctx) }

func open(t *testing.T, s *server) (*Page, app.TestEngine) {
	t.Helper()
	p := New("sess_7Q2M4XYZ", s, s)
	e := app.NewTestEngine()
	if err := e.Load(&mounted{p}); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	return p, e
}

func ended() *server {
	end := at(90)
	return &server{record: rest.SessionRecord{ID: "sess_7Q2M4XYZ", User: "+90•••••34", Agent: "parrot", Node: "b", Remote: "203.0.113.•",
		StartedAt: noon, EndedAt: &end, EndCause: "idle_timeout"}}
}

func TestEveryTabIsDrawn(t *testing.T) {
	for key, want := range map[string][]string{
		tabQuality: {`class="detail-quality"`, "sess_7Q2M…", "Ended · quiet too long", "+90•••••34", "12.3 k, 1.23 EUR", ">1:30<", "Your visit is recorded.", `role="tablist"`},
		tabTurns:   {"1\u202f200 ms", "Silence 500 ms, Model 700 ms", "First word, typical", "Started", ">7<", "1.0 s", "2.5 s"},
		tabEvents:  {"Call started", "Call ended: quiet too long"},
		tabNetwork: {"Caller's leg", "203.0.113.•", "not measured"},
		tabLogs:    {"req_1", "/admin/logs?session=sess_7Q2M4XYZ", `detail-count num"> 1<`},
		tabRaw:     {"jitter_ms", "Download JSON", "step_s=1"},
	} {
		p, e := open(t, ended())
		p.ctx.Dispatch(func(ctx app.Context) { p.toTab(key)(ctx, app.Event{}) })
		e.ConsumeAll()
		html := strings.ReplaceAll(app.HTMLString(p), "&#39;", "'")
		for _, w := range want {
			if !strings.Contains(html, w) {
				t.Errorf("%s lacks %q", key, w)
			}
		}
		if strings.Contains(html, "style=") {
			t.Errorf("%s has a style attribute", key)
		}
	}
}

// A live call has as many facts before its stream tells anything as after, so that
// none of them moves the next.
func TestFactsOfALiveCallKeepTheirPlaces(t *testing.T) {
	p := picture{record: rest.SessionRecord{StartedAt: noon, User: "ada", Agent: "parrot", Node: "b"}}
	before := p.facts()
	ends := at(1800)
	p.row = &rest.Session{AgentState: wire.AgentSpeaking, EndsAt: &ends}
	p.quality.Path = &rest.MediaPath{Protocol: "udp"}
	p.usage = &rest.Usage{Responses: 3, Currency: "EUR"}
	after := p.facts()
	for i, f := range after {
		if len(before) != len(after) || before[i].term != f.term {
			t.Fatalf("before %v, after %v", before, after)
		}
	}
	if after[2] != (fact{"Agent is", "speaking"}) || before[2].value != ui.Missing {
		t.Errorf("before %v, after %v", before[2], after[2])
	}
}

// Yesterday's call says so.
func TestAMomentOfAnotherDayNamesIt(t *testing.T) {
	for want, now := range map[string]time.Time{ui.Clock(noon): at(3600), "4 Mar, " + ui.Clock(noon): at(86_400 * 3)} {
		if got := ui.DayClock(noon, now); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestASessionThatIsNotThere(t *testing.T) {
	p, _ := open(t, &server{err: &rest.Problem{Status: 404, Code: rest.CodeNotFound}})
	if html := strings.ReplaceAll(app.HTMLString(p), "&#39;", "'"); !strings.Contains(html, "This session isn't here.") {
		t.Error(html)
	}
	if got := lostText(keptSince(rest.Settings{Settings: map[string]rest.Setting{rest.SettingLogRetention: {Value: 30.0}}}, noon)); got != "It may have ended before 2 Feb, when logs of that age were deleted." {
		t.Error(got)
	}
	if p.keptSince.IsZero() {
		t.Error("nobody asked how long sessions are kept")
	}
	skeleton := New("sess_7Q2M4XYZ", nil, nil)
	if html := app.HTMLString(skeleton); !strings.Contains(html, `class="skeleton`) || strings.Contains(html, "End call") {
		t.Error(html)
	}
}

// An act is done for a reason, and what goes wrong is said where it was asked for.
// Whoever was revealed is masked again by the end.
func TestActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ended()
		p, e := open(t, s)
		for _, a := range []*act{p.endAct(), p.revealAct(), p.revokeAct()} {
			p.acts.open = a
			p.perform(a, "because")
			e.ConsumeAll()
			if p.acts.open != nil || p.acts.problem != "" {
				t.Errorf("%s: %+v", a.title, p.acts)
			}
		}
		p.extendCall(p.ctx, app.Event{})
		e.ConsumeAll()
		if got := strings.Join(s.asked, "; "); got != "end sess_7Q2M4XYZ because; reveal sess_7Q2M4XYZ because; revoke sess_7Q2M4XYZ because; extend sess_7Q2M4XYZ" {
			t.Error(got)
		}
		if p.acts.person != nil {
			t.Error("still revealed")
		}
		s.err = &rest.Problem{Status: 429, RetryAfterS: 7}
		p.extendCall(p.ctx, app.Event{})
		e.ConsumeAll()
		if html := app.HTMLString(p); !strings.Contains(html, "Too many requests. Try again in 7 s.") {
			t.Error("an act without a dialog doesn't say what went wrong")
		}
		s.err = &rest.Problem{Status: 404}
		a := p.endAct()
		p.acts.open = a
		p.perform(a, "because")
		e.ConsumeAll()
		if p.acts.open != a || p.acts.problem != "This call is already over." {
			t.Errorf("%+v", p.acts)
		}
	})
}

// A revealed person stands on the page, and nowhere else.
func TestARevealedPersonIsShown(t *testing.T) {
	p, _ := open(t, ended())
	p.acts.reveal(rest.Person{Subject: "ada@example.org"}, time.Now())
	if html := app.HTMLString(p.personUI()); !strings.Contains(html, "ada@example.org") || !strings.Contains(html, "Mask again (60 s)") {
		t.Error(html)
	}
	p.hide()
	if html := app.HTMLString(p.personUI()); strings.Contains(html, "ada@example.org") {
		t.Error(html)
	}
}

// A person is masked again at the end of the minute, and not before.
func TestARevealEnds(t *testing.T) {
	var a acts
	a.reveal(rest.Person{Subject: "ada"}, noon)
	for after, want := range map[time.Duration]bool{0: true, revealedFor - 1: true, revealedFor: false, time.Hour: false} {
		if got := a.revealed(noon.Add(after)) != nil; got != want {
			t.Errorf("after %v revealed: %v", after, got)
		}
	}
}

func TestMoments(t *testing.T) {
	for text, want := range map[string]time.Time{"2026-03-04T12:00:07Z": at(7), "2026-03-04T13:00:07+01:00": at(7), "soon": {}, "": {}} {
		if got := moment(text); !got.Equal(want) {
			t.Errorf("%s is %v", text, got)
		}
	}
	if got := stamp(at(7)); url.QueryEscape(got) == "" || !moment(got).Equal(at(7)) {
		t.Errorf("%s can't be read back", got)
	}
}
