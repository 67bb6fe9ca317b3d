package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/server/api"
	"parley/server/nodes"
	"parley/server/store"
	"parley/shared/rest"
	"parley/shared/wire"
)

// nodesLister lists the servers of the cluster, or the one that is alone.
func (s *Server) nodesLister() func(context.Context) ([]rest.Node, error) {
	if s.neighbors.nodes == nil {
		return s.listAlone
	}
	return s.listNodes
}

// nodeOperator does what admins want done to a server.
func (s *Server) nodeOperator() api.NodeOperator {
	if s.neighbors.nodes == nil {
		return aloneOperator{s}
	}
	return s.neighbors.nodes
}

// aloneOperator is of a server without others: its name was looked for before.
type aloneOperator struct{ s *Server }

// DrainNode implements api.NodeOperator.
func (a aloneOperator) DrainNode(_ context.Context, _ string, isDraining bool) error {
	a.s.setDraining(isDraining)
	return nil
}

// EndNodeCalls implements api.NodeOperator.
func (a aloneOperator) EndNodeCalls(_ context.Context, _, reason string) (ended int, err error) {
	return a.s.endCalls(reason), nil
}

// setDraining has this server take no new calls, or take them again.
func (s *Server) setDraining(isDraining bool) {
	s.bridge.Sessions().SetClosed(isDraining)
	s.ready.SetClosed(isDraining)
	s.log.Info("an admin drains this node, or has it take calls again", "event", "cluster", "draining", isDraining)
}

func (s *Server) endCalls(reason string) (ended int) {
	return s.bridge.Sessions().EndWhere(everybody, wire.AdminEnded, reason)
}

// beat is what this node tells of itself, but for its health, which is told once.
func (s *Server) beat() nodes.Beat {
	isDraining, _ := s.ready.State()
	b := nodes.Beat{
		Calls: s.bridge.Sessions().Live(), Draining: isDraining, Version: version, Address: s.flags.NodeAddress, DelayMS: s.figures.SchedulingDelayMS(), MachineUsage: s.figures.MachineUsage(),
		Media: s.mediaPort.Addr().String(), TURN: s.turnCheck.State(),
	}
	if s.member == nil {
		return b
	}
	if ahead, ok := s.member.ClockSkew(); ok {
		b.ClockSkewMS = new(float64(ahead.Milliseconds()))
	}
	return b
}

// listAlone is this server, which has no lease: nobody else could take its calls over.
func (s *Server) listAlone(context.Context) ([]rest.Node, error) {
	of := rest.Node{
		Name: s.flags.Node, Address: s.flags.NodeAddress, State: string(store.NodeLive), StartedAt: s.startedAt, Version: version,
		Cap: s.cap(), Leader: true, Self: true, Reachable: true,
	}
	putBeat(&of, s.beat())
	return []rest.Node{of}, nil
}

// cap is how many calls may be on at the same time, on all nodes together.
func (s *Server) cap() int {
	_, limit, _ := s.bridge.Sessions().Capacity()
	return limit
}

// putBeat puts what a node said of itself last in the place of what is on record.
func putBeat(of *rest.Node, b nodes.Beat) {
	of.Calls, of.Draining, of.DelayMS, of.MachineUsage, of.ClockSkewMS = b.Calls, b.Draining, b.DelayMS, b.MachineUsage, b.ClockSkewMS
	of.Media, of.TURN = b.Media, b.TURN
}

// listNodes are those of the record, with what is heard of them now.
func (s *Server) listNodes(ctx context.Context) (found []rest.Node, err error) {
	all, err := s.member.Nodes(ctx)
	for _, n := range all {
		of := rest.Node{
			Name: n.Name, Address: n.Address, Version: n.Version, State: string(n.State), StartedAt: n.StartedAt, RenewedAt: n.RenewedAt, LeaseBy: n.LeaseBy,
			Calls: n.Calls, Cap: s.cap(), Draining: n.IsDraining, Leader: n.IsLeader, Self: n.Name == s.flags.Node,
		}
		of.Reachable = of.Self || s.neighbors.nodes.IsHeard(n.Name)
		of.Heartbeats = s.neighbors.nodes.HeartbeatsOf(n.Name)
		beat, age, heard := s.neighbors.nodes.BeatOf(n.Name)
		if of.Self {
			beat, age, heard = s.beat(), time.Duration(0), true
		}
		if heard {
			of.HeartbeatAgeS = new(age.Seconds())
		}
		if heard && of.Reachable {
			putBeat(&of, beat)
		}
		found = append(found, of)
	}
	slices.SortFunc(found, func(a, b rest.Node) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}
