package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/server/api"
	"parley/shared/rest"
)

// asking notes what it was asked for.
type asking struct {
	api.LogReader
	asked *rest.LogQuery
}

func (a asking) Logs(_ context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error) {
	*a.asked = q
	return nil, "", nil
}

func (asking) Activities(context.Context, rest.ActivityQuery) ([]rest.Activity, string, error) {
	return nil, "", nil
}

func (asking) Audit(context.Context, rest.AuditQuery) ([]rest.AuditEntry, string, error) {
	return nil, "", nil
}

type ofAudit = api.Audit

// quiet takes every line.
type quiet struct{ ofAudit }

func (quiet) Record(context.Context, rest.AuditEntry) error { return nil }

// FuzzQuery: whatever is asked, the answer is 200, 400 or 422, and what reaches
// the store is within its bounds and was asked for.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "limit=1", "limit=500&cursor=abc", "user=alice%40example.org&session=s1", "path=/api/*&method=GET&status=4xx&kind=ws",
		"from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00.5%2B01:00", "q=%27%20OR%201=1", "limit=%zz", "limit=1&limit=2", "a;b", "status=200&status=",
		"to=9999-12-31T23:59:59Z", "from=0000-01-01T00:00:00Z", "limit=9223372036854775808", "q=%00%ff", "=", "&&", "user", "%6cimit=7",
	} {
		f.Add(seed)
	}
	var asked rest.LogQuery
	r := newRig(f, func(c *api.Config) {
		c.Logs, c.Audit, c.Log = asking{asked: &asked}, quiet{}, slog.New(slog.DiscardHandler)
	})
	token := "Bearer " + r.token("root", time.Hour)
	f.Fuzz(func(t *testing.T, query string) {
		asked = rest.LogQuery{Limit: -1}
		req := httptest.NewRequest(http.MethodGet, "http://parley.test"+rest.PathLogs, nil)
		req.URL.RawQuery = query
		req.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, req)
		if w.Code != 200 && w.Code != 400 && w.Code != 422 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w.Code != 200 {
			if asked.Limit != -1 {
				t.Fatalf("%d, but the store was asked for %+v", w.Code, asked)
			}
			return
		}
		within := func(ok bool, what string) {
			if !ok {
				t.Fatalf("%s: %q asked for %+v", what, query, asked)
			}
		}
		within(asked.Limit >= 1 && asked.Limit <= rest.MaxLimit, "limit")
		within(asked.From.IsZero() || asked.From.Year() >= 1970 && asked.From.Year() <= 2200, "from")
		within(asked.To.IsZero() || asked.To.Year() >= 1969 && asked.To.Year() <= 2201, "to")
		within(asked.Path == "" || strings.HasPrefix(asked.Path, "/"), "path")
		within(utf8.RuneCountInString(asked.Q) <= 100 && utf8.RuneCountInString(asked.User) <= 128, "length")
		within(asked.Status == "" || len(asked.Status) == 3 && asked.Status[0] >= '1' && asked.Status[0] <= '5', "status")
		within(asked.Org == "", "org")
		if decoded := strings.ToLower(query); !strings.Contains(decoded, "=") {
			within(asked.Q == "" && asked.User == "" && asked.Session == "", "from nothing")
		}
	})
}
