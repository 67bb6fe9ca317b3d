package api

import (
	"context"

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
	found, next, err := a.Alerts.List(q)
	return &alertsOutput{rest.Page[rest.Alert]{Items: found, NextCursor: next}}, err
}

// AlertPath names one alert. Structs that others embed are exported, or huma
// would not see their fields.
type AlertPath struct {
	ID string `path:"id" maxLength:"128"`
}

type alertOutput struct{ Body rest.Alert }

func (a *API) acknowledge(ctx context.Context, in *AlertPath) (*alertOutput, error) {
	v := caller(ctx)
	changed, err := a.AlertOperator.Acknowledge(ctx, in.ID, v.scope.Org, v.entry("", ""))
	return &alertOutput{changed}, err
}

type silenceInput struct {
	AlertPath
	Body rest.SilenceRequest
}

func (a *API) silence(ctx context.Context, in *silenceInput) (*alertOutput, error) {
	v := caller(ctx)
	changed, err := a.AlertOperator.Silence(ctx, in.ID, v.scope.Org, in.Body.Minutes, v.entry("", ""))
	return &alertOutput{changed}, err
}

type rulesOutput struct {
	ETag string `header:"ETag" doc:"the version, for If-Match"`
	Body rest.AlertRules
}

func newRulesOutput(r rest.AlertRules) *rulesOutput {
	return &rulesOutput{ETag: etag(r.Version), Body: withoutSecrets(r)}
}

func (a *API) rules(context.Context, *nothing) (*rulesOutput, error) {
	return newRulesOutput(a.Alerts.Rules()), nil
}

type previewOutput struct{ Body rest.AlertPreview }

// preview tries a rule that is nobody's yet on what was.
func (a *API) preview(ctx context.Context, in *rest.PreviewQuery) (*previewOutput, error) {
	found, err := a.Alerts.Preview(ctx, rest.AlertRule{Metric: in.Metric, Above: in.Above, ForS: in.ForS, AtLeast: in.AtLeast})
	return &previewOutput{found}, err
}

type putRulesInput struct {
	IfMatch string `header:"If-Match" doc:"the ETag of the rules that you read; without it, whatever they are now"`
	Body    rest.AlertRules
}

// putRules replaces all rules; with If-Match only if nobody changed them since
// they were read. A version in the body is what GET gave, and not read.
func (a *API) putRules(ctx context.Context, in *putRulesInput) (*rulesOutput, error) {
	version, err := ifMatch(in.IfMatch, a.Alerts.Rules().Version)
	if err != nil {
		return nil, err
	}
	rules := in.Body
	rules.Version = version
	changed, err := a.AlertOperator.SetAlertRules(ctx, rules, caller(ctx).entry("", ""))
	if err != nil {
		return nil, err
	}
	return newRulesOutput(changed), nil
}

type deliveriesOutput struct {
	Body rest.Page[rest.WebhookDelivery]
}

// testWebhooks answers when each webhook has answered, or had its 10 seconds.
func (a *API) testWebhooks(ctx context.Context, _ *nothing) (*deliveriesOutput, error) {
	sent, err := a.AlertOperator.TestWebhooks(ctx, caller(ctx).entry("", ""))
	return &deliveriesOutput{rest.Page[rest.WebhookDelivery]{Items: sent}}, err
}

func (a *API) deliveries(context.Context, *nothing) (*deliveriesOutput, error) {
	return &deliveriesOutput{rest.Page[rest.WebhookDelivery]{Items: a.Alerts.Deliveries()}}, nil
}

// withoutSecrets is the last door: a secret is taken and never given back.
func withoutSecrets(r rest.AlertRules) rest.AlertRules {
	webhooks := make([]rest.Webhook, len(r.Webhooks))
	for i, w := range r.Webhooks {
		webhooks[i] = rest.Webhook{URL: w.URL, HasSecret: w.HasSecret || w.Secret != "", Format: w.Format}
	}
	r.Webhooks = webhooks
	return r
}
