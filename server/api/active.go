package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/fault"
	"parley/shared/rest"
)

// PageQuery is which page of a list.
type PageQuery struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" maxLength:"256" doc:"next_cursor of the answer before"`
}

type activeOutput struct{ Body rest.Page[rest.Session] }

type activeInput struct {
	PageQuery
	rest.ActiveQuery
}

// passing are the live sessions that are asked for, oldest first.
func (a *API) passing(ctx context.Context, q *rest.ActiveQuery) []rest.Session {
	now := time.Now()
	live := slices.DeleteFunc(a.Monitor.Active(caller(ctx).scope.Org), func(s rest.Session) bool { return !q.Passes(&s, now) })
	slices.SortFunc(live, func(x, y rest.Session) int { return cmp.Compare(position(x), position(y)) })
	return live
}

// active lists live sessions, oldest first: a page doesn't move under its
// reader when a call begins.
func (a *API) active(ctx context.Context, in *activeInput) (*activeOutput, error) {
	live := a.passing(ctx, &in.ActiveQuery)
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
	ids := idsOf(page.Items, func(s rest.Session) string { return s.ID })
	return &activeOutput{page}, a.recordView(ctx, auditView{resource: "active_sessions", rows: len(ids), ids: ids})
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

// end is done when it is answered: on record, on the disk, and to the caller.
func (a *API) end(ctx context.Context, in *endInput) (*nothing, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	reason := visibleText(in.Body.Reason)
	if reason == "" {
		return nil, &fault.BadField{Field: "reason", Detail: "say why: the caller sees it"}
	}
	v := caller(ctx)
	if err := a.Operator.EndSession(ctx, in.ID, v.scope.Org, reason, v.entry("", "")); err != nil {
		return nil, err
	}
	a.tellActivity(rest.ActivityAdmin, rest.AdminEndedCall, v, in.ID, reason)
	return nil, nil
}

// extend gives a quiet call its whole idle time again. What else ends it, does.
func (a *API) extend(ctx context.Context, in *oneInput) (*nothing, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	v := caller(ctx)
	return nil, a.Operator.ExtendSession(ctx, in.ID, v.scope.Org, v.entry("", ""))
}

type checkedOutput struct{ Body rest.TimeoutsChecked }

func (a *API) checkTimeouts(ctx context.Context, _ *nothing) (*checkedOutput, error) {
	checked, err := a.Operator.CheckTimeouts(ctx, caller(ctx).entry("", ""))
	return &checkedOutput{checked}, err
}

// visibleText takes out what doesn't show, as a name loses it: the reason is read
// by the caller, in a log and in a terminal.
func visibleText(s string) string { return strings.TrimSpace(auth.RemoveInvisible(s)) }
