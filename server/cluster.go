package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"parley/server/cluster"
	"parley/server/session"
	"parley/server/store"
	"parley/shared/rest"
	"parley/shared/wire"
)

// clusterFlags make a server a node among others.
type clusterFlags struct {
	Cluster []string `name:"cluster" help:"Serve as one node of several on one --database; the addresses of NATS, by which they tell each other, such as nats://a:4222,nats://b:4222."`
	// EndCallsWithoutLease is for whom caps are worth more than calls.
	EndCallsWithoutLease bool   `help:"End this node's calls when its lease runs out, which is so when it can't reach --database for 13 s: caps are then exact whatever happens. Without it they go on, over and above what others have admitted meanwhile."`
	NodeAddress          string `help:"URL under which callers reach this node of a cluster: other nodes send those there whom they refuse while they drain, and the page of nodes shows it. Without it nobody is sent here, and the page shows the address printed at start."`
}

// check refuses what can't be meant.
func (f clusterFlags) check(database string) error {
	if len(f.Cluster) == 0 {
		if f.NodeAddress != "" {
			return errors.New("--node-address is of a node: write --cluster, too, or leave it out")
		}
		if f.EndCallsWithoutLease {
			return errors.New("--end-calls-without-lease is of a node: write --cluster, too, or leave it out")
		}
		return nil
	}
	if database == "" {
		return errors.New("--cluster takes --database postgres://…, which all nodes share")
	}
	for _, address := range f.Cluster {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Host == "" || u.Path != "" {
			return fmt.Errorf("--cluster takes nats://HOST:PORT, not %q", address)
		}
	}
	if u, err := url.Parse(f.NodeAddress); f.NodeAddress != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("--node-address takes https://HOST:PORT")
	}
	return nil
}

// isNode reports whether the server is one of several.
func (f clusterFlags) isNode() bool { return len(f.Cluster) > 0 }

// joinCluster makes the server a node; nil where it is alone.
func (c *serveCommand) joinCluster(ctx context.Context, kept *storage, baseURL string, log *slog.Logger) (*cluster.Membership, error) {
	if !c.isNode() {
		return nil, nil
	}
	secrets := func() (hashes []string) {
		for _, id := range kept.authority.SecretIDs() {
			hashes = append(hashes, kept.privacy.UserKey("token secret "+id))
		}
		return hashes
	}
	member, err := cluster.Join(ctx, cluster.Config{
		Record: kept.store, Secrets: secrets, Logger: log,
		Identity: store.NodeIdentity{
			Name: c.Node, Instance: rand.Text(), Address: cmp.Or(c.NodeAddress, baseURL), Version: version,
			Fingerprint: kept.privacy.UserKey("key of users"), Secrets: secrets(),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("--cluster: %w", err)
	}
	return member, nil
}

// joinPlaces makes the server's places those of the cluster, where it is a node.
func (s *storage) joinPlaces() {
	if s.member != nil {
		s.permits = cluster.NewPermits(cluster.PermitsConfig{
			Member: s.member, Record: s.store, Key: s.privacy.UserKey, Others: otherPlaces{s.neighbors, s.member},
		})
	}
}

// places are those that the server shares with others; nil where it is alone.
func (s *storage) places() session.Places {
	if s.permits == nil {
		return nil
	}
	return s.permits
}

// placesHeld tell what each node holds; nil where the server is alone.
func (s *storage) placesHeld() func(context.Context) ([]rest.NodePlaces, error) {
	if s.permits == nil {
		return nil
	}
	return func(ctx context.Context) (held []rest.NodePlaces, err error) {
		all, err := s.permits.Held(ctx)
		for _, of := range all {
			held = append(held, rest.NodePlaces{Node: of.Node, Held: of.Granted})
		}
		return held, err
	}
}

// leaveCluster gives the lease back, so that nobody waits for its end.
func (s *storage) leaveCluster() error {
	if s.member == nil {
		return nil
	}
	return s.member.Leave(context.Background())
}

// isLeader reports whether this server does what one does for all: alone it does.
func (s *storage) isLeader() bool { return s.member == nil || s.member.IsLeader() }

// isLeaseFailing reports whether the others may take this node for dead.
func (s *storage) isLeaseFailing() bool { return s.member != nil && s.member.IsFailing() }

// everybody is who is meant by what is done to all calls.
func everybody(session.Caller) bool { return true }

// runMembership keeps the lease until ctx is over.
func (s *Server) runMembership(ctx context.Context) {
	if s.member == nil {
		return
	}
	s.member.Run(ctx, cluster.Duties{
		Load: func() cluster.Load {
			live, _, _ := s.bridge.Sessions().Capacity()
			isDraining, _ := s.ready.State()
			return cluster.Load{Calls: live, IsDraining: isDraining}
		},
		Taken: func() {
			n := s.bridge.Sessions().EndWhere(everybody, wire.NodeLost, "")
			s.log.Error("the cluster took this node for dead: its calls ended", "event", "cluster", "calls", n)
		},
		Lapsed: func() {
			if !s.flags.EndCallsWithoutLease {
				return
			}
			if n := s.bridge.Sessions().EndWhere(everybody, wire.NodeLost, ""); n > 0 {
				s.log.Error("the lease of this node ran out: its calls ended", "event", "cluster", "calls", n)
			}
		},
		Renewed: s.permits.Renewed,
		Reaped:  func(ctx context.Context, _ []store.Node) { s.agents.recoverCalls(ctx, s.log) },
	})
}
