package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"parley/shared/rest"
)

// Privacy asks what protects callers, with the evidence.
func (c *Client) Privacy(ctx context.Context) (rest.Privacy, error) {
	return get[rest.Privacy](ctx, c, rest.PathPrivacy)
}

// Health asks how the server does.
func (c *Client) Health(ctx context.Context) (rest.Health, error) {
	return get[rest.Health](ctx, c, rest.PathMonitorHealth)
}

// Degraded asks which parts of the server don't work while calls do.
func (c *Client) Degraded(ctx context.Context) ([]string, error) {
	ready, err := get[struct {
		Degraded []string `json:"degraded"`
	}](ctx, c, rest.PathReady)
	return ready.Degraded, err
}

// MonitoringOffSince asks the audit log when monitoring was turned off last; the zero time
// where it has no line of that.
func (c *Client) MonitoringOffSince(ctx context.Context) (time.Time, error) {
	page, err := c.Audit(ctx, rest.AuditQuery{Action: rest.AuditMonitoringOff, Outcome: "done", Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return time.Time{}, err
	}
	return page.Items[0].T, nil
}

// Settings asks for the runtime settings.
func (c *Client) Settings(ctx context.Context) (rest.Settings, error) {
	return get[rest.Settings](ctx, c, rest.PathSettings)
}

// ChangeSettings changes what change.Patch names, if the settings still have
// change.IfVersion; By is the server's to know. A conflict is a *rest.Problem.
func (c *Client) ChangeSettings(ctx context.Context, change rest.SettingsChange) (rest.Settings, error) {
	body := maps.Clone(change.Patch)
	if body == nil {
		body = map[string]json.RawMessage{}
	}
	for name, text := range map[string]string{"reason": change.Reason, "confirm": change.Confirm} {
		if text != "" {
			body[name], _ = json.Marshal(text) // a string always can be
		}
	}
	return send[rest.Settings](ctx, c, "PATCH", rest.PathSettings, body, change.IfVersion)
}

// SetIdleTimeout sets the idle timeout in minutes, for live sessions too.
func (c *Client) SetIdleTimeout(ctx context.Context, minutes int) (rest.Settings, error) {
	return send[rest.Settings](ctx, c, "POST", rest.PathTimeout, rest.TimeoutRequest{TimeoutMinutes: minutes}, rest.AnyVersion)
}

// CheckTimeouts has every deadline looked at now.
func (c *Client) CheckTimeouts(ctx context.Context) (rest.TimeoutsChecked, error) {
	return send[rest.TimeoutsChecked](ctx, c, "POST", rest.PathCheckTimeouts, nil, rest.AnyVersion)
}

// SetMonitoring turns monitoring on or off.
func (c *Client) SetMonitoring(ctx context.Context, on bool) (rest.Settings, error) {
	path := rest.PathDisable
	if on {
		path = rest.PathEnable
	}
	return send[rest.Settings](ctx, c, "POST", path, nil, rest.AnyVersion)
}

// SetPaused refuses new calls, or lets them in again; reason is for the audit log.
func (c *Client) SetPaused(ctx context.Context, isPaused bool, reason string) (rest.Settings, error) {
	path := rest.PathResume
	if isPaused {
		path = rest.PathPause
	}
	return send[rest.Settings](ctx, c, "POST", path, rest.PauseRequest{Reason: reason}, rest.AnyVersion)
}

// Acknowledge takes an alert on.
func (c *Client) Acknowledge(ctx context.Context, id string) (rest.Alert, error) {
	return send[rest.Alert](ctx, c, "POST", atPath(rest.PathAcknowledge, id), nil, rest.AnyVersion)
}

// Silence keeps webhooks from being told of an alert for some minutes.
func (c *Client) Silence(ctx context.Context, id string, minutes int) (rest.Alert, error) {
	return send[rest.Alert](ctx, c, "POST", atPath(rest.PathSilence, id), rest.SilenceRequest{Minutes: minutes}, rest.AnyVersion)
}

// AlertRules asks for rules and webhooks.
func (c *Client) AlertRules(ctx context.Context) (rest.AlertRules, error) {
	return get[rest.AlertRules](ctx, c, rest.PathAlertRules)
}

// PreviewRule asks what a rule would have fired over the last day.
func (c *Client) PreviewRule(ctx context.Context, r rest.AlertRule) (rest.AlertPreview, error) {
	return get[rest.AlertPreview](ctx, c, withQuery(rest.PathAlertPreview, rest.PreviewQuery{Metric: r.Metric, Above: r.Above, ForS: r.ForS, AtLeast: r.AtLeast}))
}

// PutAlertRules replaces rules and webhooks, if they still have the Version that
// they were read with.
func (c *Client) PutAlertRules(ctx context.Context, rules rest.AlertRules) (rest.AlertRules, error) {
	return send[rest.AlertRules](ctx, c, "PUT", rest.PathAlertRules, rules, rules.Version)
}

// TestWebhooks sends a test to each webhook and asks what came of it.
func (c *Client) TestWebhooks(ctx context.Context) (rest.Page[rest.WebhookDelivery], error) {
	return send[rest.Page[rest.WebhookDelivery]](ctx, c, "POST", rest.PathAlertTest, nil, rest.AnyVersion)
}

// WebhookDeliveries asks for the deliveries of late, the last taken first.
func (c *Client) WebhookDeliveries(ctx context.Context) (rest.Page[rest.WebhookDelivery], error) {
	return get[rest.Page[rest.WebhookDelivery]](ctx, c, rest.PathDeliveries)
}

// Agents asks how each agent does.
func (c *Client) Agents(ctx context.Context) (rest.Page[rest.AgentStatus], error) {
	return get[rest.Page[rest.AgentStatus]](ctx, c, rest.PathAgents)
}

// CheckAgent makes a trial call to an agent, which may cost money.
func (c *Client) CheckAgent(ctx context.Context, name string) (rest.AgentCheck, error) {
	return send[rest.AgentCheck](ctx, c, "POST", atPath(rest.PathAgentCheck, name), nil, rest.AnyVersion)
}

// Nodes asks for the servers of the cluster; there are none where the server is alone.
func (c *Client) Nodes(ctx context.Context) (rest.Page[rest.Node], error) {
	return get[rest.Page[rest.Node]](ctx, c, rest.PathNodes)
}

// DrainNode has a server of the cluster take no new calls, or take them again.
func (c *Client) DrainNode(ctx context.Context, name string, isDraining bool) error {
	path := rest.PathUndrainNode
	if isDraining {
		path = rest.PathDrainNode
	}
	_, err := send[struct{}](ctx, c, "POST", atPath(path, name), nil, rest.AnyVersion)
	return err
}

// EndNodeCalls ends all calls of a server of the cluster; their callers see the reason.
func (c *Client) EndNodeCalls(ctx context.Context, name, reason string) (rest.NodeCallsEnded, error) {
	return send[rest.NodeCallsEnded](ctx, c, "POST", atPath(rest.PathEndNodeCalls, name), rest.EndRequest{Reason: reason}, rest.AnyVersion)
}

// RevokeUser ends a user's sessions and refuses the tokens issued until now, or
// all.
func (c *Client) RevokeUser(ctx context.Context, subject string, asked rest.RevokeRequest) (rest.Revoked, error) {
	return send[rest.Revoked](ctx, c, "POST", atPath(rest.PathRevokeUser, subject), asked, rest.AnyVersion)
}

// ErasePerson deletes what is kept about somebody.
func (c *Client) ErasePerson(ctx context.Context, subject, reason string) (rest.Erased, error) {
	return send[rest.Erased](ctx, c, "DELETE", atPath(rest.PathPersonData, subject), rest.EraseRequest{Reason: reason}, rest.AnyVersion)
}

// RevokeSession does the same to who holds or held a session.
func (c *Client) RevokeSession(ctx context.Context, id string, asked rest.RevokeRequest) (rest.Revoked, error) {
	return send[rest.Revoked](ctx, c, "POST", atPath(rest.PathRevokeSession, id), asked, rest.AnyVersion)
}

// RestoreUser takes a revocation back.
func (c *Client) RestoreUser(ctx context.Context, id int64) error {
	_, err := send[struct{}](ctx, c, "DELETE", atPath(rest.PathRevocation, strconv.FormatInt(id, 10)), nil, rest.AnyVersion)
	return err
}

// RevealPerson asks who holds a live session, unmasked. It is on record.
func (c *Client) RevealPerson(ctx context.Context, id, reason string) (rest.Person, error) {
	return send[rest.Person](ctx, c, "POST", atPath(rest.PathReveal, id), rest.RevealRequest{Reason: reason}, rest.AnyVersion)
}

// send makes a change and reads the answer. With a version, it is made only if
// nobody changed anything since that was read.
func send[T any](ctx context.Context, c *Client, method, path string, body any, ifVersion int64) (T, error) {
	var out T
	r := Request{Method: method, Path: path, Header: map[string]string{"Accept": "application/json"}}
	if body != nil {
		var err error
		if r.Body, err = json.Marshal(body); err != nil {
			return out, fmt.Errorf("%s %s: %w", method, path, err)
		}
		r.Header["Content-Type"] = "application/json"
	}
	if ifVersion != rest.AnyVersion {
		r.Header["If-Match"] = `"` + strconv.FormatInt(ifVersion, 10) + `"`
	}
	res, err := c.do(ctx, r)
	if err != nil || len(res.Body) == 0 {
		return out, err
	}
	if err := json.Unmarshal(res.Body, &out); err != nil {
		return out, fmt.Errorf("read %s: %w", path, err)
	}
	return out, nil
}
