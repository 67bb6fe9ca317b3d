package api

import (
	"context"
	"strconv"

	"parley/server/accesslog"
	"parley/server/fault"
	"parley/shared/rest"
)

type revokedOutput struct{ Body rest.Revoked }

type revokeUserInput struct {
	Sub  string `path:"sub" pattern:"^[!-~]{1,255}$"`
	Body *rest.RevokeRequest
}

// revokeUser refuses a subject's tokens and ends their calls.
func (a *API) revokeUser(ctx context.Context, in *revokeUserInput) (*revokedOutput, error) {
	v := caller(ctx)
	if !v.scope.All && a.Auth.ListsAdmin(in.Sub) {
		return nil, fault.NotFound // nobody of theirs, whatever they called in
	}
	key := a.Privacy.UserKey(in.Sub)
	if !a.Auth.HasMet(v.scope.Org, in.Sub) {
		if known, err := a.hasRecordOf(ctx, key, v.scope.Org); err != nil || !known {
			return nil, orUnknown(err)
		}
	}
	return a.revoke(ctx, rest.Revocation{User: in.Sub, UserKey: key}, caller(ctx).entry("", in.Sub), in.Body)
}

type revokeSessionInput struct {
	ID   string `path:"id" maxLength:"128"`
	Body *rest.RevokeRequest
}

// revokeSession does the same to who holds or held a session, for those who see
// a mask of them only.
func (a *API) revokeSession(ctx context.Context, in *revokeSessionInput) (*revokedOutput, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	v := caller(ctx)
	record, err := a.Record.Session(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !v.scope.Covers(record.Org) || !v.scope.All && a.Auth.ListsAdminKey(record.UserKey) {
		return nil, fault.NotFound
	}
	by := with(v.entry("", in.ID), record.Org, nil)
	return a.revoke(ctx, rest.Revocation{User: record.User, UserKey: record.UserKey}, by, in.Body)
}

// revoke refuses tokens within what the visitor administers.
func (a *API) revoke(ctx context.Context, who rest.Revocation, by rest.AuditEntry, asked *rest.RevokeRequest) (*revokedOutput, error) {
	v := caller(ctx)
	if asked != nil {
		who.Block, who.Reason = asked.Block, visibleText(asked.Reason)
	}
	if who.Block && who.UserKey == a.Privacy.UserKey(v.Subject) {
		return nil, &fault.BadField{Field: "block", Detail: "you would lock yourself out: ask another admin"}
	}
	who.Org = v.scope.Org
	done, err := a.Operator.RevokeUser(ctx, who, by)
	return &revokedOutput{done}, err
}

// hasRecordOf reports whether somebody has called or asked for something, in one
// organization if org isn't empty, or is refused already.
func (a *API) hasRecordOf(ctx context.Context, userKey, org string) (bool, error) {
	sessions, _, err := a.Record.Sessions(ctx, rest.SessionQuery{UserKey: userKey, Org: org, Limit: 1})
	if err != nil || len(sessions) > 0 {
		return err == nil, err
	}
	lines, _, err := a.Logs.Logs(ctx, rest.LogQuery{UserKey: userKey, Org: org, Limit: 1})
	if err != nil || len(lines) > 0 {
		return err == nil, err
	}
	refused, _, err := a.Revocations.Revocations(ctx, rest.RevocationQuery{UserKey: userKey, Org: org, Limit: 1})
	return len(refused) > 0, err
}

func orUnknown(err error) error {
	if err == nil {
		return fault.NotFound
	}
	return err
}

type revocationsOutput struct {
	Body rest.Page[rest.Revocation]
}

// revocations lists who is refused, the last made first.
func (a *API) revocations(ctx context.Context, in *PageQuery) (*revocationsOutput, error) {
	found, next, err := a.Revocations.Revocations(ctx, rest.RevocationQuery{Org: caller(ctx).scope.Org, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	ids := idsOf(found, func(v rest.Revocation) string { return strconv.FormatInt(v.ID, 10) })
	return &revocationsOutput{rest.Page[rest.Revocation]{Items: found, NextCursor: next}},
		a.recordView(ctx, auditView{resource: "revocations", rows: len(ids), ids: ids})
}

type restoreInput struct {
	ID string `path:"id" maxLength:"128"`
}

// restore takes a revocation back.
func (a *API) restore(ctx context.Context, in *restoreInput) (*nothing, error) {
	id, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil {
		return nil, fault.NotFound
	}
	v := caller(ctx)
	return nil, a.Operator.RestoreUser(ctx, id, v.scope.Org, v.entry("", ""))
}

type revealInput struct {
	ID   string `path:"id" maxLength:"128"`
	Body rest.RevealRequest
}

type personOutput struct{ Body rest.Person }

// reveal answers with a person's originals, once who asked and why is on record.
func (a *API) reveal(ctx context.Context, in *revealInput) (*personOutput, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	reason := visibleText(in.Body.Reason)
	if reason == "" {
		return nil, &fault.BadField{Field: "reason", Detail: "say why: it is kept on record"}
	}
	v := caller(ctx)
	person, err := a.Operator.RevealPerson(ctx, in.ID, v.scope.Org, reason, v.entry("", ""))
	if err == nil {
		a.tellActivity(rest.ActivityPrivacy, rest.PersonRevealed, v, in.ID, "")
	}
	return &personOutput{person}, err
}
