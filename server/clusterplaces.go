package main

import (
	"context"
	"slices"
	"sync"

	"parley/server/bus"
	"parley/server/cluster"
	"parley/server/session"
	"parley/server/store"
)

// What nodes ask each other about places.
const (
	topicGiveBack = "give_back"
	topicReplace  = "replace"
)

// placeQuestion is about a cap.
type placeQuestion struct {
	Scope store.PermitScope `json:"scope"`
	Key   string            `json:"key"`
}

type placeAnswer struct {
	IsDone bool `json:"is_done"`
}

// otherPlaces are those of the other nodes.
type otherPlaces struct {
	*neighbors

	member *cluster.Membership
}

// names are the nodes to ask: those that are heard, one that joined just now among them,
// and those that have a lease.
func (o otherPlaces) names() (names []string) {
	if o.nodes != nil {
		names = o.nodes.Others()
	}
	for _, n := range o.member.Known() {
		if n.State == store.NodeLive && n.ID != o.member.Self().ID && !slices.Contains(names, n.Name) {
			names = append(names, n.Name)
		}
	}
	return names
}

// GiveBack implements cluster.Others. Who doesn't answer gives nothing back.
func (o otherPlaces) GiveBack(ctx context.Context, scope store.PermitScope, key string) {
	var asking sync.WaitGroup
	for _, node := range o.names() {
		asking.Go(func() {
			var answer placeAnswer
			_ = o.bus.Request(ctx, node, topicGiveBack, placeQuestion{scope, key}, &answer)
		})
	}
	asking.Wait()
}

// Replace implements cluster.Others: one after the other, for one of them is enough.
func (o otherPlaces) Replace(ctx context.Context, key string) bool {
	for _, node := range o.names() {
		var answer placeAnswer
		if err := o.bus.Request(ctx, node, topicReplace, placeQuestion{store.PermitUser, key}, &answer); err == nil && answer.IsDone {
			return true
		}
	}
	return false
}

// answerPlaces answers what other nodes ask about this one's places.
func (s *Server) answerPlaces() error {
	err := bus.Answer(s.neighbors.bus, topicGiveBack, func(ctx context.Context, _ string, q placeQuestion) (placeAnswer, error) {
		return placeAnswer{true}, s.permits.GiveBack(ctx, q.Scope, q.Key)
	})
	if err != nil {
		return err
	}
	return bus.Answer(s.neighbors.bus, topicReplace, func(ctx context.Context, _ string, q placeQuestion) (placeAnswer, error) {
		isMeant := func(c session.Caller) bool { return s.permits.KeyOf(c) == q.Key }
		of, replaced := s.bridge.Sessions().ReplaceOldest(isMeant)
		if !replaced {
			return placeAnswer{}, nil
		}
		return placeAnswer{true}, s.permits.GiveBackOf(ctx, of)
	})
}
