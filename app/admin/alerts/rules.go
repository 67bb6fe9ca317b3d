package alerts

import (
	"context"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// RuleServer is what the page of the rules needs. *client.Client is one.
type RuleServer interface {
	// PreviewRule tells what a rule would have fired lately.
	PreviewRule(ctx context.Context, rule rest.AlertRule) (rest.AlertPreview, error)
	AlertRules(ctx context.Context) (rest.AlertRules, error)
	// PutAlertRules replaces them if they still have rules.Version; else it is a
	// *rest.Problem with status 409.
	PutAlertRules(ctx context.Context, rules rest.AlertRules) (rest.AlertRules, error)
	TestWebhooks(ctx context.Context) (rest.Page[rest.WebhookDelivery], error)
	WebhookDeliveries(ctx context.Context) (rest.Page[rest.WebhookDelivery], error)
}

// Which dialog is open.
const (
	noDialog     = ""
	reviewDialog = "review"
	theirsDialog = "theirs"
)

// Rules shows the rules as sentences and changes them.
type Rules struct {
	app.Compo

	server     RuleServer
	ctx        app.Context
	resource   load.Resource
	isRead     bool
	draft      draft
	deliveries []rest.WebhookDelivery
	previews   map[string]string // by rule: how often it would have fired
	theirs     []ui.Change       // what somebody else changed meanwhile
	dialog     string
	busy       bool   // it is being saved, or tested
	problem    string // why it was not
}

// NewRules makes the page. Without a server it shows its skeleton.
func NewRules(s RuleServer) *Rules { return &Rules{server: s, previews: map[string]string{}} }

// OnMount asks for the rules.
func (p *Rules) OnMount(ctx app.Context) {
	p.ctx = ctx
	p.resource = load.Resource{Name: "alert rules"}
	if p.server != nil {
		p.resource.Ask = func() load.Question { return p.fetch }
	}
	p.resource.Start(ctx)
}

// OnDismount stops asking.
func (p *Rules) OnDismount() { p.resource.Stop() }

func (p *Rules) fetch(ctx context.Context) (func(), error) {
	fresh, err := p.server.AlertRules(ctx)
	if err != nil {
		return nil, err
	}
	sent, err := p.server.WebhookDeliveries(ctx)
	return func() {
		p.deliveries = sent.Items
		p.take(fresh)
	}, err
}

// take shows rules as they are now, below what was typed.
func (p *Rules) take(fresh rest.AlertRules) {
	if !p.isRead {
		p.draft, p.isRead = newDraft(fresh), true
		return
	}
	if theirs := p.draft.rebase(fresh); len(theirs) > 0 {
		p.theirs = theirs
		ui.Announce("Someone changed this since you opened it.")
	}
}

// split parts the id of a field: of which rule, and which field.
func split(id string) (rule, field string) {
	i := strings.LastIndexByte(id, '/')
	return id[:max(i, 0)], id[i+1:]
}

func (p *Rules) edit(_ app.Context, id, text string) {
	rule, field := split(id)
	if r := p.draft.find(rule); r != nil {
		r.set(field, text)
	}
}

func (p *Rules) leave(_ app.Context, id string) {
	rule, field := split(id)
	if r := p.draft.find(rule); r != nil {
		r.left[field] = true
		p.try(*r)
	}
}

// try tells what a rule that was changed would have fired.
func (p *Rules) try(r ruleText) {
	rule, problems := r.rule()
	was := p.draft.savedRule(r.id)
	if len(problems) > 0 || was != nil && was.words() == r.words() {
		delete(p.previews, r.id)
		return
	}
	asked := r.words()
	var found rest.AlertPreview
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		found, err = p.server.PreviewRule(ctx, rule)
		return err
	}, func(_ app.Context, err error) {
		if now := p.draft.find(r.id); now == nil || now.words() != asked {
			return // it was changed again
		}
		if p.previews[r.id] = previewWords(found); err != nil {
			p.previews[r.id] = "No preview just now. " + load.Words(err)
		}
		ui.Announce(p.previews[r.id])
	})
}

