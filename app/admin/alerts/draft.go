package alerts

import (
	"slices"
	"strconv"
	"strings"

	"parley/app/ui"
	"parley/shared/rest"
)

// The fields of a rule.
const (
	fieldTitle   = "title"
	fieldMetric  = "metric"
	fieldAbove   = "above"
	fieldFor     = "for"
	fieldLeast   = "least"
	fieldNotify  = "notify"
	fieldEnabled = "enabled"
)

// ruleText is a rule as it stands in its fields.
type ruleText struct {
	id                                string
	title, metric, above, span, least string
	notify, enabled                   bool
	left                              map[string]bool // fields that were left since they were edited
}

func textOf(r rest.AlertRule) ruleText {
	return ruleText{
		id: r.ID, title: r.Title, metric: r.Metric, above: measureOf(r.Metric).limitText(r.Above), span: spanText(r.ForS),
		least: strconv.Itoa(r.AtLeast), notify: r.Webhooks, enabled: r.Enabled, left: map[string]bool{},
	}
}

// set takes what was typed into a field. A title that says the limit goes with it.
func (r *ruleText) set(field, text string) {
	m := measureOf(r.metric)
	isOwnTitle := r.title != m.titleFor(r.above)
	delete(r.left, field)
	switch field {
	case fieldTitle:
		r.title = text
	case fieldMetric:
		m = measureOf(text)
		r.metric, r.above, r.span, r.least = m.metric, m.limitText(m.above), spanText(m.forS), strconv.Itoa(m.atLeast)
	case fieldAbove:
		r.above = text
	case fieldFor:
		r.span = text
	case fieldLeast:
		r.least = text
	case fieldNotify:
		r.notify = text == "true"
	case fieldEnabled:
		r.enabled = text == "true"
	}
	if field != fieldTitle && !isOwnTitle {
		r.title = m.titleFor(r.above)
	}
}

// rule reads the fields; problems are by field.
func (r ruleText) rule() (rule rest.AlertRule, problems map[string]string) {
	m := measureOf(r.metric)
	problems = map[string]string{}
	note := func(field, problem string) {
		if problem != "" {
			problems[field] = problem
		}
	}
	var problem string
	rule = rest.AlertRule{ID: r.id, Title: strings.TrimSpace(r.title), Metric: r.metric, Above: m.above, ForS: m.forS, Enabled: r.enabled, Webhooks: r.notify}
	if m.limit != "" {
		rule.Above, problem = m.readLimit(r.above)
		note(fieldAbove, problem)
	}
	if m.lasts != "" {
		rule.ForS, problem = m.readSpan(r.span)
		note(fieldFor, problem)
	}
	if m.least != "" {
		n, err := strconv.Atoi(strings.TrimSpace(r.least))
		if err != nil || n < 0 || n > 10_000 {
			note(fieldLeast, "Use 0 to 10 000.")
		}
		rule.AtLeast = n
	}
	if n := len([]rune(rule.Title)); n < 1 || n > maxTitle {
		note(fieldTitle, "Use 1 to 120 characters.")
	}
	return rule, problems
}

// maxTitle is the server's bound of a title.
const maxTitle = 120

// part is a piece of a rule's sentence: words, or a field.
type part struct{ words, field string }

// sentence is a rule as one says it.
func (r ruleText) sentence() []part {
	m := measureOf(r.metric)
	out := []part{{words: "When"}, {field: fieldMetric}}
	if m.limit != "" {
		out = append(out, part{words: m.limit}, part{field: fieldAbove})
	}
	if m.lasts != "" {
		out = append(out, part{words: m.lasts}, part{field: fieldFor})
	}
	if m.least != "" {
		out = append(out, part{words: "and there are at least"}, part{field: fieldLeast}, part{words: m.least})
	}
	return append(out, part{words: "then notify"}, part{field: fieldNotify})
}

// words is the sentence with what stands in the fields.
func (r ruleText) words() string {
	values := map[string]string{fieldMetric: measureOf(r.metric).when, fieldAbove: r.above, fieldFor: r.span, fieldLeast: r.least, fieldNotify: "admins here"}
	if r.notify {
		values[fieldNotify] = "admins here and the webhooks"
	}
	var out []string
	for _, p := range r.sentence() {
		out = append(out, p.words+strings.TrimSpace(values[p.field]))
	}
	text := strings.Join(out, " ") + "."
	if !r.enabled {
		text += " (off)"
	}
	return text
}

// draft is what somebody made of the rules as they are saved.
type draft struct {
	saved rest.AlertRules
	rules []ruleText
	hooks []rest.Webhook
	added int // rules added, to name them
}

func newDraft(saved rest.AlertRules) draft {
	d := draft{saved: saved, hooks: slices.Clone(saved.Webhooks)}
	for _, r := range saved.Rules {
		d.rules = append(d.rules, textOf(r))
	}
	return d
}

