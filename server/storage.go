package main

import (
	"context"
	"errors"
	"log/slog"

	"parley/server/audit"
	"parley/server/auth"
	"parley/server/cluster"
	"parley/server/demodata"
	"parley/server/metrics"
	"parley/server/privacy"
	"parley/server/store"
	"parley/shared/rest"
)

// storage is what outlives a server, and those who guard it: what everything else
// is built on.
type storage struct {
	store     *store.Store
	demo      *demodata.Demo // nil: nothing is made up
	privacy   *privacy.Privacy
	audit     *audit.Log[*store.Tx]
	authority *auth.Auth
	member    *cluster.Membership // nil: the server is alone
	neighbors *neighbors
	permits   *cluster.Permits // nil, too
}

// openStorage opens the record in the data directory, and with it the parts that can't
// be without.
func (c *serveCommand) openStorage(ctx context.Context, dir *dataDir, observer *metrics.Observer, log *slog.Logger) (*storage, error) {
	key, err := dir.userKey()
	if err != nil {
		return nil, err
	}
	guard, err := privacy.New(privacy.Config{
		On: c.Privacy == "on", Key: key,
		Evidence: func() error { return privacy.CheckNoAudio(dir.path) },
		OnBlocked: func(b rest.BlockedOperation) {
			log.Warn("an operation on audio was refused", "event", "privacy", "operation", b.Operation, "by", b.By, "session", b.Session)
		},
	})
	if err != nil {
		return nil, err
	}
	path, folder, err := c.recordPath(dir)
	if err != nil {
		return nil, err
	}
	s, err := c.openStore(ctx, dir, path, store.Options{Node: c.Node, IsShared: c.isNode(), Mask: guard, Logger: log, IsExported: c.LogExport != ""})
	if err != nil {
		return nil, err
	}
	others := new(neighbors)
	if others.bus, err = c.openBus(others.readAgain, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	kept, err := c.guardStorage(ctx, path, s, guard, others, observer, log)
	if err == nil {
		kept.demo, err = newDemo(ctx, folder, c.DemoLive, s, guard, log)
	}
	if err != nil {
		return nil, errors.Join(err, others.close(), s.Close())
	}
	return kept, nil
}

// guardStorage puts those together who guard an open store.
func (c *serveCommand) guardStorage(ctx context.Context, path string, s *store.Store, guard *privacy.Privacy, others *neighbors, observer *metrics.Observer, log *slog.Logger) (*storage, error) {
	authority, err := c.newAuthority(ctx, s, guard, others, log)
	if err != nil {
		return nil, err
	}
	head := audit.HeadIn(path)
	checkpoint, err := head.Load()
	if err != nil {
		return nil, err
	}
	return &storage{store: s, neighbors: others, privacy: guard, authority: authority, audit: audit.New(audit.Config[*store.Tx]{
		Store: s, Mask: guard, Node: c.Node, Checkpoint: checkpoint, SaveCheckpoint: head.Save, Logger: log, Observe: observer.AuditCommitted,
	})}, nil
}

// Close gives the record back, all of it on the disk.
func (s *storage) Close() error {
	return errors.Join(s.leaveCluster(), s.neighbors.close(), s.audit.Close(), s.store.Close())
}

func (c *serveCommand) newAuthority(ctx context.Context, s *store.Store, guard *privacy.Privacy, others *neighbors, log *slog.Logger) (*auth.Auth, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	revocations, err := s.RevocationsInForce(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := s.RevokedTokens(ctx)
	if err != nil {
		return nil, err
	}
	a, err := auth.New(auth.Config{
		Mode: auth.Mode(c.Mode), Admins: c.Admins, Secret: secret.current, PreviousSecret: secret.previous, Generated: secret.generated,
		AdminGroups: c.Provider.AdminGroups, OrgAdminGroups: c.Provider.OrgAdminGroups,
		Auditors: c.Auditors, AuditorGroups: c.Provider.AuditorGroups, OrgAuditorGroups: c.Provider.OrgAuditorGroups,
		Keys:   c.keySource(),
		Issuer: c.JWTIssuer, Audience: c.JWTAudience, AllowedOrigins: c.AllowedOrigins,
		TrustedProxies: c.TrustedProxies, AdminAllow: c.AdminAllow,
		SignInStore: tellingSignIns{s, others}, SharedSignIns: c.sharedSignIns(s), Revocations: revocations, RevokedTokens: tokens, UserKey: guard.UserKey, MaskAddress: guard.Address, Logger: log,
	})
	if err != nil {
		return nil, c.mistakenFlag(err)
	}
	return a, nil
}

// keySource is where the issuer's keys come from. A file has the rhythm of all
// others, an address one that its owner can bear.
func (c *serveCommand) keySource() auth.KeySource {
	keys := auth.KeySource{File: c.JWKSFile, URL: c.JWKSURL}
	if keys.File != "" {
		keys.Refresh, keys.Gap = c.ReloadInterval, c.ReloadInterval
	}
	return keys
}
