package bridge

import (
	"context"

	"parley/server/admission"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Admission returns what a call by user would get now, or the *rest.Problem that
// the socket would answer.
func (b *Bridge) Admission(user, org string) (rest.Admission, error) {
	if b.cfg.Privacy.Protected() != nil {
		return rest.Admission{}, &rest.Problem{Code: rest.CodePrivacyBlock}
	}
	if err := b.sessions.Check(session.Caller{User: user, Org: org}); err != nil {
		return rest.Admission{}, admission.RefusalProblem(admission.RefusalOf(err))
	}
	live, limit, _ := b.sessions.Capacity()
	return rest.Admission{
		LinesFree: max(limit-live, 0), Cap: limit, Agents: b.cfg.Agents.List(user, org),
		Limits: b.sessions.Limits(), ICEServers: b.sessions.ICEServers(),
	}, nil
}

// EndSession ends a live session as its caller wants it, with the cause
// caller_left. It is on record when it returns, if the store takes records at all.
func (b *Bridge) EndSession(ctx context.Context, id string) error {
	if err := b.sessions.End(id, wire.CallerLeft, ""); err != nil {
		return err
	}
	_ = b.settle(ctx) // an end that the store can't keep yet is one nevertheless
	return nil
}

// EndToken ends the calls that a token carries, with the cause revoked.
func (b *Bridge) EndToken(id string) {
	b.sessions.EndWhere(func(c session.Caller) bool { return c.TokenID == id }, wire.Revoked, "")
}

// Owner returns whose a live session is.
func (b *Bridge) Owner(id string) (user, org string, ok bool) {
	c, ok := b.sessions.Owner(id)
	return c.User, c.Org, ok
}
