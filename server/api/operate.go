package api

import (
	"context"
	"net/http"

	"parley/server/fault"
	"parley/shared/rest"
)

type privacyOutput struct{ Body rest.Privacy }

// privacy tells who administers one organization of its own sessions only.
func (a *API) privacy(ctx context.Context, _ *nothing) (*privacyOutput, error) {
	status := a.Privacy.Status()
	now := a.Settings.Get().Settings
	status.LogRetentionDays, _ = now[rest.SettingLogRetention].Value.(int)
	status.AuditRetentionDays, _ = now[rest.SettingAuditRetention].Value.(int)
	status.Confinement = a.Confinement
	scope := caller(ctx).scope
	if scope.All {
		return &privacyOutput{status}, nil
	}
	own := []rest.BlockedOperation{}
	audio := rest.AudioGuard{Stored: status.Audio.Stored, ByKind: make(map[string]int64)}
	for _, b := range status.Blocked {
		if b.Session == "" {
			continue
		}
		s, err := a.find(ctx, b.Session)
		if err != nil || !scope.Covers(s.org) {
			continue
		}
		own = append(own, b)
		audio.Attempts, audio.Blocked = audio.Attempts+1, audio.Blocked+1
		audio.ByKind[b.Operation]++
	}
	status.Blocked, status.Audio = own, audio
	return &privacyOutput{status}, nil
}

type monitorHealthOutput struct{ Body rest.Health }

func (a *API) monitorHealth(ctx context.Context, _ *nothing) (*monitorHealthOutput, error) {
	h := a.Meter.Health(ctx)
	h.Degraded = a.Ready().Degraded
	return &monitorHealthOutput{h}, nil
}

func (a *API) metrics(w http.ResponseWriter, r *http.Request) { a.Meter.Metrics().ServeHTTP(w, r) }

type revokeInput struct {
	Sub string `path:"sub" pattern:"^[!-~]{1,255}$"`
}

type revokedOutput struct{ Body rest.Revoked }

// revoke refuses the user's tokens from now on and ends their calls.
func (a *API) revoke(ctx context.Context, in *revokeInput) (*revokedOutput, error) {
	v := caller(ctx)
	if !v.scope.All && a.Auth.Lists(in.Sub) {
		return nil, fault.NotFound // nobody of theirs, whatever they called in
	}
	if known, err := a.administers(ctx, v, in.Sub); err != nil || !known {
		return nil, orUnknown(err)
	}
	done, err := a.Operator.RevokeUser(ctx, in.Sub, v.scope.Org, v.entry("", ""))
	return &revokedOutput{done}, err
}

// administers tells whether a user is one whom v administers: of an organization, who
// has called or asked for something in it.
func (a *API) administers(ctx context.Context, v visitor, sub string) (bool, error) {
	if v.scope.All {
		return true, nil
	}
	key := a.Privacy.UserKey(sub)
	sessions, _, err := a.Record.Sessions(ctx, rest.SessionQuery{UserKey: key, Org: v.scope.Org, Limit: 1})
	if err != nil || len(sessions) > 0 {
		return err == nil, err
	}
	lines, _, err := a.Logs.Logs(ctx, rest.LogQuery{UserKey: key, Org: v.scope.Org, Limit: 1})
	return len(lines) > 0, err
}

func orUnknown(err error) error {
	if err == nil {
		return fault.NotFound
	}
	return err
}
