//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/bus"
	"parley/server/cluster"
	"parley/server/session"
	"parley/server/store"
	"parley/server/store/postgres"
)

// How places are taken from all sides.
const (
	admittingNodes   = 3
	admittersOfANode = 4
)

// admitter is a node of a cluster, as far as it admits callers.
type admitter struct {
	store   *store.Store
	member  *cluster.Membership
	permits *cluster.Permits
	bus     *bus.Bus // with a NATS server of its own, as --cluster-listen has it
}

// newAdmitter joins the node whose bus listens at first; "": it is the first.
func newAdmitter(ctx context.Context, address postgres.Address, n int, first string) (*admitter, error) {
	name := nodeName(n)
	s, err := store.OpenPostgres(ctx, address, store.Options{Node: name, IsShared: true})
	if err != nil {
		return nil, err
	}
	a := &admitter{store: s}
	a.member, err = cluster.Join(ctx, cluster.Config{Record: s, Identity: store.NodeIdentity{Name: name, Instance: name, Fingerprint: "bench"}})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	to := bus.Connection{Listen: "127.0.0.1:0"}
	if first != "" {
		to.Servers = []string{"nats://" + first}
	}
	if a.bus, err = bus.Open(bus.Config{Node: name, Connection: to}); err != nil {
		return nil, errors.Join(err, a.member.Leave(ctx), s.Close())
	}
	a.permits = cluster.NewPermits(cluster.PermitsConfig{Member: a.member, Record: s, Others: askedOthers{a.bus, n}, Key: func(of string) string { return of }})
	return a, bus.Answer(a.bus, topicGiveBack, func(ctx context.Context, _ string, q giveBack) (struct{}, error) {
		return struct{}{}, a.permits.GiveBack(ctx, q.Scope, q.Key)
	})
}

func nodeName(n int) string { return fmt.Sprintf("node-%d", n) }

const topicGiveBack = "give_back"

// giveBack asks for what lies unused of a cap.
type giveBack struct {
	Scope store.PermitScope `json:"scope"`
	Key   string            `json:"key"`
}

// askedOthers are the other nodes, over the bus.
type askedOthers struct {
	bus  *bus.Bus
	self int
}

// GiveBack implements cluster.Others.
func (o askedOthers) GiveBack(ctx context.Context, scope store.PermitScope, key string) {
	var asking sync.WaitGroup
	for n := range admittingNodes {
		if n != o.self {
			asking.Go(func() {
				_ = o.bus.Request(ctx, nodeName(n), topicGiveBack, giveBack{scope, key}, new(struct{})) // who doesn't answer gives nothing back
			})
		}
	}
	asking.Wait()
}

// Replace implements cluster.Others; nobody is replaced here.
func (o askedOthers) Replace(context.Context, string) bool { return false }

// benchAdmission has callers let in by three nodes of one database at once.
func benchAdmission(ctx context.Context, p storePlan, address postgres.Address, t *results) (err error) {
	running, stop := context.WithCancel(ctx)
	var members sync.WaitGroup
	nodes := make([]*admitter, 0, admittingNodes)
	defer func() {
		stop()
		members.Wait()
		for _, a := range nodes {
			err = errors.Join(err, a.bus.Close(), a.member.Leave(ctx), a.store.Close())
		}
	}()
	first := ""
	for n := range admittingNodes {
		a, err := newAdmitter(ctx, address, n, first)
		if err != nil {
			return err
		}
		if n == 0 {
			first = a.bus.ListenAddr()
		}
		nodes = append(nodes, a)
		members.Go(func() { a.member.Run(running, cluster.Duties{Renewed: a.permits.Renewed}) })
	}
	length := time.Duration(p.seconds) * time.Second / 2
	var serial atomic.Int64
	fresh, err := admit(nodes, length, func(int) string { return fmt.Sprint("new ", serial.Add(1)) })
	if err != nil {
		return err
	}
	known, err := admit(nodes, length, func(worker int) string { return fmt.Sprint("known ", worker) })
	if err != nil {
		return err
	}
	moved, err := move(ctx, nodes, length, &serial)
	if err != nil {
		return err
	}
	row := func(name string, t durations) line {
		return line{name, fmt.Sprintf("%.0f", float64(len(t))/length.Seconds()), millis(t.at(.5)), millis(t.at(.99)), millis(t.at(1))}
	}
	return t.table(
		line{fmt.Sprintf("PostgreSQL: a place taken, by %d nodes at once, %d callers each", admittingNodes, admittersOfANode), "a second", "p50", "p99", "max"},
		row("of a user who is new to the node", fresh), row("of a user who was there just now", known),
		row("of a user whose place another node gives back, over NATS, one after the other", moved),
	)
}

// move has users with one place each call at one node, and then at the next, which has to ask
// for the place; it tells how long that took.
func move(ctx context.Context, nodes []*admitter, length time.Duration, serial *atomic.Int64) (times durations, err error) {
	for { // until the nodes' servers have found each other
		err := nodes[0].bus.Request(ctx, nodeName(1), topicGiveBack, giveBack{store.PermitUser, "nobody"}, new(struct{}))
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil, err
		}
	}
	set := session.Settings{MaxSessions: 1000, MaxPerUser: 1}
	for end, i := time.Now().Add(length), 0; time.Now().Before(end); i++ {
		who := session.Caller{User: fmt.Sprint("moving ", serial.Add(1))}
		release, err := nodes[i%2].permits.Take(who, set)
		if err != nil {
			return nil, err
		}
		release()
		began := time.Now()
		if release, err = nodes[(i+1)%2].permits.Take(who, set); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began))
		release()
	}
	return times, nil
}

// admit has every node take and give back places, and tells how long the taking took.
func admit(nodes []*admitter, length time.Duration, user func(worker int) string) (all durations, err error) {
	var working sync.WaitGroup
	var mu sync.Mutex
	for n, a := range nodes {
		for w := range admittersOfANode {
			working.Go(func() {
				var times durations
				var failed error
				for end := time.Now().Add(length); time.Now().Before(end) && failed == nil; {
					began := time.Now()
					var release func()
					release, failed = a.permits.Take(session.Caller{User: user(n*admittersOfANode + w)}, session.Settings{MaxSessions: 1000, MaxPerUser: 2})
					if times = append(times, time.Since(began)); failed == nil {
						release()
					}
				}
				mu.Lock()
				defer mu.Unlock()
				all, err = append(all, times...), errors.Join(err, failed)
			})
		}
	}
	working.Wait()
	return all, err
}
