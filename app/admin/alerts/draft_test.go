package alerts

import (
	"slices"
	"strings"
	"testing"

	"parley/app/ui"
	"parley/shared/rest"
)

func defaults() rest.AlertRules {
	rules := rest.AlertRules{Version: 3, Webhooks: []rest.Webhook{{URL: "https://hooks.example.com/a", HasSecret: true}}}
	for _, m := range measures() {
		rules.Rules = append(rules.Rules, rest.AlertRule{ID: m.metric, Title: m.titleFor(m.limitText(m.above)), Metric: m.metric,
			Above: m.above, ForS: m.forS, AtLeast: m.atLeast, Enabled: true, Webhooks: true})
	}
	return rules
}

// TestARuleIsASentence, and what the fields hold is the rule again.
func TestARuleIsASentence(t *testing.T) {
	for metric, want := range map[string]string{
		rest.AlertPoorCalls:      "When the share of poor calls is above 10 % for 3 min and there are at least 5 live calls then notify admins here and the webhooks.",
		rest.AlertPoorCall:       "When one call is poor for 30 s then notify admins here and the webhooks.",
		rest.AlertLiveOfCap:      "When the share of lines in use reaches 90 % for 0 s and there are at least 0 live calls then notify admins here and the webhooks.",
		rest.AlertRefusedSignIns: "When failed sign-ins from one address reach 10 within 5 min then notify admins here and the webhooks.",
		rest.AlertAuditChain:     "When the chain of the audit log is broken then notify admins here and the webhooks.",
	} {
		d := newDraft(defaults())
		if got := d.find(metric).words(); got != want {
			t.Errorf("%s: %q, not %q", metric, got, want)
		}
	}
	for _, r := range defaults().Rules {
		if got, problems := textOf(r).rule(); got != r || len(problems) > 0 {
			t.Errorf("%s comes back as %+v (%v)", r.ID, got, problems)
		}
	}
	odd := rest.AlertRule{ID: "x", Title: "X", Metric: rest.AlertPoorCalls, Above: .07, ForS: 90, AtLeast: 0}
	if got, _ := textOf(odd).rule(); got != odd {
		t.Errorf("%+v comes back as %+v", odd, got)
	}
}

// TestFieldsAreHeldToTheServersBounds.
func TestFieldsAreHeldToTheServersBounds(t *testing.T) {
	for _, test := range []struct{ metric, field, text, want string }{
		{rest.AlertPoorCalls, fieldAbove, "100", ""}, {rest.AlertPoorCalls, fieldAbove, "0 %", ""}, {rest.AlertPoorCalls, fieldAbove, "12.5%", ""},
		{rest.AlertPoorCalls, fieldAbove, "101 %", "Use 0 to 100 %."}, {rest.AlertPoorCalls, fieldAbove, "NaN", "Use 0 to 100 %."}, {rest.AlertPoorCalls, fieldAbove, "", "Use 0 to 100 %."},
		{rest.AlertLiveOfCap, fieldAbove, "0 %", "Use 0 to 100 %."},
		{rest.AlertRefusedSignIns, fieldAbove, "100", ""}, {rest.AlertRefusedSignIns, fieldAbove, "101", "Use 1 to 100."}, {rest.AlertStorageAttempts, fieldAbove, "0", "Use 1 to 1000000."},
		{rest.AlertPoorCalls, fieldFor, "60 min", ""}, {rest.AlertPoorCalls, fieldFor, "3600", ""}, {rest.AlertPoorCalls, fieldFor, "1 minute", ""}, {rest.AlertPoorCalls, fieldFor, "0 s", ""},
		{rest.AlertPoorCalls, fieldFor, "61 min", "Use up to 60 min, such as 3 min or 30 s."}, {rest.AlertPoorCalls, fieldFor, "1 h", "Use up to 60 min, such as 3 min or 30 s."},
		{rest.AlertSetupFailures, fieldFor, "0", "Use up to 60 min, such as 3 min or 30 s."},
		{rest.AlertPoorCalls, fieldLeast, "10000", ""}, {rest.AlertPoorCalls, fieldLeast, "10001", "Use 0 to 10 000."}, {rest.AlertPoorCalls, fieldLeast, "-1", "Use 0 to 10 000."},
		{rest.AlertPoorCalls, fieldTitle, " ", "Use 1 to 120 characters."}, {rest.AlertPoorCalls, fieldTitle, strings.Repeat("é", 120), ""}, {rest.AlertPoorCalls, fieldTitle, strings.Repeat("é", 121), "Use 1 to 120 characters."},
	} {
		d := newDraft(defaults())
		r := d.find(test.metric)
		r.set(test.field, test.text)
		if _, problems := r.rule(); problems[test.field] != test.want {
			t.Errorf("%s, %s %q: %q, not %q", test.metric, test.field, test.text, problems[test.field], test.want)
		}
	}
}

