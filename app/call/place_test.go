package call_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// tab is the storage of a tab, and what it kept over time.
type tab struct {
	mu   sync.Mutex
	kept map[string]string
}

func (s *tab) Load(key string) string { s.mu.Lock(); defer s.mu.Unlock(); return s.kept[key] }

func (s *tab) Save(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[string]string{}
	}
	if value == "" {
		delete(s.kept, key)
		return
	}
	s.kept[key] = value
}

// place is what is kept of the call; the zero one for none.
func (s *tab) place(t *testing.T) (p struct {
	SessionID   string    `json:"session_id"`
	ResumeToken string    `json:"resume_token"`
	Ends        time.Time `json:"ends"`
	StartedAt   time.Time `json:"started_at"`
	IsMuted     bool      `json:"is_muted"`
}) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.kept {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return p
}

// copyOf is the storage as a reload leaves it.
func (s *tab) copyOf() *tab {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &tab{kept: maps.Clone(s.kept)}
}

// inTab runs a test in a bubble, with an engine in a tab.
func inTab(t *testing.T, p *phone, s *tab, f func(t *testing.T, e *call.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := call.NewEngine(call.Config{Peer: p, Storage: s})
		defer e.Close()
		f(t, e)
	})
}

// inTabWith runs a test in a bubble, with an engine in a tab of a browser with settings.
func inTabWith(t *testing.T, p *phone, s, settings *tab, f func(e *call.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := call.NewEngine(call.Config{Peer: p, Storage: s, Settings: settings})
		defer e.Close()
		f(e)
		synctest.Wait()
	})
}

func accepted(token string) peer.CallAccepted {
	return peer.CallAccepted{Hello: wire.Hello{SessionID: "sess_1", ResumeToken: token, Limits: wire.Limits{ReconnectGraceS: 30}}}
}

func TestAPlaceIsKeptForAReload(t *testing.T) {
	p, s := &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}}}, &tab{}
	inTab(t, p, s, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		began := e.Picture().Talk.StartedAt
		if got := s.place(t); got.SessionID != "sess_1" || got.ResumeToken != "one" || got.IsMuted {
			t.Fatalf("kept %+v", got)
		}
		tell := func(ev peer.Event) { p.line(t, 1).tell <- ev; synctest.Wait() }

		tell(peer.SessionResumed{Hello: wire.Hello{SessionID: "sess_1", ResumeToken: "two", Limits: wire.Limits{ReconnectGraceS: 30}}})
		e.Mute(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		got := s.place(t)
		if got.ResumeToken != "two" || !got.IsMuted || !got.StartedAt.Equal(began) {
			t.Errorf("kept %+v of a call that began at %v", got, began)
		}
		if left := time.Until(got.Ends); left < 29*time.Second || left > 30*time.Second {
			t.Errorf("the place is kept for %v, want the grace from now on", left)
		}

		until := time.Now().Add(20 * time.Second)
		tell(peer.ConnectionDropped{Until: until})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := s.place(t).Ends; !got.Equal(until) {
			t.Errorf("a dropped call's place is kept until %v, want %v", got, until)
		}
	})
}

