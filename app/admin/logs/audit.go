package logs

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// actions are what is audited, in words.
func actions() []ui.Option {
	words := []ui.Option{{Label: "Any action"}}
	for _, a := range [...]struct {
		action rest.AuditAction
		words  string
	}{{rest.AuditView, "viewed"}, {rest.AuditExport, "exported"}, {rest.AuditEndSession, "ended a call"},
		{rest.AuditReveal, "revealed a person"}, {rest.AuditRevoke, "revoked access"}, {rest.AuditRestore, "restored access"},
		{rest.AuditSettings, "changed settings"}, {rest.AuditPrivacyOff, "turned privacy off"}, {rest.AuditPrivacyOn, "turned privacy on"},
		{rest.AuditMonitoringOff, "turned monitoring off"}, {rest.AuditMonitoringOn, "turned monitoring on"},
		{rest.AuditPause, "paused new calls"}, {rest.AuditResume, "resumed new calls"},
		{rest.AuditDrain, "drained a server"}, {rest.AuditUndrain, "undrained a server"}, {rest.AuditEndNodeCalls, "ended a server's calls"},
		{rest.AuditCheckTimeouts, "checked timeouts"}, {rest.AuditStreamOpened, "opened the stream"}, {rest.AuditStreamClosed, "closed the stream"},
		{rest.AuditSignIn, "signed in as admin"}, {rest.AuditDenied, "was denied"}, {rest.AuditRules, "changed alert rules"},
		{rest.AuditWebhookTest, "tested webhooks"}, {rest.AuditAgentCheck, "checked an agent"}, {rest.AuditAcknowledge, "acknowledged an alert"},
		{rest.AuditSilence, "silenced an alert"}, {rest.AuditRetention, "old lines deleted"}, {rest.AuditStarted, "server started"}} {
		words = append(words, ui.Option{Value: string(a.action), Label: a.words})
	}
	return words
}

// auditLog describes the audit log.
func auditLog() kind {
	return kind{
		title: "Audit log", what: "the audit log", rows: "entries", address: "/admin/audit",
		path: rest.PathAudit, export: "audit", class: "log-audit", kept: rest.SettingAuditRetention,
		empty: ui.EmptyState{Icon: ui.IconShield, Title: "No admin actions in this time."},
		filters: []ui.Filter{
			{Key: "q", Label: "Who, what, reason, address, id…", Kind: ui.FilterText, Max: 100},
			{Key: "actor", Label: "Who", Kind: ui.FilterText, Max: 128},
			{Key: "action", Label: "Action", Kind: ui.FilterSelect, Options: actions()},
			{Key: "outcome", Label: "Result", Kind: ui.FilterSelect, Options: []ui.Option{{Label: "Any result"},
				{Value: "done", Label: "done"}, {Value: "denied", Label: "denied"}, {Value: "failed", Label: "failed"}}},
			{Key: "target", Label: "To what", Kind: ui.FilterText, Max: 300},
			nodeFilter(),
		},
		columns: []ui.Column{
			{Key: "t", Title: "Time", Card: ui.PlaceMore},
			{Key: "actor", Title: "Who", Card: ui.PlaceLead},
			{Key: "action", Title: "Did what", Card: ui.PlaceLead},
			{Key: "target", Title: "To what", Card: ui.PlaceMore},
			{Key: "outcome", Title: "Result", Card: ui.PlaceSide},
			{Key: "reason", Title: "Reason", Card: ui.PlaceMore},
			{Key: "remote", Title: "From", Card: ui.PlaceGone},
			{Key: "seq", Title: "Entry", Number: true, Card: ui.PlaceGone},
		},
		filterOn: map[string]string{"node": keyNode, "actor": "actor", "action": "action", "target": "target", "outcome": "outcome", "remote": "q", "request_id": "q", "reason": "q"},
		list:     listAudit,
		count: func(ctx context.Context, s Server, q url.Values) (rest.Counts, error) {
			return s.AuditCounts(ctx, auditQuery(q))
		},
		link: func(l line) string {
			from := l.at.UTC().Truncate(time.Second)
			return ui.KeyFrom + "=" + from.Format(time.RFC3339) + "&" + ui.KeyTo + "=" + from.Add(time.Second).Format(time.RFC3339) +
				"&" + keyID + "=" + l.key
		},
	}
}

// auditQuery is what is asked for, in the interface's words.
func auditQuery(q url.Values) rest.AuditQuery {
	return rest.AuditQuery{
		Actor: q.Get("actor"), Action: rest.AuditAction(q.Get("action")), Target: q.Get("target"), Outcome: q.Get("outcome"), Q: q.Get("q"),
		From: moment(q, ui.KeyFrom), To: moment(q, ui.KeyTo), Cursor: q.Get("cursor"), Limit: number(q, keyLimit), Node: q.Get(keyNode),
	}
}

func listAudit(ctx context.Context, s Server, q url.Values) (batch, error) {
	page, err := s.Audit(ctx, auditQuery(q))
	got := batch{next: page.NextCursor, chain: &page.Chain}
	for _, e := range page.Items {
		seq := strconv.FormatInt(e.Seq, 10)
		got.lines = append(got.lines, line{
			id: strconv.FormatInt(e.ID, 10), key: seq, at: e.T, isError: e.Outcome != "done", value: e,
			name: e.Actor + " " + actionWord(e.Action) + ", " + ui.Clock(e.T),
			cells: func() []app.UI {
				return []app.UI{timeCell(e.T), textCell(e.Actor), app.Span().Title(string(e.Action)).Text(actionWord(e.Action)),
					textCell(targetWords(e)), outcomeCell(e.Outcome), textCell(e.Reason), textCell(e.Remote), app.Span().Class("num").Text(ui.Count(e.Seq))}
			},
		})
	}
	return got, err
}

// targetWords are what an entry is about: who looks at a list looks at no one thing.
func targetWords(e rest.AuditEntry) string {
	what, _ := e.Details["resource"].(string)
	return cmp.Or(e.Target, strings.ReplaceAll(what, "_", " "))
}

func actionWord(a rest.AuditAction) string {
	for _, o := range actions() {
		if o.Value == string(a) {
			return o.Label
		}
	}
	return string(a)
}

// outcomeCell tells what is no plain success by shape, too.
func outcomeCell(outcome string) app.UI {
	class, shape := 2, "✓"
	switch outcome {
	case "denied":
		class, shape = 4, "!"
	case "failed":
		class, shape = 5, "✕"
	}
	return app.Span().Class("log-status", "log-status-"+strconv.Itoa(class)).Body(
		app.Span().Class("log-shape").Aria("hidden", true).Text(shape), app.Span().Text(outcome))
}
