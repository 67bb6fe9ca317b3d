package nodes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parley/server/bus"
	"parley/server/fault"
	"parley/shared/rest"
)

// Operator does what admins want done to callers. *admin.Admin is one, of this node's.
type Operator interface {
	EndSession(ctx context.Context, id, org, reason string, by rest.AuditEntry) error
	ExtendSession(ctx context.Context, id, org string, by rest.AuditEntry) error
	RevokeUser(ctx context.Context, who rest.Revocation, by rest.AuditEntry) (rest.Revoked, error)
	RestoreUser(ctx context.Context, id int64, org string, by rest.AuditEntry) error
	RevealPerson(ctx context.Context, id, org, reason string, by rest.AuditEntry) (rest.Person, error)
	ErasePerson(ctx context.Context, who rest.PersonRef, reason string, by rest.AuditEntry) (rest.Erased, error)
	CheckTimeouts(ctx context.Context, by rest.AuditEntry) (rest.TimeoutsChecked, error)
}

// SessionRecord tells which node holds a session. *store.Store is one.
type SessionRecord interface {
	Session(ctx context.Context, id string) (rest.SessionRecord, error)
}

// retryUnreachable is when a node that could not be reached is worth another try: by then it
// is back, or taken for dead.
const retryUnreachable = 5

// Acts are an Operator for the calls of all nodes: each act is done, with its audit line, by
// the node that holds the call.
type Acts struct {
	Operator

	nodes  *Nodes
	calls  Calls
	record SessionRecord
}

// What is revoked is shared under this name in Config.Shared.
const SharedRevocations = "revocations"

const topicAct = "act"

// NewActs answers the other nodes for the calls that local holds, and passes on what it
// doesn't.
func NewActs(n *Nodes, local Operator, calls Calls, record SessionRecord) (*Acts, error) {
	a := &Acts{Operator: local, nodes: n, calls: calls, record: record}
	return a, bus.Answer(n.cfg.Bus, topicAct, a.answer)
}

