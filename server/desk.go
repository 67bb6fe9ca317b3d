package main

import (
	"errors"

	"parley/server/privacy"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/wire"
)

// desk answers the HTTP interface about calls, in its words.
type desk struct {
	sessions *session.Sessions
	privacy  *privacy.Privacy
	agents   []rest.Agent
}

// Admission implements api.Sessions.
func (d *desk) Admission(user, org string) (rest.Admission, error) {
	if d.privacy.Protected() != nil {
		return rest.Admission{}, &rest.Problem{Code: rest.CodePrivacyBlock}
	}
	if err := d.sessions.Check(session.Caller{User: user, Org: org}); err != nil {
		return rest.Admission{}, refusalProblem(err)
	}
	live, limit, _ := d.sessions.Lines()
	limits := d.sessions.Limits()
	return rest.Admission{
		LinesFree: max(limit-live, 0), Cap: limit, Agents: d.agents,
		Limits:     limits,
		ICEServers: d.sessions.ICEServers(),
	}, nil
}

// Owner implements api.Sessions.
func (d *desk) Owner(id string) (user, org string, ok bool) {
	c, ok := d.sessions.Owner(id)
	return c.User, c.Org, ok
}

// EndToken implements api.Sessions.
func (d *desk) EndToken(id string) {
	d.sessions.EndWhere(func(c session.Caller) bool { return c.TokenID == id }, wire.Revoked, "")
}

func refusalProblem(err error) error {
	var refusal *session.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	return &rest.Problem{
		Code:        rest.ProblemCode(refusal.Code), // the words are the same
		RetryAfterS: int(refusal.RetryAfter.Seconds()),
	}
}

// agentTitles are the words callers choose an agent by.
func agentTitles() []rest.Agent {
	return []rest.Agent{
		{Name: "parrot", Title: "Parrot", About: "Listens, and says back what you said."},
		{Name: "echo", Title: "Echo", About: "Returns your voice at once, to test the line."},
	}
}

func agentNames() []string {
	var names []string
	for _, a := range agentTitles() {
		names = append(names, a.Name)
	}
	return names
}
