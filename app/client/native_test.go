package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"parley/app/client"
	"parley/shared/rest"
)

// native asks with net/http, for tests: a page must not carry it.
type native struct{ base string }

func (n native) request(ctx context.Context, r client.Request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, n.base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	return http.DefaultClient.Do(req)
}

func (n native) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	res, err := n.request(ctx, r)
	if err != nil {
		return client.Response{}, err
	}
	defer res.Body.Close()
	return whole(res)
}

func (n native) Open(ctx context.Context, r client.Request, open func(), chunk func([]byte)) (client.Response, error) {
	res, err := n.request(ctx, r)
	if err != nil {
		return client.Response{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return whole(res)
	}
	open()
	for {
		piece := make([]byte, 512) // small, so that events come in pieces
		n, err := res.Body.Read(piece)
		if n > 0 {
			chunk(piece[:n])
		}
		if err == io.EOF {
			return client.Response{Status: res.StatusCode}, nil
		}
		if err != nil {
			return client.Response{}, err
		}
	}
}

func whole(res *http.Response) (client.Response, error) {
	body, err := io.ReadAll(io.LimitReader(res.Body, client.MaxAnswer))
	header := map[string]string{}
	for k := range res.Header {
		header[k] = res.Header.Get(k)
	}
	return client.Response{Status: res.StatusCode, Header: header, Body: body}, err
}

// serve answers on a real socket and gives a client of it.
func serve(t *testing.T, pattern string, h http.HandlerFunc) *client.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, h)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return client.New(native{srv.URL}, native{srv.URL})
}

func writeJSON(t *testing.T, w http.ResponseWriter, v any) {
	t.Helper()
	if err := json.NewEncoder(w).Encode(v); err != nil {
		t.Errorf("answer: %v", err)
	}
}

func TestSignInCarriesTheTokenAsBearer(t *testing.T) {
	c := serve(t, "POST "+rest.PathAuthSession, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer a.b.c" {
			t.Errorf("Authorization %q", got)
		}
		if r.URL.RawQuery != "" {
			t.Errorf("query %q: a token never travels in a URL", r.URL.RawQuery)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.SignIn(t.Context(), "a.b.c"); err != nil {
		t.Error(err)
	}
}

func TestSignOut(t *testing.T) {
	called := false
	c := serve(t, "DELETE "+rest.PathAuthSession, func(w http.ResponseWriter, _ *http.Request) {
		called = true
		w.WriteHeader(http.StatusNoContent)
	})
	if next, err := c.SignOut(t.Context()); err != nil || !called || next != "" {
		t.Errorf("error %v, called %t, on to %q", err, called, next)
	}
	there := serve(t, "DELETE "+rest.PathAuthSession, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(t, w, rest.SignedOutHere{ProviderLogout: "https://id.example.org/end"})
	})
	if next, err := there.SignOut(t.Context()); err != nil || next != "https://id.example.org/end" {
		t.Errorf("error %v, on to %q", err, next)
	}
}

func TestMeAdmissionAndStats(t *testing.T) {
	me := serve(t, "GET "+rest.PathMe, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(t, w, rest.Me{Subject: "ann", Rights: rest.Rights{Admin: true}, Mode: "demo"})
	})
	if got, err := me.Me(t.Context()); err != nil || got.Subject != "ann" || !got.Rights.Admin {
		t.Errorf("Me = %+v, %v", got, err)
	}
	admission := serve(t, "GET "+rest.PathAdmission, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(t, w, rest.Admission{LinesFree: 58, Cap: 100})
	})
	if got, err := admission.Admission(t.Context()); err != nil || got.LinesFree != 58 {
		t.Errorf("Admission = %+v, %v", got, err)
	}
	stats := serve(t, "GET "+rest.PathStats, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(t, w, rest.Stats{Live: 42, Cap: 100})
	})
	if got, err := stats.Stats(t.Context()); err != nil || got.Live != 42 {
		t.Errorf("Stats = %+v, %v", got, err)
	}
}

func TestActiveReadsAllPages(t *testing.T) {
	c := serve(t, "GET "+rest.PathActive, func(w http.ResponseWriter, r *http.Request) {
		page := rest.Page[rest.Session]{Items: []rest.Session{{ID: "a"}}, NextCursor: "x&y"}
		if r.URL.Query().Get("cursor") == "x&y" {
			page = rest.Page[rest.Session]{Items: []rest.Session{{ID: "b"}}}
		}
		writeJSON(t, w, page)
	})
	got, err := c.Active(t.Context())
	if err != nil || len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" {
		t.Errorf("Active = %+v, %v", got, err)
	}
}

func TestActiveStopsAtAListWithoutEnd(t *testing.T) {
	asked := 0
	c := serve(t, "GET "+rest.PathActive, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		writeJSON(t, w, rest.Page[rest.Session]{NextCursor: "again"})
	})
	if _, err := c.Active(t.Context()); err == nil || asked != 40 {
		t.Errorf("error %v after %d pages, want one after 40", err, asked)
	}
}