// act is what one session is asked for.
type act struct {
	What    string          `json:"what"`
	Session string          `json:"session"`
	Org     string          `json:"org,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	By      rest.AuditEntry `json:"by"`
	From    time.Time       `json:"from,omitzero"`
	To      time.Time       `json:"to,omitzero"`
	StepS   float64         `json:"step_s,omitempty"`
}

// What an act may be.
const (
	actEnd        = "end"
	actExtend     = "extend"
	actReveal     = "reveal"
	actConnection = "connection"
	actEndOwn     = "end_own"        // as its caller wants it
	actCheck      = "check_timeouts" // of all sessions, after the shared settings were read
	actOverdue    = "end_overdue"
)

// outcome is what came of an act.
type outcome struct {
	Fault      string           `json:"fault,omitempty"` // by name; "": it is done
	Detail     string           `json:"detail,omitempty"`
	Person     *rest.Person     `json:"person,omitempty"`
	Connection *rest.Connection `json:"connection,omitempty"`

	Checked *rest.TimeoutsChecked `json:"checked,omitempty"`
}

// kinds are the faults that go over the bus by name.
var kinds = map[string]error{
	"not_found": fault.NotFound, "conflict": fault.Conflict, "unrecorded": fault.Unrecorded, "unavailable": fault.Unavailable,
}

func outcomeOf(err error) (o outcome) {
	if err == nil {
		return o
	}
	o.Fault, o.Detail = "failed", err.Error()
	for _, name := range []string{"not_found", "conflict", "unrecorded", "unavailable"} {
		if errors.Is(err, kinds[name]) {
			o.Fault = name
			break
		}
	}
	return o
}

func (o *outcome) err() error {
	if o.Fault == "" {
		return nil
	}
	if kind, known := kinds[o.Fault]; known {
		return fmt.Errorf("%s: %w", o.Detail, kind)
	}
	return errors.New(o.Detail)
}

// answer does what another node's admin wants.
func (a *Acts) answer(ctx context.Context, _ string, q act) (o outcome, err error) {
	switch q.What {
	case actEnd:
		return outcomeOf(a.Operator.EndSession(ctx, q.Session, q.Org, q.Reason, q.By)), nil
	case actExtend:
		return outcomeOf(a.Operator.ExtendSession(ctx, q.Session, q.Org, q.By)), nil
	case actReveal:
		person, err := a.Operator.RevealPerson(ctx, q.Session, q.Org, q.Reason, q.By)
		o = outcomeOf(err)
		o.Person = &person
		return o, nil
	case actConnection:
		c, ok := a.nodes.cfg.Picture.Connection(q.Session, q.From, q.To, time.Duration(q.StepS*float64(time.Second)))
		if !ok {
			return outcomeOf(fault.NotFound), nil
		}
		o.Connection = &c
		return o, nil
	case actEndOwn:
		return outcomeOf(a.calls.EndSession(ctx, q.Session)), nil
	case actCheck, actOverdue:
		return a.answerCheck(ctx, q.What), nil
	}
	return o, fmt.Errorf("%q is of another release", q.What)
}

// EndSession ends a live session, wherever it is.
func (a *Acts) EndSession(ctx context.Context, id, org, reason string, by rest.AuditEntry) error {
	err := a.Operator.EndSession(ctx, id, org, reason, by)
	_, err = a.orElsewhere(ctx, err, act{What: actEnd, Session: id, Org: org, Reason: reason, By: by})
	return err
}

// ExtendSession begins the idle time of a live session anew, wherever it is.
func (a *Acts) ExtendSession(ctx context.Context, id, org string, by rest.AuditEntry) error {
	err := a.Operator.ExtendSession(ctx, id, org, by)
	_, err = a.orElsewhere(ctx, err, act{What: actExtend, Session: id, Org: org, By: by})
	return err
}

// RevealPerson gives who holds a live session, wherever it is.
func (a *Acts) RevealPerson(ctx context.Context, id, org, reason string, by rest.AuditEntry) (rest.Person, error) {
	person, err := a.Operator.RevealPerson(ctx, id, org, reason, by)
	if err == nil {
		return person, nil
	}
	done, err := a.orElsewhere(ctx, err, act{What: actReveal, Session: id, Org: org, Reason: reason, By: by})
	if err != nil || done.Person == nil {
		return rest.Person{}, err
	}
	return *done.Person, nil
}

// RevokeUser revokes a person's tokens on all nodes, and tells how many calls ended on those
// that answered.
func (a *Acts) RevokeUser(ctx context.Context, who rest.Revocation, by rest.AuditEntry) (rest.Revoked, error) {
	done, err := a.Operator.RevokeUser(ctx, who, by)
	if err == nil {
		done.Ended += a.nodes.TellAndWait(ctx, SharedRevocations)
	}
	return done, err
}

// RestoreUser takes a revocation back on all nodes.
func (a *Acts) RestoreUser(ctx context.Context, id int64, org string, by rest.AuditEntry) error {
	err := a.Operator.RestoreUser(ctx, id, org, by)
	if err == nil {
		a.nodes.TellAndWait(ctx, SharedRevocations)
	}
	return err
}

// Connection is the quality of a live session of another node.
func (a *Acts) Connection(id string, from, to time.Time, step time.Duration) (c rest.Connection, ok bool) {
	if c, ok = a.nodes.cfg.Picture.Connection(id, from, to, step); ok {
		return c, true
	}
	node, elsewhere := a.nodes.cfg.Picture.NodeOf(id)
	if !elsewhere {
		return c, false
	}
	done, err := a.ask(context.Background(), node, act{What: actConnection, Session: id, From: from, To: to, StepS: step.Seconds()})
	if err != nil || done.Connection == nil {
		return c, false
	}
	return *done.Connection, true
}

// orElsewhere passes on to the node that holds the session what this one doesn't hold.
func (a *Acts) orElsewhere(ctx context.Context, here error, q act) (done outcome, err error) {
	if !errors.Is(here, fault.NotFound) {
		return done, here
	}
	of, err := a.record.Session(ctx, q.Session)
	if err != nil || of.EndedAt != nil || of.Node == a.nodes.cfg.Bus.Node() {
		return done, errors.Join(here, ignoreNotFound(err))
	}
	return a.ask(ctx, of.Node, q)
}

func ignoreNotFound(err error) error {
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// ask has another node do something, or says why it may not be done.
func (a *Acts) ask(ctx context.Context, node string, q act) (done outcome, err error) {
	if err := unreachable(node, a.nodes.cfg.Bus.Request(ctx, node, topicAct, q, &done)); err != nil {
		return done, err
	}
	return done, done.err()
}

// unreachable says of a node that could not be asked whether something was done.
func unreachable(node string, err error) error {
	switch {
	case errors.Is(err, bus.ErrUnreachable):
		return &rest.Problem{
			Code: rest.CodeNodeUnreachable, RetryAfterS: retryUnreachable,
			Detail: fmt.Sprintf("node %s can't be reached: nothing was done. If it is dead, its calls end by themselves", node),
		}
	case errors.Is(err, bus.ErrNoAnswer):
		return &rest.Problem{
			Code: rest.CodeNodeUnreachable, Status: http.StatusGatewayTimeout, RetryAfterS: retryUnreachable,
			Detail: fmt.Sprintf("node %s did not answer in time: look whether it was done", node),
		}
	}
	return err
}

// drain has a node take no new calls, or take them again.
type drain struct {
	On bool `json:"on"`
}

func (n *Nodes) answerDrain(_ context.Context, _ string, q drain) (struct{}, error) {
	n.cfg.Drain(q.On)
	return struct{}{}, nil
}

// DrainNode has a node take no new calls, or take them again.
func (n *Nodes) DrainNode(ctx context.Context, name string, isDraining bool) error {
	if name == n.cfg.Bus.Node() {
		n.cfg.Drain(isDraining)
		return nil
	}
	var done struct{}
	return unreachable(name, n.cfg.Bus.Request(ctx, name, topicDrain, drain{isDraining}, &done))
}

// endCalls has a node end all its calls.
type endCalls struct {
	Reason string `json:"reason"`
}

type callsEnded struct {
	Ended int `json:"ended"`
}

func (n *Nodes) answerEndCalls(_ context.Context, _ string, q endCalls) (callsEnded, error) {
	return callsEnded{n.cfg.EndCalls(q.Reason)}, nil
}

// EndNodeCalls ends all calls of a node now, with a reason that the callers see.
func (n *Nodes) EndNodeCalls(ctx context.Context, name, reason string) (ended int, err error) {
	if name == n.cfg.Bus.Node() {
		return n.cfg.EndCalls(reason), nil
	}
	var done callsEnded
	err = unreachable(name, n.cfg.Bus.Request(ctx, name, topicEndCalls, endCalls{reason}, &done))
	return done.Ended, err
}
