package api

import (
	"context"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

type alertsInput struct {
	PageQuery
	rest.AlertQuery
}

type alertsOutput struct{ Body rest.Page[rest.Alert] }

// alerts gives who administers one organization those about its sessions.
func (a *API) alerts(ctx context.Context, in *alertsInput) (*alertsOutput, error) {
	q := in.AlertQuery
	q.Org, q.Cursor, q.Limit = caller(ctx).scope.Org, in.PageQuery.Cursor, in.PageQuery.Limit
	found, next, err := a.Alerts.Alerts(ctx, q)
	return &alertsOutput{rest.Page[rest.Alert]{Items: found, NextCursor: next}}, err
}

// AlertPath names one alert. Structs that others embed are exported, or huma
// would not see their fields.
type AlertPath struct {
	ID string `path:"id" maxLength:"128"`
}

type alertOutput struct{ Body rest.Alert }

func (a *API) acknowledge(ctx context.Context, in *AlertPath) (*alertOutput, error) {
	by, err := a.onAlert(ctx, rest.AuditAcknowledge, in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := a.Alerts.Acknowledge(ctx, in.ID, by)
	return &alertOutput{changed}, err
}

type silenceInput struct {
	AlertPath
	Body rest.SilenceRequest
}

func (a *API) silence(ctx context.Context, in *silenceInput) (*alertOutput, error) {
	by, err := a.onAlert(ctx, rest.AuditSilence, in.ID)
	if err != nil {
		return nil, err
	}
	until := time.Now().UTC().Add(time.Duration(in.Body.Minutes) * time.Minute)
	by.Details = map[string]any{"minutes": in.Body.Minutes}
	changed, err := a.Alerts.Silence(ctx, in.ID, until, by)
	return &alertOutput{changed}, err
}

// onAlert makes the audit line of an act on an alert, if it is one for the
// visitor.
func (a *API) onAlert(ctx context.Context, action rest.AuditAction, id string) (rest.AuditEntry, error) {
	v := caller(ctx)
	found, err := a.Alerts.Alert(ctx, id)
	if err != nil {
		return rest.AuditEntry{}, err
	}
	if !v.scope.Covers(found.Org) {
		return rest.AuditEntry{}, fault.NotFound
	}
	return with(v.entry(action, id), found.Org, nil), nil
}

type rulesOutput struct {
	ETag string `header:"ETag" doc:"the version, for If-Match"`
	Body rest.AlertRules
}

func newRulesOutput(r rest.AlertRules) *rulesOutput {
	return &rulesOutput{ETag: etag(r.Version), Body: withoutSecrets(r)}
}

func (a *API) rules(ctx context.Context, _ *nothing) (*rulesOutput, error) {
	found, err := a.Rules.Rules(ctx)
	if err != nil {
		return nil, err
	}
	return newRulesOutput(found), nil
}

type putRulesInput struct {
	IfMatch string `header:"If-Match" doc:"the ETag of the rules that you read; without it, whatever they are now"`
	Body    rest.AlertRules
}

// putRules replaces all rules; with If-Match only if nobody changed them since
// they were read. A version in the body is what GET gave, and not read.
func (a *API) putRules(ctx context.Context, in *putRulesInput) (*rulesOutput, error) {
	now, err := a.Rules.Rules(ctx)
	if err != nil {
		return nil, err
	}
	version, err := ifMatch(in.IfMatch, now.Version)
	if err != nil {
		return nil, err
	}
	if version == rest.AnyVersion {
		version = now.Version
	}
	changed, err := a.Rules.SetRules(ctx, in.Body, version, caller(ctx).entry(rest.AuditRules, ""))
	if err != nil {
		return nil, err
	}
	return newRulesOutput(changed), nil
}

// withoutSecrets is the last door: a secret is taken and never given back.
func withoutSecrets(r rest.AlertRules) rest.AlertRules {
	webhooks := make([]rest.Webhook, len(r.Webhooks))
	for i, w := range r.Webhooks {
		webhooks[i] = rest.Webhook{URL: w.URL, HasSecret: w.HasSecret || w.Secret != ""}
	}
	r.Webhooks = webhooks
	return r
}