// find returns the rule of an id, or nil.
func (d *draft) find(id string) *ruleText {
	for i := range d.rules {
		if d.rules[i].id == id {
			return &d.rules[i]
		}
	}
	return nil
}

// add appends a rule like the first of the measures, under an id of its own.
func (d *draft) add() (id string) {
	for id == "" || d.find(id) != nil {
		d.added++
		id = "rule_" + strconv.Itoa(d.added)
	}
	m := measures()[0]
	d.rules = append(d.rules, textOf(rest.AlertRule{ID: id, Title: m.titleFor(m.limitText(m.above)), Metric: m.metric,
		Above: m.above, ForS: m.forS, AtLeast: m.atLeast, Enabled: true, Webhooks: true}))
	return id
}

func (d *draft) remove(id string) {
	d.rules = slices.DeleteFunc(d.rules, func(r ruleText) bool { return r.id == id })
}

// result is what would be saved, if problems is 0.
func (d draft) result() (out rest.AlertRules, problems int) {
	out = rest.AlertRules{Version: d.saved.Version, Rules: []rest.AlertRule{}, Webhooks: []rest.Webhook{}}
	for _, r := range d.rules {
		rule, wrong := r.rule()
		problems += min(len(wrong), 1)
		out.Rules = append(out.Rules, rule)
	}
	for _, h := range d.hooks {
		if hookProblem(h) != "" {
			problems++
		}
		out.Webhooks = append(out.Webhooks, rest.Webhook{URL: strings.TrimSpace(h.URL), Secret: h.Secret, Format: h.Format})
	}
	return out, problems
}

// minSecret is the server's bound of a webhook's secret, in bytes.
const minSecret = 16

// isMailbox reports whether a webhook is sent by mail: such a one has no secret.
func isMailbox(url string) bool { return strings.HasPrefix(url, "mailto:") }

// hookProblem is what is wrong with a webhook; the server looks closer.
func hookProblem(h rest.Webhook) string {
	url := strings.TrimSpace(h.URL)
	switch {
	case isMailbox(url):
		return ""
	case !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://"):
		return "Use an address that begins with https:// or mailto:."
	case !h.HasSecret && len(h.Secret) < minSecret, h.Secret != "" && len(h.Secret) < minSecret:
		return "Use a secret of at least 16 characters."
	}
	return ""
}

// changes are what would be saved, rule by rule.
func (d draft) changes() []ui.Change {
	var out []ui.Change
	for _, r := range d.rules {
		was := d.savedRule(r.id)
		switch {
		case was == nil:
			out = append(out, ui.Change{Label: r.title, New: r.words()})
		case was.words() != r.words():
			out = append(out, ui.Change{Label: r.title, Old: was.words(), New: r.words()})
		case was.title != r.title:
			out = append(out, ui.Change{Label: "Title", Old: was.title, New: r.title})
		}
	}
	for _, s := range d.saved.Rules {
		if d.find(s.ID) == nil {
			out = append(out, ui.Change{Label: s.Title, Old: textOf(s).words()})
		}
	}
	return append(out, d.hookChanges()...)
}

func (d draft) savedRule(id string) *ruleText {
	for _, s := range d.saved.Rules {
		if s.ID == id {
			return new(textOf(s))
		}
	}
	return nil
}

func (d draft) hookChanges() (out []ui.Change) {
	has := func(in []rest.Webhook, url string) bool {
		return slices.ContainsFunc(in, func(h rest.Webhook) bool { return h.URL == url })
	}
	for _, h := range d.hooks {
		switch {
		case !has(d.saved.Webhooks, h.URL):
			out = append(out, ui.Change{Label: "Webhook", New: h.URL})
		case h.Secret != "":
			out = append(out, ui.Change{Label: "Secret of " + h.URL, Old: "kept", New: "a new one"})
		}
	}
	for _, h := range d.saved.Webhooks {
		if !has(d.hooks, h.URL) {
			out = append(out, ui.Change{Label: "Webhook", Old: h.URL})
		}
	}
	return out
}

// rebase takes the rules as they are saved by now: what somebody else did is told,
// and taken where nothing was typed; what was typed stays.
func (d *draft) rebase(fresh rest.AlertRules) (theirs []ui.Change) {
	before := *d
	untouched := newDraft(d.saved)
	now := newDraft(fresh)
	now.added = d.added
	theirs = draft{saved: d.saved, rules: now.rules, hooks: fresh.Webhooks}.changes()
	for _, mine := range before.rules {
		was := untouched.find(mine.id)
		if was != nil && was.words() == mine.words() && was.title == mine.title {
			continue
		}
		if at := now.find(mine.id); at != nil {
			*at = mine
			continue
		}
		now.rules = append(now.rules, mine)
	}
	for _, s := range before.saved.Rules {
		if before.find(s.ID) == nil {
			now.remove(s.ID)
		}
	}
	if len(before.hookChanges()) > 0 {
		now.hooks = before.hooks
	}
	*d = now
	return theirs
}