func (p *Rules) add(ctx app.Context, _ app.Event) {
	id := p.draft.add()
	ctx.Defer(func(app.Context) { ui.Focus(id + "/" + fieldMetric) })
}

func (p *Rules) remove(id string) app.EventHandler {
	return func(app.Context, app.Event) {
		p.draft.remove(id)
		ui.Announce("Rule removed, when you save.")
		ui.KeepFocus()
	}
}

// editHook takes what was typed about a webhook: its id is its place.
func (p *Rules) editHook(_ app.Context, id, text string) {
	place, field := split(id)
	i, err := strconv.Atoi(strings.TrimPrefix(place, "webhook"))
	if err != nil || i >= len(p.draft.hooks) {
		return
	}
	if field == "url" {
		p.draft.hooks[i].URL = text
		p.draft.hooks[i].HasSecret = p.draft.hadSecret(text)
		return
	}
	p.draft.hooks[i].Secret = text
}

// hadSecret reports whether the webhook of an address has one on the server.
func (d draft) hadSecret(url string) bool {
	for _, h := range d.saved.Webhooks {
		if h.URL == url {
			return h.HasSecret
		}
	}
	return false
}

func (p *Rules) addHook(ctx app.Context, _ app.Event) {
	p.draft.hooks = append(p.draft.hooks, rest.Webhook{})
	id := hookID(len(p.draft.hooks)-1) + "/url"
	ctx.Defer(func(app.Context) { ui.Focus(id) })
}

func (p *Rules) removeHook(i int) app.EventHandler {
	return func(app.Context, app.Event) {
		if i < len(p.draft.hooks) {
			p.draft.hooks = append(p.draft.hooks[:i:i], p.draft.hooks[i+1:]...)
			ui.KeepFocus()
		}
	}
}

func hookID(i int) string { return "webhook" + strconv.Itoa(i) }

func (p *Rules) review(app.Context, app.Event)    { p.dialog, p.problem = reviewDialog, "" }
func (p *Rules) seeTheirs(app.Context, app.Event) { p.dialog = theirsDialog }
func (p *Rules) closeDialog(app.Context)          { p.dialog = noDialog }

func (p *Rules) discard(app.Context, app.Event) {
	p.draft, p.theirs = newDraft(p.draft.saved), nil
	clear(p.previews)
	ui.Announce("Changes discarded.")
	ui.KeepFocus()
}

// save puts the rules in the place of those there are.
func (p *Rules) save(_ app.Context, _ string) {
	rules, problems := p.draft.result()
	if problems > 0 {
		return
	}
	p.busy, p.problem = true, ""
	var saved rest.AlertRules
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		saved, err = p.server.PutAlertRules(ctx, rules)
		return err
	}, func(_ app.Context, err error) {
		p.busy = false
		switch refused := load.Refused(err); {
		case err == nil:
			p.draft, p.theirs, p.dialog = newDraft(saved), nil, noDialog
			clear(p.previews)
			ui.Announce("Rules saved.")
		case refused != nil && refused.Status == 409:
			p.dialog = noDialog
			p.resource.Reload() // its answer tells what changed
		default:
			p.problem = load.Words(err)
		}
	})
}

// test sends a test to each webhook that is saved.
func (p *Rules) test(app.Context, app.Event) {
	p.busy = true
	var sent, all rest.Page[rest.WebhookDelivery]
	load.Act(p.ctx, func(ctx context.Context) (err error) {
		if sent, err = p.server.TestWebhooks(ctx); err == nil {
			all, err = p.server.WebhookDeliveries(ctx)
		}
		return err
	}, func(_ app.Context, err error) {
		p.busy, p.problem = false, load.Words(err)
		if err != nil {
			return
		}
		p.deliveries = all.Items
		ui.Announce(testWords(sent.Items))
	})
}

// testWords say what came of a test.
func testWords(sent []rest.WebhookDelivery) string {
	taken := 0
	for _, d := range sent {
		if d.State == rest.DeliveryDelivered {
			taken++
		}
	}
	return strconv.Itoa(taken) + " of " + strconv.Itoa(len(sent)) + " webhooks took the test."
}