// TestATitleGoesWithItsLimit, unless it is somebody's own.
func TestATitleGoesWithItsLimit(t *testing.T) {
	d := newDraft(defaults())
	r := d.find(rest.AlertPoorCalls)
	r.set(fieldAbove, "20 %")
	if r.title != "Poor calls above 20 %" {
		t.Errorf("the title is %q", r.title)
	}
	r.set(fieldTitle, "Ours")
	r.set(fieldAbove, "30 %")
	r.set(fieldMetric, rest.AlertSetupFailures)
	if r.title != "Ours" || r.above != "5 %" || r.span != "5 min" {
		t.Errorf("another measure makes it %+v", r)
	}
}

// TestChangesAreTold rule by rule, and the same rules are none.
func TestChangesAreTold(t *testing.T) {
	d := newDraft(defaults())
	if len(d.changes()) != 0 {
		t.Fatalf("untouched, it has %+v", d.changes())
	}
	d.find(rest.AlertPoorCall).set(fieldFor, "1 min")
	d.find(rest.AlertLogFailures).set(fieldEnabled, "false")
	d.find(rest.AlertStreamsRefused).set(fieldTitle, "Streams")
	d.remove(rest.AlertAuditChain)
	id := d.add()
	d.hooks = []rest.Webhook{{URL: "https://hooks.example.com/b", Secret: "0123456789abcdef"}}
	want := []ui.Change{
		{Label: "A call is poor", Old: "When one call is poor for 30 s then notify admins here and the webhooks.", New: "When one call is poor for 1 min then notify admins here and the webhooks."},
		{Label: "Access log is failing", Old: "When lost lines of the access log reach 1 within 1 min then notify admins here and the webhooks.", New: "When lost lines of the access log reach 1 within 1 min then notify admins here and the webhooks. (off)"},
		{Label: "Title", Old: "Admin stream refused", New: "Streams"},
		{Label: "Poor calls above 10 %", New: d.find(id).words()},
		{Label: "The audit log is not what was written", Old: "When the chain of the audit log is broken then notify admins here and the webhooks."},
		{Label: "Webhook", New: "https://hooks.example.com/b"}, {Label: "Webhook", Old: "https://hooks.example.com/a"},
	}
	if got := d.changes(); !slices.Equal(got, want) {
		t.Errorf("the changes are\n%+v, not\n%+v", got, want)
	}
	result, problems := d.result()
	if problems != 0 || len(result.Rules) != len(defaults().Rules) || result.Version != 3 || result.Webhooks[0].Secret == "" {
		t.Errorf("it saves %+v (%d problems)", result, problems)
	}
}

// TestAWebhookNeedsAddressAndSecret; one that is set keeps its own.
func TestAWebhookNeedsAddressAndSecret(t *testing.T) {
	for name, test := range map[string]struct {
		hook  rest.Webhook
		isBad bool
	}{
		"set":          {rest.Webhook{URL: "https://a", HasSecret: true}, false},
		"new":          {rest.Webhook{URL: "https://a", Secret: "0123456789abcdef"}, false},
		"short secret": {rest.Webhook{URL: "https://a", Secret: "0123456789abcde"}, true},
		"set, short":   {rest.Webhook{URL: "https://a", HasSecret: true, Secret: "x"}, true},
		"no secret":    {rest.Webhook{URL: "https://a"}, true},
		"no address":   {rest.Webhook{Secret: "0123456789abcdef"}, true},
		"a mailbox":    {rest.Webhook{URL: "mailto:ops@example.org"}, false},
		"other scheme": {rest.Webhook{URL: "ftp://a", HasSecret: true}, true},
	} {
		if got := hookProblem(test.hook); (got != "") != test.isBad {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestRulesThatSomebodyElsePut are taken where nothing was typed.
func TestRulesThatSomebodyElsePut(t *testing.T) {
	d := newDraft(defaults())
	d.find(rest.AlertPoorCall).set(fieldFor, "1 min")
	d.remove(rest.AlertStreamsRefused)
	own := d.add()
	fresh := defaults()
	fresh.Version = 4
	for i := range fresh.Rules {
		switch fresh.Rules[i].ID {
		case rest.AlertPoorCall:
			fresh.Rules[i].ForS = 300
		case rest.AlertPoorCalls:
			fresh.Rules[i].Above = .2
		}
	}
	theirs := d.rebase(fresh)
	if len(theirs) != 2 {
		t.Errorf("they changed %+v", theirs)
	}
	result, _ := d.result()
	byID := map[string]rest.AlertRule{}
	for _, r := range result.Rules {
		byID[r.ID] = r
	}
	if byID[rest.AlertPoorCall].ForS != 60 || byID[rest.AlertPoorCalls].Above != .2 || byID[own].ID == "" || byID[rest.AlertStreamsRefused].ID != "" || result.Version != 4 {
		t.Errorf("it would save %+v", result)
	}
}
