package main

import (
	"context"
	"log/slog"
	"strings"

	"parley/server/bridge"
	"parley/server/demodata"
	"parley/server/monitor"
	"parley/server/session"
	"parley/server/settings"
	"parley/shared/rest"
)

// initialSettings are the runtime settings as the command line has them.
func (c *serveCommand) initialSettings() settings.Values {
	v := settings.Defaults()
	v.IdleTimeout, v.IdleWarning, v.MaxDuration = c.IdleTimeout, c.IdleWarning, c.MaxDuration
	v.MaxSessions, v.MaxPerUser = c.MaxSessions, c.MaxSessionsPerUser
	v.MaxPerOrg = c.MaxSessionsPerOrg
	v.OrgCaps, _ = settings.ReadOrgCaps(strings.Join(c.OrgCaps, ",")) // Validate has told a problem
	v.LogRetention = c.LogRetention.span()
	if c.DemoData {
		v.LogRetention = min(v.LogRetention, demodata.Retention)
	}
	v.AdminAllow = strings.Join(c.AdminAllow, ", ")
	v.Privacy, v.Monitoring = c.Privacy == "on", c.Monitoring == "on"
	return v
}

// loadSettings brings back what was changed at run time, or forgets it, and has
// every change told to the parts that it is for: who masks first, since the calls
// then tell of their callers anew.
func (c *serveCommand) loadSettings(ctx context.Context, kept *storage, calls *bridge.Bridge, mon *monitor.Monitor, log *slog.Logger) (*settings.Settings, error) {
	values := settings.New(kept.store, kept.audit, settings.Config{
		First: c.initialSettings(), Logger: log, Changed: mon.SettingsChanged, EndOverdue: calls.Sessions().EndOverdue,
		Hooks: []settings.Hook{
			func(_, now settings.Values) { kept.privacy.Set(now.Privacy) },
			func(_, now settings.Values) { calls.UpdateSettings(session.SettingsOf(now)) },
			func(_, now settings.Values) { mon.SetOn(now.Monitoring) },
			func(_, now settings.Values) {
				if err := kept.authority.SetAdminAllow(now.AdminAllow); err != nil {
					log.Error("the list of admins' networks can't be read: the one before holds", "event", "settings", "err", err)
				}
			},
			func(before, now settings.Values) {
				if now.Privacy && !before.Privacy {
					mon.MaskKept(kept.privacy)
				}
			},
		},
	})
	if err := values.Load(ctx); err != nil {
		return nil, err
	}
	if !c.ResetSettings {
		return values, nil
	}
	return values, values.Reset(ctx, rest.AuditEntry{Actor: "command line"}, "--reset-settings")
}
