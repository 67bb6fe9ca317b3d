package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

type ctx = context.Context

// fullLine has every field.
func fullLine() rest.LogEntry {
	return rest.LogEntry{
		T: noon.Add(1500 * time.Microsecond).Truncate(time.Millisecond), Kind: rest.LogSocket, Method: "POST", Path: "/api/v1/monitoring/timeout",
		Route: "POST /x", Status: 422, DurationMS: 12.345, User: "a•••@example.org", UserKey: "0123456789abcdef0123456789abcdef", Org: "acme",
		Remote: "192.0.2.0", Session: "s_1", RequestID: "r_1", Node: "n1", Bytes: 1 << 40, UserAgent: "Mozilla/5.0 ünï", Code: "out_of_range",
	}
}

func TestALineComesBackAsItWas(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for name, line := range map[string]rest.LogEntry{
			"every field": fullLine(),
			"bare":        {T: noon, Kind: rest.LogAPI, Method: "GET", Path: "/"},
			"not ASCII":   {T: noon, Path: "/\x00\n\"'%_\\ü", User: "ü'"},
		} {
			t.Run(name, func(t *testing.T) {
				kept := r.logs(line)[0]
				got, _, err := r.Logs(t.Context(), rest.LogQuery{Limit: 1})
				if err != nil {
					t.Fatal(err)
				}
				line.ID = kept.ID
				if r.engine == "postgres" { // whose texts have no NUL
					line.Path = strings.ReplaceAll(line.Path, "\x00", "\uFFFD")
				}
				if kept.ID == 0 || len(got) != 1 || !reflect.DeepEqual(got[0], line) {
					t.Errorf("kept %+v\ngot  %+v", line, got)
				}
			})
		}
	})
}

// mixed are 2,000 lines over eight hours in which every filter finds some.
func mixed(from time.Time) []rest.LogEntry {
	lines := make([]rest.LogEntry, 2000)
	for i := range lines {
		l := &lines[i]
		l.T = from.Add(time.Duration(i) * 14400 * time.Millisecond)
		l.Kind, l.Method, l.Status = rest.LogAPI, "GET", 200
		l.User = fmt.Sprintf("user%d", i%17)
		l.UserKey = fmt.Sprintf("key%d", i%17)
		l.Path = fmt.Sprintf("/api/v1/sessions/s_%d", i%5)
		l.UserAgent = "Firefox"
		if i%17 == 3 || i%17 == 4 { // two persons, one mask
			l.User = "a•••@example.org"
		}
		switch {
		case i%19 == 0:
			l.Status, l.Method, l.Code = 404, "DELETE", "not_found"
		case i%23 == 0:
			l.Status, l.Kind, l.Session = 101, rest.LogSocket, fmt.Sprintf("s_%d", i%3)
		case i%101 == 0:
			l.Status, l.UserAgent = 503, "curl/8 100%_\\"
		case i%7 == 0:
			l.Status, l.User, l.UserKey, l.Kind = 304, "", "", rest.LogPage
		}
		if i%13 == 0 {
			l.Org = "acme"
		}
		l.DurationMS, l.Node = float64(i%5)*250, fmt.Sprintf("n%d", i%3)
	}
	return lines
}