func TestEndSessionSaysWhy(t *testing.T) {
	c := serve(t, "POST /api/v1/monitoring/sessions/{id}/end", func(w http.ResponseWriter, r *http.Request) {
		var body rest.EndRequest
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if r.PathValue("id") != "a/b c" || body.Reason != "maintenance" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("asked to end %q because of %q as %q", r.PathValue("id"), body.Reason, r.Header.Get("Content-Type"))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.EndSession(t.Context(), "a/b c", "maintenance"); err != nil {
		t.Error(err)
	}
}

func TestConnectionAsksForASpan(t *testing.T) {
	from := time.Date(2026, 10, 22, 14, 2, 11, 0, time.UTC)
	cases := map[string]struct {
		span client.Span
		want string
	}{
		"all":  {client.Span{}, ""},
		"part": {client.Span{From: from, To: from.Add(time.Minute), Step: 10 * time.Second}, "from=2026-10-22T14%3A02%3A11Z&step_s=10&to=2026-10-22T14%3A03%3A11Z"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := serve(t, "GET /api/v1/monitoring/connection/{id}", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != tc.want {
					t.Errorf("query %q, want %q", r.URL.RawQuery, tc.want)
				}
				writeJSON(t, w, rest.Connection{SessionID: r.PathValue("id")})
			})
			if got, err := c.Connection(t.Context(), "s1", tc.span); err != nil || got.SessionID != "s1" {
				t.Errorf("Connection = %+v, %v", got, err)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	cases := map[string]struct {
		kind, body string
		header     map[string]string
		status     int
		want       rest.Problem
	}{
		"the server's own": {
			kind: "application/problem+json", status: 503,
			body: `{"code":"cap_reached","title":"All lines are busy","request_id":"req_1","retry_after_s":15}`,
			want: rest.Problem{Code: rest.CodeCapReached, Status: 503, RequestID: "req_1", RetryAfterS: 15},
		},
		"a proxy's page": {
			kind: "text/html", status: 502, body: "<h1>Bad gateway</h1>",
			want: rest.Problem{Code: rest.CodeServerError, Status: 502},
		},
		"headers fill in": {
			kind: "text/plain", status: 429, header: map[string]string{"Retry-After": "12", "X-Request-Id": "req_2"},
			want: rest.Problem{Code: rest.CodeRateLimited, Status: 429, RequestID: "req_2", RetryAfterS: 12},
		},
		"a wait can't be negative": {
			kind: "text/plain", status: 429, header: map[string]string{"Retry-After": "-5"},
			want: rest.Problem{Code: rest.CodeRateLimited, Status: 429},
		},
		"signed out": {kind: "text/plain", status: 401, want: rest.Problem{Code: rest.CodeUnauthorized, Status: 401}},
		"no right":   {kind: "text/plain", status: 403, want: rest.Problem{Code: rest.CodeForbidden, Status: 403}},
		"gone":       {kind: "text/plain", status: 404, want: rest.Problem{Code: rest.CodeNotFound, Status: 404}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := serve(t, "GET "+rest.PathMe, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.kind)
				for k, v := range tc.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			_, err := c.Me(t.Context())
			var p *rest.Problem
			if !errors.As(err, &p) {
				t.Fatalf("error %v, want a problem", err)
			}
			got := rest.Problem{Code: p.Code, Status: p.Status, RequestID: p.RequestID, RetryAfterS: p.RetryAfterS}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("problem %+v, want %+v", got, tc.want)
			}
			if errors.Is(err, client.ErrNetwork) {
				t.Error("an answer passes for none")
			}
		})
	}
}

func TestNoAnswerIsNoProblem(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	c := client.New(native{srv.URL}, nil)
	_, err := c.Me(t.Context())
	var p *rest.Problem
	if !errors.Is(err, client.ErrNetwork) || errors.As(err, &p) {
		t.Errorf("error %v, want ErrNetwork", err)
	}
	gone, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the page was left")
	cancel(why)
	if _, err := c.Me(gone); !errors.Is(err, why) || errors.Is(err, client.ErrNetwork) {
		t.Errorf("error %v, want the context's cause", err)
	}
}

func TestWatchOverARealSocket(t *testing.T) {
	asked := make(chan string, 2)
	c := serve(t, "GET "+rest.PathStream, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Last-Event-ID") + " as " + r.Header.Get("Accept")
		w.Header().Set("Content-Type", "text/event-stream")
		flush := http.NewResponseController(w).Flush
		if r.Header.Get("Last-Event-ID") == "" {
			io.WriteString(w, snapshot(7, "a")+upsert(8, "b"))
			flush()
			io.WriteString(w, "event: renew\ndata: {}\n\n")
			return
		}
		io.WriteString(w, upsert(9, "c"))
		flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	heard := &said{}
	w := c.Watch(func(f []client.Frame) {
		heard.on(f)
		if s, ok := f[len(f)-1].(client.Sessions); ok && s.Seq == 9 {
			cancel()
		}
	})
	if err := w.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	want := []string{"connecting", "live", "snapshot 7 of 1 polled=false", "sessions 8", "live renewed", "sessions 9"}
	if got := heard.all(); !slices.Equal(got, want) {
		t.Errorf("told\n%q, want\n%q", got, want)
	}
	if got := <-asked + ", " + <-asked; got != " as text/event-stream, c8 as text/event-stream" {
		t.Errorf("asked %q", got)
	}
}
