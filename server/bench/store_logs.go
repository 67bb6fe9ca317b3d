package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// The traffic that rows are made of: what a server of a few hundred callers
// sees over two weeks.
const (
	logSpan      = 14 * 24 * time.Hour
	callerCount  = 2_000
	sessionCount = 40_000
	present      = 200 // callers at any time
)

var paths = []string{
	"/api/v1/realtime/admission", "/api/v1/me", "/api/v1/sessions", "/api/v1/monitoring/sessions/active", "/api/v1/monitoring/sessions/stats",
	"/api/v1/monitoring/logs", "/api/v1/monitoring/stream", "/api/v1/realtime/ws", "/", "/call", "/web/app.wasm", "/app.css",
	"/api/v1/monitoring/connection/",
}

var agents = []string{
	"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
}

func userOf(n int) (shown, key string) {
	return fmt.Sprintf("caller-%04d", n), fmt.Sprintf("%032x", n*2654435761)
}

func sessionOf(n int) string { return fmt.Sprintf("s_%022d", n) }

// logLine makes one line of about 300 bytes. Three in four are of somebody who
// is there in that part of the span, on a call or about to be; the others are of
// anybody.
func logLine(r *rand.Rand, at time.Time, part float64) rest.LogEntry {
	call := min(int(part*sessionCount)+r.IntN(present), sessionCount-1)
	user, session := call%callerCount, sessionOf(call)
	if r.IntN(4) == 0 {
		user = r.IntN(callerCount)
	}
	l := rest.LogEntry{
		T: at, Kind: rest.LogAPI, Method: "GET", Path: paths[r.IntN(len(paths))], Status: 200, DurationMS: r.ExpFloat64() * 4,
		Org: "", Remote: fmt.Sprintf("192.0.%d.0", r.IntN(256)), RequestID: fmt.Sprintf("%016x", r.Uint64()), Node: "node-1",
		Bytes: r.Int64N(20_000), UserAgent: agents[r.IntN(len(agents))],
	}
	l.User, l.UserKey = userOf(user)
	switch {
	case l.Path == "/api/v1/realtime/ws":
		l.Kind, l.Status, l.Session = rest.LogSocket, 101, session
	case l.Path == "/api/v1/monitoring/stream":
		l.Kind = rest.LogStream
	case strings.HasSuffix(l.Path, "/connection/"):
		l.Session = session
		l.Path += l.Session
	case !strings.HasPrefix(l.Path, "/api/"):
		l.Kind = rest.LogPage
	}
	l.Route = l.Method + " " + l.Path
	switch n := r.IntN(1000); {
	case n < 20:
		l.Status, l.Code = 404, "not_found"
	case n < 30:
		l.Status, l.Code = 401, "unauthorized"
	case n < 32:
		l.Status, l.Code = 503, "cap_reached"
	case n < 33:
		l.Status, l.Code = 500, "server_error"
	case n < 60:
		l.Method = "POST"
	case n < 61:
		l.Method = "DELETE"
	}
	return l
}

// benchLogs fills a log and reads pages of it.
func benchLogs(ctx context.Context, p storePlan, folder string, t *results) error {
	bytes, err := inStore(ctx, filepath.Join(folder, "logs"), func(s *store.Store, c *clock) error {
		if err := fillLog(ctx, p, s, c, t); err != nil {
			return err
		}
		return benchPages(ctx, "", p, s, c, t)
	})
	if err != nil {
		return err
	}
	return t.table(line{"MB on the disk per million log rows", fmt.Sprintf("%.0f", float64(bytes)/float64(p.rows))})
}

// fillLog is one writer with group commits. What the rows themselves cost to
// make is not counted.
func fillLog(ctx context.Context, p storePlan, s *store.Store, c *clock, t *results) error {
	r := rand.New(rand.NewPCG(p.seed, 1))
	end := time.Now()
	step := logSpan / time.Duration(p.rows)
	var wall, used time.Duration
	group := make([]rest.LogEntry, 0, groupRows)
	for row := 0; row < p.rows; row += len(group) {
		group = group[:0]
		for i := range min(groupRows, p.rows-row) {
			group = append(group, logLine(r, end.Add(-logSpan+step*time.Duration(row+i)), float64(row+i)/float64(p.rows)))
		}
		c.at = group[len(group)-1].T
		m, err := startMeter()
		if err != nil {
			return err
		}
		for i := range group {
			group[i].ID = 0 // these are new ones
		}
		if err := s.AppendLogs(ctx, group); err != nil {
			return err
		}
		w, u, err := m.stop()
		if err != nil {
			return err
		}
		wall, used = wall+w, used+u
	}
	perWall, perCore := float64(p.rows)/wall.Seconds(), float64(p.rows)/used.Seconds()
	return t.table(
		line{"durable log rows, groups of " + fmt.Sprint(groupRows), "measured", "aim", ""},
		line{"rows a second, by the clock", fmt.Sprintf("%.0f", perWall), fmt.Sprintf("≥ %d", aimRowsWall), verdict(perWall >= aimRowsWall)},
		line{"rows a second and core", fmt.Sprintf("%.0f", perCore), fmt.Sprintf("≥ %d", aimRowsCore), verdict(perCore >= aimRowsCore)},
	)
}