// A place that is left behind by an end would open nothing, and tell the next
// user of the tab of a call.
func TestAPlaceIsRemovedAtEveryEnd(t *testing.T) {
	ended := func(end peer.CallEnded) func(*testing.T, *phone, *call.Engine) {
		return func(t *testing.T, p *phone, _ *call.Engine) { p.line(t, 1).tell <- end }
	}
	for name, finish := range map[string]func(*testing.T, *phone, *call.Engine){
		"by the caller":   func(_ *testing.T, _ *phone, e *call.Engine) { e.Hangup() },
		"by an admin":     ended(peer.CallEnded{Ended: wire.Ended{Cause: wire.AdminEnded}}),
		"by a lost line":  ended(peer.CallEnded{Ended: wire.Ended{Cause: wire.ConnectionLost}, Failure: peer.Lost}),
		"by another page": ended(peer.CallEnded{Ended: wire.Ended{Cause: wire.Replaced}}),
		"by a sign-out":   ended(peer.CallEnded{Ended: wire.Ended{Cause: wire.Revoked}}),
		"by its refusal":  ended(peer.CallEnded{Err: &rest.Problem{Code: rest.CodeCapReached}}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, setup := range [][]peer.Event{{accepted("one")}, {accepted("one"), peer.CallConnected{}}} {
				p, s := &phone{events: setup}, &tab{}
				inTab(t, p, s, func(t *testing.T, e *call.Engine) {
					e.Start()
					synctest.Wait()
					if len(s.kept) != 1 {
						t.Fatalf("kept %v", s.kept)
					}
					finish(t, p, e)
					synctest.Wait()
					if len(s.kept) != 0 {
						t.Errorf("kept %v", s.kept)
					}
				})
			}
		})
	}
}

func TestAReloadGoesOnWithTheCall(t *testing.T) {
	p, s := &phone{events: []peer.Event{accepted("one"), peer.CallConnected{}}}, &tab{}
	inTab(t, p, s, func(t *testing.T, e *call.Engine) {
		e.Start()
		synctest.Wait()
		e.Mute(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		kept := s.place(t)

		page := &phone{events: []peer.Event{accepted("two"), peer.CallConnected{}}}
		again := call.NewEngine(call.Config{Peer: page, Storage: s.copyOf()})
		defer again.Close()
		again.Resume()
		again.Resume() // the next page of the app
		synctest.Wait()
		l := page.line(t, 1)
		if r := l.dial.Resume; r == nil || r.SessionID != "sess_1" || r.ResumeToken != "one" || !r.Ends.Equal(kept.Ends) {
			t.Errorf("resumed %+v", r)
		}
		if !l.dial.Muted || l.dial.TakesOver {
			t.Errorf("dialled %+v: a muted caller stays muted", l.dial)
		}
		got := again.Picture()
		if got.Phase != call.Live || got.Talk.IsDropped() || !got.Talk.Muted || !got.Talk.StartedAt.Equal(kept.StartedAt) {
			t.Errorf("got %+v: the clock goes on", got.Talk)
		}
	})
}

func TestNothingIsResumedThatIsOver(t *testing.T) {
	past := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC).Format(time.RFC3339) // a bubble begins with 2000
	for name, text := range map[string]string{
		"nothing":           "",
		"a place of before": `{"session_id":"sess_1","resume_token":"one","ends":"` + past + `"}`,
		"no token":          `{"session_id":"sess_1","ends":"2100-01-01T00:00:00Z"}`,
		"no JSON":           `{"session_id"`,
	} {
		t.Run(name, func(t *testing.T) {
			p, s := &phone{}, &tab{}
			s.Save("parley.place", text)
			inTab(t, p, s, func(t *testing.T, e *call.Engine) {
				e.Resume()
				synctest.Wait()
				p.line0(t)
				if e.Picture().Phase != call.Ready || len(s.kept) != 0 {
					t.Errorf("phase %d, kept %v", e.Picture().Phase, s.kept)
				}
			})
		})
	}
}

// A place that the server doesn't know any more is told as a lost call.
func TestAReloadThatComesTooLate(t *testing.T) {
	s := &tab{}
	s.Save("parley.place", `{"session_id":"sess_1","resume_token":"one","ends":"2000-01-01T00:00:20Z","started_at":"1999-12-31T23:59:00Z"}`)
	lost := peer.CallEnded{Ended: wire.Ended{Cause: wire.ConnectionLost}, Failure: peer.Lost}
	inTab(t, &phone{events: []peer.Event{lost}}, s, func(t *testing.T, e *call.Engine) {
		e.Resume()
		synctest.Wait()
		if got := e.Picture(); got.Phase != call.Over || got.End.Failure != peer.Lost || len(s.kept) != 0 {
			t.Errorf("got %+v, kept %v", got, s.kept)
		}
	})
}

