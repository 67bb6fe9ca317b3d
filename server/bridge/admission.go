package bridge

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/server/admission"
	"parley/server/agent/budget"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// Admission returns what a call by user, who came by host (see session.Caller), would get now, or the *rest.Problem that
// the socket would answer.
func (b *Bridge) Admission(user, org, host string) (rest.Admission, error) {
	if b.cfg.Privacy.Protected() != nil {
		return rest.Admission{}, &rest.Problem{Code: rest.CodePrivacyBlock}
	}
	free, err := b.sessions.Free(session.Caller{User: user, Org: org})
	if err != nil {
		return rest.Admission{}, admission.RefusalProblem(admission.RefusalOf(err))
	}
	agents, left := b.cfg.Agents.List(user, org), 0
	for i := range agents {
		c := session.Caller{User: user, Org: org, Agent: agents[i].Name}
		if agents[i].BudgetSpent = b.BudgetProblem(context.Background(), c) != nil; !agents[i].BudgetSpent {
			left++
		}
	}
	if len(agents) > 0 && left == 0 {
		return rest.Admission{}, budgetProblem(time.Now())
	}
	_, limit, _ := b.sessions.Capacity()
	_, orgCap := b.sessions.OrgCapacity(org)
	return rest.Admission{
		LinesFree: free, Cap: limit, OrgCap: orgCap, Agents: agents,
		Limits: b.sessions.Limits(), ICEServers: b.sessions.ICEServers("", session.Caller{User: user, Org: org, Host: host}),
		PrivacyOff: !b.cfg.Privacy.On(),
	}, nil
}

// BudgetProblem returns why a caller may not call c.Agent today ("" is the default one):
// what they may spend there on a day is spent. nil: it is not.
func (b *Bridge) BudgetProblem(ctx context.Context, c session.Caller) *rest.Problem {
	if c.Agent == "" {
		c.Agent = b.cfg.Sessions.DefaultAgent
	}
	by, ok := b.cfg.Agents.Get(c.Agent, c.User, c.Org)
	if !ok {
		return nil
	}
	who, limits := b.calls.budgetOf(c, by)
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if !errors.Is(b.calls.ledger.Check(ctx, who, limits), budget.ErrSpent) {
		return nil
	}
	return budgetProblem(time.Now())
}

// budgetProblem tells to come back on the next day (UTC).
func budgetProblem(now time.Time) *rest.Problem {
	const day = 24 * time.Hour
	return admission.Later(admission.Problem(http.StatusTooManyRequests, rest.CodeBudgetSpent), now.Truncate(day).Add(day).Sub(now))
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

// What who signed out is told of the calls that ended with it: no admin did.
const (
	signedOut           = "You signed out in another tab or window."
	signedOutAtProvider = "Your sign-in ended at the service that you sign in with."
)

// EndToken ends the calls that a token carries whose holder signs out, with the cause
// revoked.
func (b *Bridge) EndToken(id string) {
	b.sessions.EndWhere(func(c session.Caller) bool { return c.TokenID == id }, wire.Revoked, signedOut)
}

// EndTokens ends the calls of all tokens whose auth.Identity.ID begins with prefix, and
// whose sign-in an identity provider ended, with the cause revoked.
func (b *Bridge) EndTokens(prefix string) {
	b.sessions.EndWhere(func(c session.Caller) bool { return strings.HasPrefix(c.TokenID, prefix) }, wire.Revoked, signedOutAtProvider)
}

// Owner returns whose a live session is.
func (b *Bridge) Owner(id string) (user, org string, ok bool) {
	c, ok := b.sessions.Owner(id)
	return c.User, c.Org, ok
}