func TestLogFilters(t *testing.T) {
	begin, end := noon.Add(2*time.Hour), noon.Add(3*time.Hour)
	contains := func(s string) func(rest.LogEntry) bool {
		return func(e rest.LogEntry) bool {
			return slices.ContainsFunc([]string{e.Path, e.User, e.UserAgent, e.Code}, func(f string) bool { return strings.Contains(f, s) })
		}
	}
	cases := map[string]struct {
		query rest.LogQuery
		fits  func(rest.LogEntry) bool
	}{
		"none":            {rest.LogQuery{}, func(rest.LogEntry) bool { return true }},
		"person":          {rest.LogQuery{UserKey: "key5"}, func(e rest.LogEntry) bool { return e.UserKey == "key5" }},
		"person as shown": {rest.LogQuery{User: "user5"}, func(e rest.LogEntry) bool { return e.User == "user5" }},
		"a mask of two":   {rest.LogQuery{User: "a•••@example.org"}, func(e rest.LogEntry) bool { return e.UserKey == "key3" || e.UserKey == "key4" }},
		"real or shown":   {rest.LogQuery{UserKey: "key3", User: "ada@example.org"}, func(e rest.LogEntry) bool { return e.UserKey == "key3" }},
		"nobody":          {rest.LogQuery{UserKey: "key99", User: "user99"}, func(rest.LogEntry) bool { return false }},
		"node":            {rest.LogQuery{Node: "n2"}, func(e rest.LogEntry) bool { return e.Node == "n2" }},
		"slow":            {rest.LogQuery{LeastMS: 750}, func(e rest.LogEntry) bool { return e.DurationMS >= 750 }},
		"session":         {rest.LogQuery{Session: "s_1"}, func(e rest.LogEntry) bool { return e.Session == "s_1" }},
		"path":            {rest.LogQuery{Path: "/api/v1/sessions/s_4"}, func(e rest.LogEntry) bool { return e.Path == "/api/v1/sessions/s_4" }},
		"path prefix":     {rest.LogQuery{Path: "/api/v1/sess*"}, func(e rest.LogEntry) bool { return true }},
		"no such prefix":  {rest.LogQuery{Path: "/api/v2*"}, func(e rest.LogEntry) bool { return false }},
		"prefix of all":   {rest.LogQuery{Path: "*"}, func(e rest.LogEntry) bool { return true }},
		"no wildcard":     {rest.LogQuery{Path: "/api/v1/sessions/s__"}, func(e rest.LogEntry) bool { return false }},
		"method":          {rest.LogQuery{Method: "DELETE"}, func(e rest.LogEntry) bool { return e.Method == "DELETE" }},
		"common method":   {rest.LogQuery{Method: "GET"}, func(e rest.LogEntry) bool { return e.Method == "GET" }},
		"status":          {rest.LogQuery{Status: "503"}, func(e rest.LogEntry) bool { return e.Status == 503 }},
		"common status":   {rest.LogQuery{Status: "200"}, func(e rest.LogEntry) bool { return e.Status == 200 }},
		"class":           {rest.LogQuery{Status: "4xx"}, func(e rest.LogEntry) bool { return e.Status/100 == 4 }},
		"common class":    {rest.LogQuery{Status: "2xx"}, func(e rest.LogEntry) bool { return e.Status/100 == 2 }},
		"kind":            {rest.LogQuery{Kind: rest.LogSocket}, func(e rest.LogEntry) bool { return e.Kind == rest.LogSocket }},
		"common kind":     {rest.LogQuery{Kind: rest.LogAPI}, func(e rest.LogEntry) bool { return e.Kind == rest.LogAPI }},
		"from":            {rest.LogQuery{From: begin}, func(e rest.LogEntry) bool { return !e.T.Before(begin) }},
		"to":              {rest.LogQuery{To: begin}, func(e rest.LogEntry) bool { return e.T.Before(begin) }},
		"from to":         {rest.LogQuery{From: begin, To: end}, func(e rest.LogEntry) bool { return !e.T.Before(begin) && e.T.Before(end) }},
		"q":               {rest.LogQuery{Q: "sessions/s_2"}, contains("sessions/s_2")},
		"q of any case":   {rest.LogQuery{Q: "FIREfox"}, contains("Firefox")},
		"q with marks":    {rest.LogQuery{Q: `100%_\`}, contains(`100%_\`)},
		"q of a code":     {rest.LogQuery{Q: "not_found"}, contains("not_found")},
		"q of nothing":    {rest.LogQuery{Q: "zzz"}, func(e rest.LogEntry) bool { return false }},
		"q in time":       {rest.LogQuery{Q: "user1", From: begin, To: end}, func(e rest.LogEntry) bool { return contains("user1")(e) && !e.T.Before(begin) && e.T.Before(end) }},
		"organization":    {rest.LogQuery{Org: "acme"}, func(e rest.LogEntry) bool { return e.Org == "acme" }},
		"another's": {rest.LogQuery{Org: "acme", Path: "/api/v1/sessions/s_4", UserKey: "key2"}, func(e rest.LogEntry) bool {
			return e.Org == "acme" && e.Path == "/api/v1/sessions/s_4" && e.UserKey == "key2"
		}},
		"three": {rest.LogQuery{UserKey: "key0", Path: "/api/v1/sessions/s_0", Status: "404"}, func(e rest.LogEntry) bool {
			return e.UserKey == "key0" && e.Path == "/api/v1/sessions/s_0" && e.Status == 404
		}},
		"all at once": {rest.LogQuery{UserKey: "key8", Session: "s_1", Path: "/api*", Method: "GET", Status: "1xx", Kind: rest.LogSocket, From: noon, To: noon.Add(9 * time.Hour), Q: "fire"},
			func(e rest.LogEntry) bool { return e.UserKey == "key8" && e.Session == "s_1" }},
	}
	onEach(t, func(t *testing.T, r *rig) {
		lines := mixed(noon)
		for i := 0; i < len(lines); i += 4 { // what comes in waits to be written
			r.set(lines[i+3].T.Add(time.Second))
			r.logs(lines[i : i+4]...)
		}
		r.restart()
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				var want []int64
				for _, l := range slices.Backward(lines) {
					if c.fits(l) {
						want = append(want, l.ID)
					}
				}
				c.query.Limit = 37
				var got []int64
				for _, e := range pages(t, 37, func(cursor string) ([]rest.LogEntry, string, error) {
					c.query.Cursor = cursor
					return r.Logs(t.Context(), c.query)
				}) {
					got = append(got, e.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d lines, want %d", len(got), len(want))
				}
			})
		}
	})
}

func TestLogQueriesThatCannotBeMeant(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		for name, c := range map[string]struct {
			query rest.LogQuery
			want  error // nil: its status can't be meant
		}{
			"cursor of letters":    {rest.LogQuery{Cursor: "not!"}, fault.BadCursor},
			"negative cursor":      {rest.LogQuery{Cursor: "-1"}, fault.BadCursor},
			"spelled otherwise":    {rest.LogQuery{Cursor: "00A"}, fault.BadCursor},
			"cursor beyond 63 bit": {rest.LogQuery{Cursor: strings.Repeat("z", 14)}, fault.BadCursor},
			"status of letters":    {rest.LogQuery{Status: "bad"}, nil},
			"status of two digits": {rest.LogQuery{Status: "40"}, nil},
			"status too large":     {rest.LogQuery{Status: "600"}, nil},
			"class too large":      {rest.LogQuery{Status: "6xx"}, nil},
			"class of nothing":     {rest.LogQuery{Status: "xx"}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				_, _, err := r.Logs(t.Context(), c.query)
				if field := (*fault.BadField)(nil); c.want == nil && (!errors.As(err, &field) || field.Field != "status") {
					t.Errorf("%v, want a bad status", err)
				}
				if c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		}
	})
}

// A reader who follows the newest end misses nothing and sees nothing twice,
// while lines come in and the clock is set back.
func TestIDsGrowWhateverTheClockDoes(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		last := int64(0)
		add := func(n int) {
			t.Helper()
			for _, e := range r.logs(make([]rest.LogEntry, n)...) {
				if e.ID <= last {
					t.Fatalf("id %d after %d", e.ID, last)
				}
				if node := e.ID >> 10 & 1023; node != 7 {
					t.Fatalf("node %d", node)
				}
				last = e.ID
			}
		}
		add(3000) // more than a millisecond has room for
		r.set(noon.Add(-time.Hour))
		add(10)
		r.restart()
		add(10)
		r.set(noon.Add(time.Hour))
		add(1)
		if at := time.UnixMilli(last >> 20).UTC(); !at.Equal(noon.Add(time.Hour)) {
			t.Errorf("the clock is followed again, but to %v", at)
		}
	})
}

func TestLinesComeInFromManySides(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		var writers sync.WaitGroup
		for w := range 8 {
			writers.Go(func() {
				for i := range 20 {
					lines := make([]rest.LogEntry, 1+(w*7+i)%70) // beside, at and above what one statement takes
					for j := range lines {
						lines[j].User = fmt.Sprintf("user%d", j%9)
					}
					r.logs(lines...)
					if _, _, err := r.Logs(t.Context(), rest.LogQuery{User: "user3"}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		want := 0
		for w := range 8 {
			for i := range 20 {
				want += 1 + (w*7+i)%70
			}
		}
		got := pages(t, 500, func(cursor string) ([]rest.LogEntry, string, error) {
			return r.Logs(t.Context(), rest.LogQuery{Limit: 500, Cursor: cursor})
		})
		if len(got) != want {
			t.Errorf("%d lines, want %d", len(got), want)
		}
		for _, e := range got {
			if e.User == "" {
				t.Fatalf("line %d lost its person", e.ID)
			}
		}
	})
}

func TestAGroupIsKeptWholeOrNotAtAll(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		late, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.AppendLogs(late, make([]rest.LogEntry, 100)); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
		if got, _, err := r.Logs(t.Context(), rest.LogQuery{}); err != nil || len(got) != 0 {
			t.Errorf("%d lines, %v", len(got), err)
		}
		// A person of a group that was not kept is nobody's number.
		r.logs(rest.LogEntry{User: "ada"})
		if got, _, err := r.Logs(t.Context(), rest.LogQuery{User: "ada"}); err != nil || len(got) != 1 {
			t.Errorf("%d lines, %v", len(got), err)
		}
	})
}

func TestPageSizes(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		r.logs(make([]rest.LogEntry, rest.MaxLimit+1)...)
		for name, c := range map[string]struct{ limit, want int }{
			"none":      {0, rest.DefaultLimit},
			"negative":  {-1, rest.DefaultLimit},
			"one":       {1, 1},
			"most":      {rest.MaxLimit, rest.MaxLimit},
			"too large": {rest.MaxLimit + 1, rest.MaxLimit},
		} {
			t.Run(name, func(t *testing.T) {
				got, next, err := r.Logs(t.Context(), rest.LogQuery{Limit: c.limit})
				if err != nil || len(got) != c.want || next == "" {
					t.Errorf("%d lines, next %q, %v", len(got), next, err)
				}
			})
		}
	})
}

// A search that takes long gives what it has and goes on where it was.
func TestALongSearchGoesOn(t *testing.T) {
	for name, perLine := range map[string]time.Duration{
		"many windows":          35 * time.Millisecond,
		"windows are cut short": 300 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) { onEach(t, func(t *testing.T, r *rig) { searchSlowly(t, r, perLine) }) })
	}
}

func searchSlowly(t *testing.T, r *rig, perLine time.Duration) {
	r.logs(rest.LogEntry{})
	const trial = 20_000
	took := time.Duration(math.MaxInt64)
	for range 5 { // the first ones wait for a connection and a plan, and any for other tests
		began := time.Now()
		_, _, err := r.SlowLogs(t.Context(), trial, "", 100)
		must(t, err)
		took = min(took, time.Since(began))
	}
	steps := int(trial * perLine.Seconds() / took.Seconds())
	total := int(3500 * time.Millisecond / perLine) // of those that fit: four searches or so
	for i := 1; i < 10*total; i++ {
		r.pass(time.Second)
		r.logs(rest.LogEntry{Bytes: int64(i)})
	}
	calls, slowest := 0, time.Duration(0)
	got := pages(t, 100, func(cursor string) ([]rest.LogEntry, string, error) {
		calls++
		began := time.Now()
		items, next, err := r.SlowLogs(t.Context(), steps, cursor, 100)
		slowest = max(slowest, time.Since(began))
		return items, next, err
	})
	t.Logf("%d calls, the slowest took %v", calls, slowest)
	if calls < 2 {
		t.Error("it never gave what it had")
	}
	if len(got) != total {
		t.Fatalf("%d lines, want %d", len(got), total)
	}
	for i, e := range got {
		if want := int64(10 * (total - 1 - i)); e.Bytes != want {
			t.Fatalf("line %d is %d, want %d", i, e.Bytes, want)
		}
	}
}

// TestALineIsKeptOnce: who can't know whether a commit came about brings the same
// lines, with their ids, again.
func TestALineIsKeptOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		lines := []rest.LogEntry{{T: noon, Path: "/a", ID: r.NewID()}, {T: noon, Path: "/b", ID: r.NewID()}}
		must(t, r.AppendLogs(t.Context(), lines[:1]))
		must(t, r.AppendLogs(t.Context(), lines))
		page, _, err := r.Logs(t.Context(), rest.LogQuery{})
		if err != nil || len(page) != 2 || page[0].ID != lines[1].ID || page[1].ID != lines[0].ID {
			t.Errorf("%+v, %v", page, err)
		}
	})
}
