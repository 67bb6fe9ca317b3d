package client_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"parley/app/client"
	"parley/shared/quality"
	"parley/shared/rest"
)

// echo answers an empty object and remembers what it was asked.
type echo struct{ asked client.Request }

func (e *echo) Fetch(_ context.Context, r client.Request) (client.Response, error) {
	e.asked = r
	return client.Response{Status: 200, Body: []byte("{}")}, nil
}

func TestEveryPathHasAMethod(t *testing.T) {
	noon := time.Date(2026, 3, 4, 12, 0, 0, 5e8, time.FixedZone("", 3600))
	ctx := t.Context()
	type asked struct{ request, body, ifMatch string }
	for name, c := range map[string]struct {
		ask  func(*client.Client) error
		want asked
	}{
		"own sessions": {func(c *client.Client) error {
			_, err := c.OwnSessions(ctx, rest.SessionQuery{User: "bob", Limit: 5, From: noon})
			return err
		}, asked{request: "GET /api/v1/sessions?from=2026-03-04T11%3A00%3A00.5Z&limit=5"}},
		"enter a demo": {func(c *client.Client) error {
			return c.EnterDemo(ctx, rest.DemoSignIn{As: rest.DemoAdmin, Passkey: "a-b"})
		},
			asked{"POST /api/v1/auth/demo", `{"as":"admin","passkey":"a-b"}`, ""}},
		"own session": {func(c *client.Client) error { _, err := c.OwnSession(ctx, "s/1"); return err },
			asked{request: "GET /api/v1/sessions/s%2F1"}},
		"rate own session": {func(c *client.Client) error {
			return c.RateSession(ctx, "s/1", rest.Rating{Score: 0, Tags: []rest.RatingTag{rest.TagEcho}})
		}, asked{"PUT /api/v1/sessions/s%2F1/rating", `{"score":0,"tags":["echo"]}`, ""}},
		"end own session": {func(c *client.Client) error { return c.EndOwnSession(ctx, "s/1") },
			asked{request: "POST /api/v1/sessions/s%2F1/end"}},
		"sessions": {func(c *client.Client) error {
			_, err := c.Sessions(ctx, rest.SessionQuery{User: "a b", Cause: "idle_timeout", Level: quality.Poor, Agent: "echo", To: noon,
				Cursor: "c1", UserKey: "secret", Org: "acme", Ended: true})
			return err
		}, asked{request: "GET /api/v1/monitoring/sessions?agent=echo&cause=idle_timeout&cursor=c1&quality=poor&to=2026-03-04T11%3A00%3A00.5Z&user=a+b"}},
		"session": {func(c *client.Client) error { _, err := c.Session(ctx, "s/1"); return err },
			asked{request: "GET /api/v1/monitoring/sessions/s%2F1"}},
		"extend a session": {func(c *client.Client) error { return c.ExtendSession(ctx, "s/1") },
			asked{request: "POST /api/v1/monitoring/sessions/s%2F1/extend"}},
		"logs": {func(c *client.Client) error {
			_, err := c.Logs(ctx, rest.LogQuery{Session: "s", Path: "/api/*", Method: "GET", Status: "4xx", Kind: rest.LogSocket, Q: "é&"})
			return err
		}, asked{request: "GET /api/v1/monitoring/logs?kind=ws&method=GET&path=%2Fapi%2F%2A&q=%C3%A9%26&session=s&status=4xx"}},
		"nothing asked": {func(c *client.Client) error { _, err := c.Logs(ctx, rest.LogQuery{}); return err },
			asked{request: "GET /api/v1/monitoring/logs"}},
		"activities": {func(c *client.Client) error {
			_, err := c.Activities(ctx, rest.ActivityQuery{Kind: rest.ActivityCall})
			return err
		}, asked{request: "GET /api/v1/monitoring/activities?kind=call"}},
		"audit": {func(c *client.Client) error {
			_, err := c.Audit(ctx, rest.AuditQuery{Actor: "root", Action: rest.AuditView, Target: "s", Outcome: "done"})
			return err
		}, asked{request: "GET /api/v1/monitoring/audit?action=view&actor=root&outcome=done&target=s"}},
		"monitoring off since": {func(c *client.Client) error { _, err := c.MonitoringOffSince(ctx); return err },
			asked{request: "GET /api/v1/monitoring/audit?action=monitoring_off&limit=1&outcome=done"}},
		"log counts": {func(c *client.Client) error {
			_, err := c.LogCounts(ctx, rest.LogQuery{Status: "5xx", From: noon})
			return err
		},
			asked{request: "GET /api/v1/monitoring/logs/counts?from=2026-03-04T11%3A00%3A00.5Z&status=5xx"}},
		"audit counts": {func(c *client.Client) error { _, err := c.AuditCounts(ctx, rest.AuditQuery{Q: "x"}); return err },
			asked{request: "GET /api/v1/monitoring/audit/counts?q=x"}},
		"usage": {func(c *client.Client) error {
			_, err := c.Usage(ctx, rest.UsageQuery{Group: "day,user", Agent: "openai", To: noon, Org: "acme", Limit: 5})
			return err
		}, asked{request: "GET /api/v1/monitoring/usage?agent=openai&group=day%2Cuser&limit=5&to=2026-03-04T11%3A00%3A00.5Z"}},
		"nodes":   {func(c *client.Client) error { _, err := c.Nodes(ctx); return err }, asked{request: "GET /api/v1/monitoring/nodes"}},
		"drain":   {func(c *client.Client) error { return c.DrainNode(ctx, "a b", true) }, asked{request: "POST /api/v1/monitoring/nodes/a%20b/drain"}},
		"undrain": {func(c *client.Client) error { return c.DrainNode(ctx, "a", false) }, asked{request: "POST /api/v1/monitoring/nodes/a/undrain"}},
		"end a node's calls": {func(c *client.Client) error { _, err := c.EndNodeCalls(ctx, "a", "move"); return err },
			asked{"POST /api/v1/monitoring/nodes/a/end", `{"reason":"move"}`, ""}},
		"agents": {func(c *client.Client) error { _, err := c.Agents(ctx); return err }, asked{request: "GET /api/v1/monitoring/agents"}},
		"check an agent": {func(c *client.Client) error { _, err := c.CheckAgent(ctx, "a/b"); return err },
			asked{request: "POST /api/v1/monitoring/agents/a%2Fb/check"}},
		"alerts": {func(c *client.Client) error {
			_, err := c.Alerts(ctx, rest.AlertQuery{State: rest.AlertFiring})
			return err
		}, asked{request: "GET /api/v1/monitoring/alerts?state=firing"}},
		"privacy":     {func(c *client.Client) error { _, err := c.Privacy(ctx); return err }, asked{request: "GET /api/v1/monitoring/privacy"}},
		"health":      {func(c *client.Client) error { _, err := c.Health(ctx); return err }, asked{request: "GET /api/v1/monitoring/health"}},
		"degraded":    {func(c *client.Client) error { _, err := c.Degraded(ctx); return err }, asked{request: "GET /readyz"}},
		"settings":    {func(c *client.Client) error { _, err := c.Settings(ctx); return err }, asked{request: "GET /api/v1/monitoring/settings"}},
		"alert rules": {func(c *client.Client) error { _, err := c.AlertRules(ctx); return err }, asked{request: "GET /api/v1/monitoring/alerts/rules"}},
		"change settings": {func(c *client.Client) error {
			_, err := c.ChangeSettings(ctx, rest.SettingsChange{
				Patch: map[string]json.RawMessage{rest.SettingPrivacy: json.RawMessage("false")}, IfVersion: 3, Reason: "why", Confirm: rest.PrivacyOffPhrase,
			})
			return err
		}, asked{"PATCH /api/v1/monitoring/settings", `{"confirm":"turn off privacy","privacy_mode":false,"reason":"why"}`, `"3"`}},
		"change whatever there is": {func(c *client.Client) error {
			_, err := c.ChangeSettings(ctx, rest.SettingsChange{IfVersion: rest.AnyVersion})
			return err
		}, asked{"PATCH /api/v1/monitoring/settings", `{}`, ""}},
		"idle timeout": {func(c *client.Client) error { _, err := c.SetIdleTimeout(ctx, 20); return err },
			asked{"POST /api/v1/monitoring/timeout", `{"timeout_minutes":20}`, ""}},
		"check timeouts": {func(c *client.Client) error { _, err := c.CheckTimeouts(ctx); return err }, asked{request: "POST /api/v1/monitoring/check-timeouts"}},
		"enable":         {func(c *client.Client) error { _, err := c.SetMonitoring(ctx, true); return err }, asked{request: "POST /api/v1/monitoring/enable"}},
		"disable":        {func(c *client.Client) error { _, err := c.SetMonitoring(ctx, false); return err }, asked{request: "POST /api/v1/monitoring/disable"}},
		"pause": {func(c *client.Client) error { _, err := c.SetPaused(ctx, true, "move"); return err },
			asked{"POST /api/v1/monitoring/pause", `{"reason":"move"}`, ""}},
		"resume":      {func(c *client.Client) error { _, err := c.SetPaused(ctx, false, ""); return err }, asked{"POST /api/v1/monitoring/resume", `{}`, ""}},
		"acknowledge": {func(c *client.Client) error { _, err := c.Acknowledge(ctx, "a1"); return err }, asked{request: "POST /api/v1/monitoring/alerts/a1/acknowledge"}},
		"silence": {func(c *client.Client) error { _, err := c.Silence(ctx, "a1", 60); return err },
			asked{"POST /api/v1/monitoring/alerts/a1/silence", `{"minutes":60}`, ""}},
		"test webhooks": {func(c *client.Client) error { _, err := c.TestWebhooks(ctx); return err },
			asked{request: "POST /api/v1/monitoring/alerts/test"}},
		"deliveries": {func(c *client.Client) error { _, err := c.WebhookDeliveries(ctx); return err },
			asked{request: "GET /api/v1/monitoring/alerts/deliveries"}},
		"try a rule": {func(c *client.Client) error {
			_, err := c.PreviewRule(ctx, rest.AlertRule{ID: "x", Metric: rest.AlertLiveOfCap, Above: 0.9, ForS: 60})
			return err
		}, asked{request: "GET /api/v1/monitoring/alerts/preview?above=0.9&for_s=60&metric=live_of_cap"}},
		"put alert rules": {func(c *client.Client) error {
			_, err := c.PutAlertRules(ctx, rest.AlertRules{Version: 7, Rules: []rest.AlertRule{}, Webhooks: []rest.Webhook{}})
			return err
		}, asked{"PUT /api/v1/monitoring/alerts/rules", `{"version":7,"rules":[],"webhooks":[]}`, `"7"`}},
		"revoke": {func(c *client.Client) error { _, err := c.RevokeUser(ctx, "a@b", rest.RevokeRequest{}); return err },
			asked{"POST /api/v1/monitoring/users/a@b/revoke", `{}`, ""}},
		"block by session": {func(c *client.Client) error {
			_, err := c.RevokeSession(ctx, "s1", rest.RevokeRequest{Block: true, Reason: "why"})
			return err
		}, asked{"POST /api/v1/monitoring/sessions/s1/revoke", `{"block":true,"reason":"why"}`, ""}},
		"revocations": {func(c *client.Client) error {
			_, err := c.Revocations(ctx, rest.RevocationQuery{Cursor: "c1", Org: "acme", UserKey: "secret"})
			return err
		}, asked{request: "GET /api/v1/monitoring/revocations?cursor=c1"}},
		"restore": {func(c *client.Client) error { return c.RestoreUser(ctx, 1<<60) },
			asked{request: "DELETE /api/v1/monitoring/revocations/1152921504606846976"}},
		"reveal": {func(c *client.Client) error { _, err := c.RevealPerson(ctx, "s1", "why"); return err },
			asked{"POST /api/v1/monitoring/sessions/s1/reveal", `{"reason":"why"}`, ""}},
		"end": {func(c *client.Client) error { return c.EndSession(ctx, "s1", "maintenance") },
			asked{"POST /api/v1/monitoring/sessions/s1/end", `{"reason":"maintenance"}`, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			e := new(echo)
			if err := c.ask(client.New(e, nil)); err != nil {
				t.Fatal(err)
			}
			got := asked{e.asked.Method + " " + e.asked.Path, string(e.asked.Body), e.asked.Header["If-Match"]}
			if got != c.want {
				t.Errorf("asked %+v\nwant  %+v", got, c.want)
			}
			if kind := e.asked.Header["Content-Type"]; (kind != "") != (got.body != "") {
				t.Errorf("Content-Type %q of %q", kind, got.body)
			}
		})
	}
}

func TestExportPath(t *testing.T) {
	for want, got := range map[string]string{
		"/api/v1/monitoring/export/logs?status=5xx&format=csv": client.ExportPath("logs", "csv", rest.LogQuery{Status: "5xx"}),
		"/api/v1/monitoring/export/audit?format=ndjson":        client.ExportPath("audit", "ndjson", rest.AuditQuery{}),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
