package client

import (
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// The path's writer is tested from inside: what the methods ask for is in the paths'
// own tests.

// readQuery fills a query from an address as a server does: by the tags' names.
func readQuery(t *testing.T, path string, into any) {
	t.Helper()
	_, raw, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("query")
		if f.Name == "Cursor" || f.Name == "Limit" {
			name = strings.ToLower(f.Name)
		}
		text := values.Get(name)
		values.Del(name)
		if name == "" || text == "" {
			continue
		}
		switch {
		case f.Type == reflect.TypeFor[time.Time]():
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			v.Field(i).Set(reflect.ValueOf(at))
		case f.Type.Kind() == reflect.Int:
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			v.Field(i).SetInt(int64(n))
		default:
			v.Field(i).SetString(text)
		}
	}
	for name := range values {
		t.Errorf("%s is no parameter of %T", name, into)
	}
}

// awkward are texts that an address can't hold as they are.
var awkward = []string{"a", "a b", "a+b", "a&b=c", "a#b", "50%", "é–漢", "?", "/x/*", "\"'<>", "a;b", " a ", "%20"}

// roundTrip writes a query with everything filled that can be asked for, and reads it.
func roundTrip[Q any](t *testing.T) {
	t.Helper()
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_000_001, time.UTC)
	for n, text := range awkward {
		var q, back Q
		v := reflect.ValueOf(&q).Elem()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Tag.Get("query") == "" && f.Name != "Cursor" && f.Name != "Limit" {
				continue
			}
			switch {
			case f.Type == reflect.TypeFor[time.Time]():
				v.Field(i).Set(reflect.ValueOf(at.Add(time.Duration(i) * time.Hour)))
			case f.Type.Kind() == reflect.Int:
				v.Field(i).SetInt(int64(n + 1))
			default:
				v.Field(i).SetString(text + strconv.Itoa(i))
			}
		}
		readQuery(t, withQuery("/p", q), &back)
		if !reflect.DeepEqual(q, back) {
			t.Errorf("%T with %q:\nasked %+v\nread  %+v", q, text, q, back)
		}
	}
}

func TestEachQueryIsReadAsItWasAsked(t *testing.T) {
	t.Run("sessions", roundTrip[rest.SessionQuery])
	t.Run("logs", roundTrip[rest.LogQuery])
	t.Run("activities", roundTrip[rest.ActivityQuery])
	t.Run("audit", roundTrip[rest.AuditQuery])
	t.Run("alerts", roundTrip[rest.AlertQuery])
	t.Run("revocations", roundTrip[rest.RevocationQuery])
}

// TestATimeIsAskedForInUTC, to the nanosecond, wherever the page is.
func TestATimeIsAskedForInUTC(t *testing.T) {
	for zone, offset := range map[string]int{"UTC": 0, "east": 5*3600 + 1800, "west": -8 * 3600} {
		at := time.Date(2026, 3, 4, 12, 0, 0, 1, time.FixedZone(zone, offset))
		var back rest.LogQuery
		path := withQuery("/p", rest.LogQuery{From: at})
		readQuery(t, path, &back)
		if !back.From.Equal(at) || !strings.HasSuffix(path, "Z") {
			t.Errorf("%s: %s", zone, path)
		}
	}
}

// TestWhatIsTheServersIsNeverAsked.
func TestWhatIsTheServersIsNeverAsked(t *testing.T) {
	for _, q := range []any{
		rest.SessionQuery{UserKey: "key", Org: "acme", Ended: true}, rest.LogQuery{UserKey: "key", Org: "acme"},
		rest.ActivityQuery{Org: "acme"}, rest.AuditQuery{Org: "acme"}, rest.AlertQuery{Org: "acme"}, rest.RevocationQuery{UserKey: "key", Org: "acme"},
	} {
		if path := withQuery("/p", q); path != "/p" {
			t.Errorf("%T asks %s", q, path)
		}
	}
}

// TestAProblemHasACode, whoever answered: the server in its form, or something before
// it in its own.
func TestAProblemHasACode(t *testing.T) {
	own := map[string]string{"Content-Type": "application/problem+json"}
	for name, test := range map[string]struct {
		res  Response
		want rest.Problem
	}{
		"the server's": {
			Response{Status: 503, Header: own, Body: []byte(`{"title":"Busy","status":500,"code":"cap_reached","request_id":"r","retry_after_s":5}`)},
			rest.Problem{Title: "Busy", Status: 503, Code: rest.CodeCapReached, RequestID: "r", RetryAfterS: 5},
		},
		"with a character set": {
			Response{Status: 404, Header: map[string]string{"Content-Type": "application/problem+json; charset=utf-8"}, Body: []byte(`{"code":"not_found"}`)},
			rest.Problem{Status: 404, Code: rest.CodeNotFound},
		},
		"without a code": {Response{Status: 409, Header: own, Body: []byte(`{"title":"x"}`)}, rest.Problem{Type: "about:blank", Title: "HTTP status 409", Status: 409, Code: rest.CodeServerError}},
		"cut off":        {Response{Status: 403, Header: own, Body: []byte(`{"code":"forb`)}, rest.Problem{Type: "about:blank", Title: "HTTP status 403", Status: 403, Code: rest.CodeForbidden}},
		"a proxy's": {
			Response{Status: 502, Header: map[string]string{"Content-Type": "text/html", "X-Request-Id": "p1", "Retry-After": "7"}, Body: []byte("<h1>")},
			rest.Problem{Type: "about:blank", Title: "HTTP status 502", Status: 502, Code: rest.CodeServerError, RequestID: "p1", RetryAfterS: 7},
		},
		"a page that looks like one": {
			Response{Status: 200, Header: map[string]string{"Content-Type": "text/html"}, Body: []byte(`{"code":"not_found"}`)},
			rest.Problem{Type: "about:blank", Title: "HTTP status 200", Status: 200, Code: rest.CodeServerError},
		},
		"a date to try again at": {
			Response{Status: 429, Header: map[string]string{"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}},
			rest.Problem{Type: "about:blank", Title: "HTTP status 429", Status: 429, Code: rest.CodeRateLimited},
		},
		"a time in the past": {
			Response{Status: 429, Header: map[string]string{"Retry-After": "-3"}},
			rest.Problem{Type: "about:blank", Title: "HTTP status 429", Status: 429, Code: rest.CodeRateLimited},
		},
	} {
		if got := *problem(test.res); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, test.want)
		}
	}
}

func TestAStatusAloneGivesTheCode(t *testing.T) {
	for status, want := range map[int]rest.ProblemCode{
		400: rest.CodeMalformed, 401: rest.CodeUnauthorized, 403: rest.CodeForbidden, 404: rest.CodeNotFound, 405: rest.CodeMethod, 413: rest.CodeTooLarge,
		415: rest.CodeMediaType, 422: rest.CodeOutOfRange, 429: rest.CodeRateLimited, 418: rest.CodeServerError, 500: rest.CodeServerError, 504: rest.CodeServerError, 0: rest.CodeServerError,
	} {
		if got := problem(Response{Status: status}).Code; got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}
