package api

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"parley/server/accesslog"
	"parley/server/limit"
	"parley/shared/rest"
)

// How much is recorded of attempts at what isn't allowed: each line is a sync to
// the disk and stays for a year, and anybody can cause one. What is left out is
// counted in the next line.
const (
	MaxDenied        = 10 // a minute and user, or address without a valid token
	MaxDeniedUsers   = 60 // a minute, of all who showed a valid token
	MaxDeniedNobodys = 30 // a minute, of all who showed none: they must not use up the others' lines
	// deniedTimeout: nothing is told to who is denied, so a record that can't be
	// written makes them wait less than others.
	deniedTimeout = time.Second
)

// everyone is the key of a limit that all share.
const everyone = ""

// denials bounds the record of attempts.
type denials struct {
	each, users, nobodys *limit.Limiter
	left                 atomic.Int64 // out, since the newest line
}

func newDenials() *denials {
	return &denials{
		each:    limit.NewSliding(MaxDenied, time.Minute),
		users:   limit.NewSliding(MaxDeniedUsers, time.Minute),
		nobodys: limit.NewSliding(MaxDeniedNobodys, time.Minute),
	}
}

// take tells whether an attempt by v is recorded.
func (d *denials) take(v visitor) bool {
	all, key := d.users, "user "+v.Account()
	if v.Subject == "" {
		all, key = d.nobodys, "address "+addressKey(v.remote)
	}
	if d.each.Take(key) > 0 || all.Take(everyone) > 0 {
		d.left.Add(1)
		return false
	}
	return true
}

// causeNetwork is the word in the log for an admin from elsewhere.
const causeNetwork = "not_in_admin_allow"

// refuse answers who may not come in, and records who tried what admins do.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, need right, v visitor, err error) {
	p := a.problem(r.Context(), err)
	if p.Code == rest.CodeNetwork {
		a.Auth.LogRefusal(r.Context(), v.remote, "network", causeNetwork)
	}
	if need.isForAdmins() {
		a.denied(r.Context(), v, p.Code)
	}
	Refuse(w, r, p)
}

func (a *API) denied(ctx context.Context, v visitor, code rest.ProblemCode) {
	switch code {
	case rest.CodeUnauthorized, rest.CodeForbidden, rest.CodeReadOnly, rest.CodeNetwork, rest.CodeOrigin:
	default:
		return
	}
	if !a.denials.take(v) {
		return
	}
	e := v.entry(rest.AuditDenied, v.path)
	e.Org, e.Outcome = v.Org, outcomeDenied // who watches over an organization sees what its people try
	e.Details = map[string]any{"method": v.method, "code": string(code)}
	left := a.denials.left.Swap(0)
	if left > 0 {
		e.Details["not_recorded"] = left
	}
	ctx, cancel := context.WithTimeout(ctx, deniedTimeout)
	defer cancel()
	if err := a.Audit.Record(ctx, e); err != nil {
		a.denials.left.Add(left + 1)
		a.Log.WarnContext(ctx, "denied attempt not recorded", "event", "audit", "err", err)
	}
}

// Outcomes of audit lines; done is what an empty one means.
const (
	outcomeDenied = "denied"
	outcomeFailed = "failed"
)

// logCode tells the access log what a request failed by.
func logCode(ctx context.Context, code rest.ProblemCode) { accesslog.LineOf(ctx).Code(string(code)) }
