package demodata

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"parley/shared/rest"
	"parley/shared/wire"
)

// browser is what asks, in the lines of the access log.
const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; demo) Chrome/156"

// request is one that is made up again and again.
type request struct {
	method, path string
	status       int
	code         string
	kind         rest.LogKind
	isAdmins     bool
	share        int
}

// requests are what comes in beside calls, and how often.
var requests = []request{
	{http.MethodGet, "/call", http.StatusOK, "", rest.LogPage, false, 20},
	{http.MethodGet, "/app.wasm", http.StatusOK, "", rest.LogPage, false, 12},
	{http.MethodGet, "/parley.css", http.StatusNotModified, "", rest.LogPage, false, 10},
	{http.MethodPost, rest.PathAuthSession, http.StatusNoContent, "", rest.LogAPI, false, 10},
	{http.MethodGet, rest.PathMe, http.StatusOK, "", rest.LogAPI, false, 14},
	{http.MethodGet, rest.PathOwnSessions, http.StatusOK, "", rest.LogAPI, false, 8},
	{http.MethodGet, rest.PathStats, http.StatusOK, "", rest.LogAPI, true, 8},
	{http.MethodGet, rest.PathActive, http.StatusOK, "", rest.LogAPI, true, 6},
	{http.MethodGet, rest.PathLogs, http.StatusOK, "", rest.LogAPI, true, 3},
	{http.MethodGet, rest.PathAudit, http.StatusOK, "", rest.LogAPI, true, 2},
	{http.MethodGet, rest.PathMe, http.StatusUnauthorized, string(rest.CodeUnauthorized), rest.LogAPI, false, 3},
	{http.MethodGet, rest.PathStats, http.StatusForbidden, string(rest.CodeForbidden), rest.LogAPI, false, 1},
	{http.MethodGet, "/api/v1/sessions/sess_gone", http.StatusNotFound, string(rest.CodeNotFound), rest.LogAPI, false, 2},
	{http.MethodGet, rest.PathStream, http.StatusTooManyRequests, string(rest.CodeRateLimited), rest.LogStream, true, 1},
	{http.MethodGet, rest.PathSessions, http.StatusServiceUnavailable, string(rest.CodeServerError), rest.LogAPI, true, 1},
}

// requestsACall is how many there are beside each call.
const requestsACall = 6

// makeRequests makes up the requests of an hour that belong to no call.
func (d *Demo) makeRequests(h *hour, rng *rand.Rand, from, to time.Time) {
	for range requestsACall * (len(h.sessions) + 1) {
		n := rng.IntN(101)
		for _, r := range requests {
			if n -= r.share; n >= 0 {
				continue
			}
			who := newPerson(rng.IntN(people), rng)
			if r.isAdmins {
				who.user, who.remote = adminName, adminRemote
			}
			if r.status == http.StatusUnauthorized {
				who.user = ""
			}
			h.logs = append(h.logs, d.line(rng, r, who.user, who.remote, from.Add(time.Duration(rng.Float64()*float64(to.Sub(from))))))
			break
		}
	}
}

// line is a line of the access log.
func (d *Demo) line(rng *rand.Rand, r request, user, remote string, at time.Time) rest.LogEntry {
	e := rest.LogEntry{
		T: at.UTC().Truncate(time.Millisecond), Kind: r.kind, Method: r.method, Path: r.path, Route: r.path, Status: r.status, Code: r.code,
		DurationMS: float64(int(100*(1+rng.ExpFloat64()*6))) / 100, Remote: d.cfg.Mask.Address(remote),
		RequestID: fmt.Sprintf("req_demo%08x", rng.Uint32()), Node: Node, Bytes: int64(120 + rng.IntN(4000)), UserAgent: browser,
	}
	if user != "" {
		e.User, e.UserKey = d.cfg.Mask.Person(user), d.cfg.Mask.UserKey(user)
	}
	return e
}

// tellOf adds the lines and activities that a call leaves.
func (d *Demo) tellOf(h *hour, rng *rand.Rand, s rest.SessionRecord, changes []levelChange) {
	for _, r := range []struct {
		request
		at     time.Time
		lasted float64 // seconds
	}{
		{request{http.MethodGet, rest.PathAdmission, http.StatusOK, "", rest.LogAPI, false, 0}, s.StartedAt.Add(-150 * time.Millisecond), 0},
		{request{http.MethodGet, rest.PathSocket, http.StatusSwitchingProtocols, string(s.EndCause), rest.LogSocket, false, 0}, *s.EndedAt, s.DurationS},
	} {
		e := d.line(rng, r.request, "", "", r.at)
		e.User, e.UserKey, e.Remote = s.User, s.UserKey, s.Remote
		if r.lasted > 0 {
			e.Session, e.DurationMS = s.ID, r.lasted*1000
		}
		h.logs = append(h.logs, e)
	}
	tell := func(at time.Time, kind, what, detail string) {
		h.activities = append(h.activities, rest.Activity{
			At: at, Kind: kind, What: what, Detail: detail, User: s.User, Name: s.Name, Phone: s.Phone, Email: s.Email, Remote: s.Remote, Session: s.ID,
		})
	}
	tell(s.StartedAt.Add(-time.Second), rest.ActivitySignIn, rest.SignedIn, "")
	tell(s.StartedAt, rest.ActivityCall, rest.CallStarted, "")
	for _, c := range changes {
		what := rest.QualityRose
		if c.fell {
			what = rest.QualityFell
		}
		tell(c.at, rest.ActivityQuality, what, string(c.level))
	}
	kind, what := rest.ActivityCall, rest.CallEnded
	switch {
	case s.EndCause == wire.IdleTimeout:
		kind, what = rest.ActivityTimeout, rest.CallTimedOut
	case s.EndCause.IsFault():
		kind, what = rest.ActivityError, rest.CallFailed
	}
	tell(*s.EndedAt, kind, what, string(s.EndCause))
}
