package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode"

	"parley/shared/rest"
)

type activeInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor string `query:"cursor" maxLength:"256" doc:"next_cursor of the answer before"`
}

type activeOutput struct{ Body rest.Page[rest.Session] }

// active lists live sessions, oldest first: a page doesn't move under its
// reader when a call begins.
func (a *API) active(_ context.Context, in *activeInput) (*activeOutput, error) {
	live := a.Monitor.Active()
	slices.SortFunc(live, func(x, y rest.Session) int { return cmp.Compare(position(x), position(y)) })
	after, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: "cursor"}
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
	return &activeOutput{page}, nil
}

// position orders sessions by start, as text.
func position(s rest.Session) string {
	return s.StartedAt.UTC().Format("20060102150405.000000000") + " " + s.ID
}

type statsOutput struct{ Body rest.Stats }

func (a *API) stats(context.Context, *nothing) (*statsOutput, error) {
	return &statsOutput{a.Monitor.Stats()}, nil
}

type endInput struct {
	ID   string `path:"id" maxLength:"128"`
	Body rest.EndRequest
}

func (a *API) end(ctx context.Context, in *endInput) (*nothing, error) {
	reason := readable(in.Body.Reason)
	if reason == "" {
		return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: "reason", Detail: "say why: the caller sees it"}
	}
	if err := a.Sessions.End(in.ID, reason); err != nil {
		return nil, err
	}
	a.act(rest.ActivityAdmin, rest.AdminEndedCall, caller(ctx), in.ID, reason)
	return nil, nil
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

type connectionInput struct {
	ID    string    `path:"id" maxLength:"128"`
	From  time.Time `query:"from" doc:"RFC 3339; default: the session's beginning"`
	To    time.Time `query:"to" doc:"RFC 3339; default: now"`
	StepS int       `query:"step_s" minimum:"1" maximum:"3600" default:"10" doc:"seconds between points"`
}

type connectionOutput struct{ Body rest.Connection }

// connection is for the session's owner and for admins. To anyone else it is
// unknown, like one that never was.
func (a *API) connection(ctx context.Context, in *connectionInput) (*connectionOutput, error) {
	if !in.From.IsZero() && !in.To.IsZero() && in.To.Before(in.From) {
		return nil, &rest.Problem{Code: rest.CodeOutOfRange, Field: "to", Detail: "to is before from"}
	}
	id := caller(ctx)
	owner, _, ok := a.Monitor.Owner(in.ID)
	if !ok || owner != id.Subject && !a.Auth.Admin(id) {
		return nil, ErrUnknown
	}
	found, ok := a.Monitor.Connection(in.ID, in.From, in.To, time.Duration(in.StepS)*time.Second)
	if !ok {
		return nil, ErrUnknown
	}
	return &connectionOutput{found}, nil
}
