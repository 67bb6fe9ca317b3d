package main

import (
	"context"
	"time"

	"parley/server/api"
	"parley/server/bridge"
	"parley/server/fault"
	"parley/server/monitor"
	"parley/server/nodes"
	"parley/server/session"
	"parley/shared/rest"
)

// operator does an admin's acts, on whichever node they are to be done.
func (s *Server) operator(acts api.Operator) api.Operator {
	if s.neighbors.acts == nil {
		return acts
	}
	return s.neighbors.acts
}

// picture is what admins see, of all nodes.
type picture struct {
	*monitor.Monitor

	acts *nodes.Acts
}

// Connection implements api.Monitor.
func (p picture) Connection(id string, from, to time.Time, step time.Duration) (rest.Connection, bool) {
	return p.acts.Connection(id, from, to, step)
}

func (s *Server) picture() api.Monitor {
	if s.neighbors.acts == nil {
		return s.monitor
	}
	return picture{s.monitor, s.neighbors.acts}
}

// ownCalls are this node's.
type ownCalls struct{ *bridge.Bridge }

// CheckTimeouts implements nodes.Calls.
func (c ownCalls) CheckTimeouts(now time.Time) (checked, ended int) {
	return c.Sessions().CheckTimeouts(now)
}

// EndOverdue implements nodes.Calls.
func (c ownCalls) EndOverdue() { c.Sessions().EndOverdue() }

// calls are those of all nodes, as far as callers may do something about them.
type calls struct {
	*bridge.Bridge

	acts *nodes.Acts
}

// EndSession implements api.Sessions.
func (c calls) EndSession(ctx context.Context, id string) error { return c.acts.EndOwnSession(ctx, id) }

// calls are this server's where it is alone.
func (s *Server) calls() api.Sessions {
	if s.neighbors.acts == nil {
		return s.bridge
	}
	return calls{s.bridge, s.neighbors.acts}
}

// endElsewhere ends a call that another node holds, for who says that it is theirs.
func (s *Server) endElsewhere(ctx context.Context, id string, c session.Caller) error {
	if s.neighbors.acts == nil {
		return fault.NotFound
	}
	of, err := s.store.Session(ctx, id)
	if err != nil {
		return err
	}
	if of.EndedAt != nil || of.UserKey != s.privacy.UserKey(c.User) || of.Org != c.Org {
		return fault.NotFound
	}
	return s.neighbors.acts.EndOwnSession(ctx, id)
}
