package api

import (
	"context"
	"net/http"

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
	if a.Deleted != nil {
		status.Deletion = a.Deleted()
	}
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
	_, h.Degraded = a.Ready()
	h.Paused, _ = a.Settings.Get().Settings[rest.SettingPaused].Value.(bool)
	return &monitorHealthOutput{h}, nil
}

func (a *API) metrics(w http.ResponseWriter, r *http.Request) {
	if caller(r.Context()).Subject != "" { // not the metrics token
		a.countView(r.Context(), "metrics")
	}
	a.Meter.Metrics().ServeHTTP(w, r)
}
