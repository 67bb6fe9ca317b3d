//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

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
}

func newAdmitter(ctx context.Context, address postgres.Address, n int) (*admitter, error) {
	name := fmt.Sprintf("node-%d", n)
	s, err := store.OpenPostgres(ctx, address, store.Options{Node: name, IsShared: true})
	if err != nil {
		return nil, err
	}
	a := &admitter{store: s}
	a.member, err = cluster.Join(ctx, cluster.Config{Record: s, Identity: store.NodeIdentity{Name: name, Instance: name, Fingerprint: "bench"}})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	a.permits = cluster.NewPermits(cluster.PermitsConfig{Member: a.member, Record: s, Key: func(of string) string { return of }})
	return a, nil
}

// benchAdmission has callers let in by three nodes of one database at once.
func benchAdmission(ctx context.Context, p storePlan, address postgres.Address, t *results) (err error) {
	running, stop := context.WithCancel(ctx)
	var members sync.WaitGroup
	nodes := make([]*admitter, 0, admittingNodes)
	defer func() {
		stop()
		members.Wait()
		for _, a := range nodes {
			err = errors.Join(err, a.member.Leave(ctx), a.store.Close())
		}
	}()
	for n := range admittingNodes {
		a, err := newAdmitter(ctx, address, n)
		if err != nil {
			return err
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
	row := func(name string, t durations) line {
		return line{name, fmt.Sprintf("%.0f", float64(len(t))/length.Seconds()), millis(t.at(.5)), millis(t.at(.99)), millis(t.at(1))}
	}
	return t.table(
		line{fmt.Sprintf("PostgreSQL: a place taken, by %d nodes at once, %d callers each", admittingNodes, admittersOfANode), "a second", "p50", "p99", "max"},
		row("of a user who is new to the node", fresh), row("of a user who was there just now", known),
	)
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
