package main

import (
	"context"
	"errors"
	"log/slog"

	"parley/server/audit"
	"parley/server/auth"
	"parley/server/metrics"
	"parley/server/privacy"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/rest"
)

// kept is what outlives a server, and those who guard it: what everything else
// is built on.
type kept struct {
	store     *store.Store
	privacy   *privacy.Privacy
	audit     *audit.Log[*store.Tx]
	authority *auth.Auth
}

// open opens the record in the data directory, and with it the parts that can't
// be without.
func (c *serveCommand) open(ctx context.Context, dir *dataDir, told *metrics.Observer, log *slog.Logger) (*kept, error) {
	key, err := dir.userKey()
	if err != nil {
		return nil, err
	}
	guard, err := privacy.New(privacy.Config{
		On: c.Privacy == "on", Key: key,
		Evidence: func() error { return privacy.NoAudioBelow(dir.path) },
		OnBlocked: func(b rest.BlockedOperation) {
			log.Warn("an operation on audio was refused", "event", "privacy", "operation", b.Operation, "by", b.By, "session", b.Session)
		},
	})
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, dir.path, store.Options{Node: c.Node, Mask: guard, Logger: log})
	if err != nil {
		return nil, err
	}
	k := &kept{store: s, privacy: guard}
	if k.authority, err = c.authority(ctx, k, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	head := audit.HeadIn(dir.path)
	noted, err := head.Load()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	k.audit = audit.New(audit.Config[*store.Tx]{
		Store: s, Mask: guard, Node: c.Node, Noted: noted, Note: head.Save, Logger: log,
		Observe: told.AuditCommitted,
	})
	return k, nil
}

// Close gives the record back, all of it on the disk.
func (k *kept) Close() error { return errors.Join(k.audit.Close(), k.store.Close()) }

func (c *serveCommand) authority(ctx context.Context, k *kept, log *slog.Logger) (*auth.Auth, error) {
	secret, generated, err := c.secret()
	if err != nil {
		return nil, err
	}
	revoked, err := k.store.Revocations(ctx)
	if err != nil {
		return nil, err
	}
	a, err := auth.New(auth.Config{
		Mode: auth.Mode(c.Mode), Admins: c.Admins, Secret: secret, Generated: generated,
		Keys:   auth.KeySource{File: c.JWKSFile, URL: c.JWKSURL},
		Issuer: c.JWTIssuer, Audience: c.JWTAudience, AllowedOrigins: c.AllowedOrigins,
		TrustedProxies: c.TrustedProxies, AdminAllow: c.AdminAllow,
		Ledger: k.store, Revoked: auth.Revoked(revoked), UserKey: k.privacy.UserKey, Logger: log,
	})
	if err != nil {
		return nil, &usageError{err}
	}
	return a, nil
}

// first are the runtime settings as the command line has them.
func (c *serveCommand) first() settings.Values {
	v := settings.Defaults()
	v.IdleTimeout, v.IdleWarning, v.MaxDuration = c.IdleTimeout, c.IdleWarning, c.MaxDuration
	v.MaxSessions, v.MaxPerUser = c.MaxSessions, c.MaxSessionsPerUser
	v.LogRetention = c.LogRetention.span()
	v.Privacy, v.Monitoring = c.Privacy == "on", c.Monitoring == "on"
	return v
}
