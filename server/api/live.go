package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode"

	"parley/server/accesslog"
	"parley/server/fault"
	"parley/shared/rest"
)

// PageQuery is which page of a list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" maxLength:"256" doc:"next_cursor of the answer before"`
}

type activeOutput struct{ Body rest.Page[rest.Session] }

// active lists live sessions, oldest first: a page doesn't move under its
// reader when a call begins.
func (a *API) active(ctx context.Context, in *PageQuery) (*activeOutput, error) {
	live := a.Monitor.Active(caller(ctx).scope.Org)
	slices.SortFunc(live, func(x, y rest.Session) int { return cmp.Compare(position(x), position(y)) })
	after, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return nil, fault.BadCursor
	}
	from, found := slices.BinarySearchFunc(live, string(after), func(s rest.Session, at string) int {
		return cmp.Compare(position(s), at)
	})
	if found {
		from++
	}
	page := rest.Page[rest.Session]{Items: append([]rest.Session{}, live[from:min(from+in.Limit, len(live))]...)}
	if from+in.Limit < len(live) {
		page.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(position(page.Items[in.Limit-1])))
	}
	ids := each(page.Items, func(s rest.Session) string { return s.ID })
	return &activeOutput{page}, a.looked(ctx, look{resource: "active_sessions", rows: len(ids), ids: ids})
}

// position orders sessions by start, as text.
func position(s rest.Session) string {
	return s.StartedAt.UTC().Format("20060102150405.000000000") + " " + s.ID
}

type statsOutput struct{ Body rest.Stats }

func (a *API) stats(ctx context.Context, _ *nothing) (*statsOutput, error) {
	return &statsOutput{a.Monitor.Stats(caller(ctx).scope.Org)}, nil
}

type endInput struct {
	ID   string `path:"id" maxLength:"128"`
	Body rest.EndRequest
}

// end records first: what can't be recorded isn't done. A call that ended by
// itself in between is recorded as missed.
func (a *API) end(ctx context.Context, in *endInput) (*nothing, error) {
	accesslog.Of(ctx).Session(in.ID)
	reason := readable(in.Body.Reason)
	if reason == "" {
		return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: "reason", Detail: "say why: the caller sees it"}
	}
	v := caller(ctx)
	session, ok := a.liveSession(v, in.ID)
	if !ok {
		return nil, fault.NotFound
	}
	e := with(v.entry(rest.AuditEndSession, in.ID), session.Org, nil)
	e.Reason = reason
	if err := a.Audit.Record(ctx, e); err != nil {
		return nil, err
	}
	if err := a.Sessions.End(in.ID, reason); err != nil {
		e.Outcome = outcomeFailed
		return nil, errors.Join(err, a.Audit.Record(ctx, e))
	}
	a.act(rest.ActivityAdmin, rest.AdminEndedCall, v, in.ID, reason)
	return nil, nil
}

// liveSession finds a live session that v administers.
func (a *API) liveSession(v visitor, id string) (rest.Session, bool) {
	live := a.Monitor.Active(v.scope.Org)
	i := slices.IndexFunc(live, func(s rest.Session) bool { return s.ID == id })
	if i < 0 || !v.scope.Covers(live[i].Org) {
		return rest.Session{}, false
	}
	return live[i], true
}

type checkedOutput struct{ Body rest.TimeoutsChecked }

func (a *API) checkTimeouts(ctx context.Context, _ *nothing) (*checkedOutput, error) {
	if err := a.Audit.Record(ctx, caller(ctx).entry(rest.AuditCheckTimeouts, "")); err != nil {
		return nil, err
	}
	return &checkedOutput{a.Operator.CheckTimeouts()}, nil
}

// readable takes out what doesn't show: the reason is read by the caller, in a
// log and in a terminal.
func readable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, s))
}