// elsewhere answers as a server where the caller's place is taken.
type elsewhere struct{ since time.Time }

func (s elsewhere) Fetch(_ context.Context, r client.Request) (client.Response, error) {
	if strings.HasPrefix(r.Path, rest.PathOwnSessions) {
		ended := s.since
		body, err := json.Marshal(rest.Page[rest.SessionRecord]{Items: []rest.SessionRecord{
			{ID: "live", StartedAt: s.since}, {ID: "over", StartedAt: s.since.Add(-time.Hour), EndedAt: &ended},
		}})
		return client.Response{Status: 200, Body: body}, err
	}
	body, err := json.Marshal(rest.Problem{Status: 503, Code: rest.CodeUserCap})
	return client.Response{Status: 503, Header: map[string]string{"Content-Type": "application/problem+json"}, Body: body}, err
}

func pageOf(e *call.Engine) string {
	return app.HTMLString(call.PageOf(e.Picture(), false, false, false))
}

func TestAPlaceHeldElsewhereIsMovedHere(t *testing.T) {
	taken := peer.CallEnded{Err: &rest.Problem{Code: rest.CodeUserCap}}
	since := time.Date(1999, 12, 31, 14, 2, 0, 0, time.Local)
	p := &phone{events: []peer.Event{taken}}
	synctest.Test(t, func(t *testing.T) {
		e := call.NewEngine(call.Config{Peer: p, Fetcher: elsewhere{since}})
		defer e.Close()
		e.RefreshAdmission()
		synctest.Wait()
		if html := pageOf(e); !strings.Contains(html, "In another tab or device, since 14:02.") || !strings.Contains(html, "Move it here") {
			t.Errorf("the page shows %s", html)
		}
		e.DismissRefusal()
		if html := pageOf(e); strings.Contains(html, "Move it here") {
			t.Errorf("canceled, the page shows %s", html)
		}
		e.Start()
		synctest.Wait()
		if p.line(t, 1).dial.TakesOver {
			t.Error("taken over unasked")
		}
		if html := pageOf(e); !strings.Contains(html, "since 14:02") || !strings.Contains(html, "Move it here") {
			t.Errorf("refused, the page shows %s", html)
		}
		p.events = answered
		e.TakeOver()
		synctest.Wait()
		if got := p.line(t, 2).dial; !got.TakesOver || got.Resume != nil {
			t.Errorf("dialled %+v", got)
		}
		if got := e.Picture(); got.Phase != call.Live || got.Refusal != nil {
			t.Errorf("got %+v", got)
		}
	})
}

// requests notes what is asked of the server, which answers that it is done.
type requests struct {
	mu   sync.Mutex
	made []string
}

func (r *requests) Fetch(_ context.Context, req client.Request) (client.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, req.Method+" "+req.Path)
	return client.Response{Status: 204}, nil
}

// Who cancels while the browser asks for the microphone ends the call that the
// page was to go on with; who leaves the page doesn't.
func TestAResumeThatIsCancelledEndsTheCall(t *testing.T) {
	for name, test := range map[string]struct {
		finish func(*call.Engine)
		want   string
	}{
		"cancelled": {(*call.Engine).Hangup, "POST /api/v1/sessions/sess_1/end"},
		"left":      {(*call.Engine).Close, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, server := &tab{}, &requests{}
				s.Save("parley.place", `{"session_id":"sess_1","resume_token":"one","ends":"2100-01-01T00:00:00Z"}`)
				e := call.NewEngine(call.Config{Peer: &phone{micFor: time.Hour}, Storage: s, Fetcher: server})
				defer e.Close()
				e.Resume()
				synctest.Wait()
				test.finish(e)
				synctest.Wait()
				server.mu.Lock()
				defer server.mu.Unlock()
				if got := strings.Join(server.made, ", "); got != test.want {
					t.Errorf("asked the server for %q, want %q", got, test.want)
				}
			})
		})
	}
}
