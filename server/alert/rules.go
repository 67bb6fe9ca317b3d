package alert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"parley/server/fault"
	"parley/server/settings"
	"parley/shared/rest"
)

// Limits of rules and webhooks.
const (
	MaxRules    = 50
	MaxWebhooks = 10
	MaxTitle    = 120       // characters
	MaxFor      = time.Hour // longer is history's business
	MinSecret   = 16        // bytes
	MaxSecret   = 256
	// maxCertificateDays is the highest limit of a certificate's days: public ones are good
	// for less, and who has one of ten years has no use for a rule.
	maxCertificateDays = 398
)

// maxAtLeast is the highest cap: more calls than that there never are.
func maxAtLeast() int {
	d, _ := settings.DefinitionOf(rest.SettingMaxSessions)
	return d.Max
}

// Units of values.
const (
	unitShare = "ratio"
	unitMOS   = "mos"
	unitCount = "count"
	unitDays  = "days"
)

// metric is what can be asked of one.
type metric struct {
	unit          string
	includesLimit bool    // the limit itself counts
	maxLimit      float64 // of a limit
	isBelow       bool    // what falls below the limit counts, not what rises above
}

func (m metric) exceeds(value, limit float64) bool {
	if m.isBelow {
		return value < limit
	}
	return value > limit || m.includesLimit && value >= limit
}

// metrics is the closed set, made once: each rule looks into it each second.
var metrics = sync.OnceValue(func() map[string]metric {
	return map[string]metric{
		rest.AlertPoorCalls:       {unit: unitShare, maxLimit: 1},
		rest.AlertPoorCall:        {unit: unitMOS},
		rest.AlertLiveOfCap:       {unit: unitShare, includesLimit: true, maxLimit: 1},
		rest.AlertSetupFailures:   {unit: unitShare, maxLimit: 1},
		rest.AlertRefusedSignIns:  {unit: unitCount, includesLimit: true, maxLimit: maxSignIns},
		rest.AlertStorageAttempts: {unit: unitCount, includesLimit: true, maxLimit: 1e6},
		rest.AlertLogFailures:     {unit: unitCount, includesLimit: true, maxLimit: 1e6},
		rest.AlertStreamsRefused:  {unit: unitCount, includesLimit: true, maxLimit: 1e6},
		rest.AlertAuditChain:      {unit: unitCount, includesLimit: true, maxLimit: 1},
		rest.AlertCertificateDays: {unit: unitDays, isBelow: true, maxLimit: maxCertificateDays},
		rest.AlertDiskUsed:        {unit: unitShare, includesLimit: true, maxLimit: 1},
		rest.AlertCapRefusals:     {unit: unitCount, includesLimit: true, maxLimit: 1e6},
		rest.AlertStaleKeys:       {unit: unitCount, includesLimit: true, maxLimit: 1},
		rest.AlertSlowAnswers:     {unit: unitShare, maxLimit: 1},
		rest.AlertAnomaly:         {}, // each has the unit of its figure
	}
})

// DefaultRules are those of a server where nobody set any.
func DefaultRules() []rest.AlertRule {
	rules := []rest.AlertRule{
		{ID: "poor_calls", Title: "Poor calls above 10 %", Metric: rest.AlertPoorCalls, Above: 0.1, ForS: 180, AtLeast: 5},
		{ID: "poor_call", Title: "A call is poor", Metric: rest.AlertPoorCall},
		{ID: "live_of_cap", Title: "Calls at 90 % of the cap", Metric: rest.AlertLiveOfCap, Above: 0.9},
		// Of fewer than 5 calls one that fails is no share.
		{ID: "setup_failures", Title: "Setup failures above 5 %", Metric: rest.AlertSetupFailures, Above: 0.05, ForS: 300, AtLeast: 5},
		{ID: "refused_sign_ins", Title: "Failed sign-ins from one address", Metric: rest.AlertRefusedSignIns, Above: 10, ForS: 300},
		{ID: "storage_attempts", Title: "Storage attempt blocked", Metric: rest.AlertStorageAttempts, Above: 1, ForS: 60},
		{ID: "log_write_failures", Title: "Access log is failing", Metric: rest.AlertLogFailures, Above: 1, ForS: 60},
		{ID: "streams_refused", Title: "Admin stream refused", Metric: rest.AlertStreamsRefused, Above: 1, ForS: 60},
		{ID: "audit_chain_broken", Title: "The audit log is not what was written", Metric: rest.AlertAuditChain, Above: 1, ForS: 1},
		// Renewal begins with a third of 90 days left: with 14 it has failed for two weeks.
		{ID: "certificate_days", Title: "The certificate ends in less than 14 days", Metric: rest.AlertCertificateDays, Above: 14},
		{ID: "disk_used", Title: "The disk is 90 % full", Metric: rest.AlertDiskUsed, Above: 0.9, ForS: 60},
		// One caller's page tries again four times a minute.
		{ID: "cap_refusals", Title: "Callers find all lines busy", Metric: rest.AlertCapRefusals, Above: 5, ForS: 60},
		{ID: "stale_keys", Title: "The issuer's keys can't be fetched", Metric: rest.AlertStaleKeys, Above: 1, ForS: 60},
		{ID: "anomaly", Title: "Not as usual at this hour", Metric: rest.AlertAnomaly},
		// More than 1 of 20 is a 95th percentile above it; of fewer than 20 one is no share.
		{ID: "slow_answers", Title: "First word over 2 s in 5 % of answers", Metric: rest.AlertSlowAnswers, Above: 0.05, ForS: 300, AtLeast: 20},
	}
	for i := range rules {
		rules[i].Enabled, rules[i].Webhooks = true, true
	}
	return rules
}

// editions are those of the built-in rules that came after the first
// (rest.AlertRulesEdition).
var editions = map[string]int{
	"audit_chain_broken": 2,
	"certificate_days":   3, "disk_used": 3, "cap_refusals": 3, "stale_keys": 3,
	"anomaly":      4,
	"slow_answers": 5,
}

// addedSince returns the built-in rules that are younger than rules of somebody's
// own. Who puts rules in this release has seen them: what they take out stays out.
func addedSince(own rest.AlertRules) (added []rest.AlertRule) {
	for _, rule := range DefaultRules() {
		isOwn := slices.ContainsFunc(own.Rules, func(r rest.AlertRule) bool { return r.ID == rule.ID })
		if editions[rule.ID] > max(own.Edition, 1) && !isOwn && len(own.Rules)+len(added) < MaxRules {
			added = append(added, rule)
		}
	}
	return added
}

// Rules gives rules and webhooks as they are shown: without secrets, and masked.
func (a *Alerts) Rules() rest.AlertRules {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shownLocked(a.rules)
}

// mu must be held.
func (a *Alerts) shownLocked(r rest.AlertRules) rest.AlertRules {
	r.Rules, r.Webhooks = slices.Clone(r.Rules), slices.Clone(r.Webhooks)
	r.Fired, r.FiredSince = a.firedLocked(time.Now())
	r.LearningHours = a.cfg.LearningHours()
	for i := range r.Rules {
		r.Rules[i].Title = a.cfg.Mask(r.Rules[i].Title)
	}
	for i := range r.Webhooks {
		r.Webhooks[i].HasSecret, r.Webhooks[i].Secret = r.Webhooks[i].Secret != "", ""
	}
	return r
}

// PutRules is how rules are made durable: together with their record, if the
// version is still the one that was read. It gives the new version.
type PutRules func(ctx context.Context, ifVersion int64, rules []rest.AlertRule, webhooks []rest.Webhook) (int64, error)

// Change puts rules and webhooks in the place of those there were: want.Version
// is the one they were read with; a negative one stands for whatever there is. A
// webhook without a secret keeps the one it has. What is out of range, or a new
// webhook whose host doesn't resolve to addresses it may go to, is a *fault.BadField, an error of put comes back as it is, and with either nothing
// changes. Alerts of rules that are gone or mean something else now are resolved.
func (a *Alerts) Change(ctx context.Context, want rest.AlertRules, put PutRules) (rest.AlertRules, error) {
	if want.Version > a.version() { // another node's, of which this one hasn't heard
		if err := a.Follow(ctx); err != nil {
			return rest.AlertRules{}, err
		}
	}
	for tries := 0; ; tries++ {
		changed, err := a.change(ctx, want, put)
		if !errors.Is(err, fault.Conflict) {
			return changed, err
		}
		if followed := a.Follow(ctx); followed != nil || want.Version >= 0 || tries == conflictTries {
			return changed, err
		}
	}
}

// conflictTries is how often a change of whatever there is is tried again when another
// node's came first.
const conflictTries = 3

func (a *Alerts) version() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rules.Version
}

func (a *Alerts) change(ctx context.Context, want rest.AlertRules, put PutRules) (rest.AlertRules, error) {
	a.mu.Lock()
	have := a.rules.Webhooks
	want = mergeRules(want, have)
	for i := range want.Rules {
		want.Rules[i].Title = a.cfg.Mask(want.Rules[i].Title)
	}
	if want.Version < 0 {
		want.Version = a.rules.Version
	}
	a.mu.Unlock()
	if err := a.checkRules(want); err != nil {
		return rest.AlertRules{}, err
	}
	isSet := func(w rest.Webhook) bool {
		return slices.ContainsFunc(have, func(h rest.Webhook) bool { return h.URL == w.URL })
	}
	if err := a.checkNewWebhooks(ctx, want.Webhooks, isSet); err != nil {
		return rest.AlertRules{}, err
	}
	version, err := put(ctx, want.Version, want.Rules, want.Webhooks)
	if err != nil {
		return rest.AlertRules{}, err
	}
	want.Version = version
	now := time.Now()
	a.mu.Lock()
	changed, sends := a.applyRulesLocked(now, want)
	a.mu.Unlock()
	a.publish(changed, sends)
	return a.shownLocked(want), nil
}

// mergeRules gives webhooks that come without a secret the one that they have.
func mergeRules(want rest.AlertRules, have []rest.Webhook) rest.AlertRules {
	want.Rules, want.Webhooks = append([]rest.AlertRule{}, want.Rules...), append([]rest.Webhook{}, want.Webhooks...)
	for i := range want.Webhooks {
		w := &want.Webhooks[i]
		if j := slices.IndexFunc(have, func(h rest.Webhook) bool { return h.URL == w.URL }); j >= 0 && w.Secret == "" {
			w.Secret = have[j].Secret
		}
		w.HasSecret = w.Secret != ""
	}
	return want
}

// applyRulesLocked takes rules on. mu must be held.
func (a *Alerts) applyRulesLocked(now time.Time, rules rest.AlertRules) (changed []rest.Alert, sends []plannedDelivery) {
	if rules.Version < a.rules.Version {
		return nil, nil // a later change overtook this one
	}
	for k, w := range a.watches {
		if was, is := ruleOf(a.rules, k.rule), ruleOf(rules, k.rule); conditionOf(was) == conditionOf(is) {
			continue
		}
		delete(a.watches, k)
		if w.alert != nil {
			changed = append(changed, a.resolveLocked(now, w))
		}
	}
	sends = a.deliveriesLocked(now, changed)
	a.rules = rules
	return changed, sends
}

func ruleOf(r rest.AlertRules, id string) rest.AlertRule {
	if i := slices.IndexFunc(r.Rules, func(r rest.AlertRule) bool { return r.ID == id }); i >= 0 {
		return r.Rules[i]
	}
	return rest.AlertRule{}
}

// conditionOf returns a rule without what doesn't change its judgment.
func conditionOf(r rest.AlertRule) rest.AlertRule {
	r.Title, r.Webhooks = "", false
	return r
}

func (a *Alerts) checkRules(r rest.AlertRules) error {
	if len(r.Rules) > MaxRules {
		return &fault.BadField{Field: "rules", Detail: fmt.Sprintf("use at most %d rules", MaxRules)}
	}
	if len(r.Webhooks) > MaxWebhooks {
		return &fault.BadField{Field: "webhooks", Detail: fmt.Sprintf("use at most %d webhooks", MaxWebhooks)}
	}
	ids := make(map[string]bool)
	for i, rule := range r.Rules {
		at := fmt.Sprintf("rules[%d].", i)
		if ids[rule.ID] {
			return &fault.BadField{Field: at + "id", Detail: "another rule has this id"}
		}
		ids[rule.ID] = true
		if err := checkRule(at, rule); err != nil {
			return err
		}
	}
	for i, hook := range r.Webhooks {
		if slices.ContainsFunc(r.Webhooks[:i], func(h rest.Webhook) bool { return h.URL == hook.URL }) {
			return &fault.BadField{Field: fmt.Sprintf("webhooks[%d].url", i), Detail: "another webhook has this address"}
		}
		if err := a.checkWebhook(fmt.Sprintf("webhooks[%d].", i), hook); err != nil {
			return err
		}
	}
	return nil
}

var ruleID = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func checkRule(at string, r rest.AlertRule) error {
	m, known := metrics()[r.Metric]
	longest := int(MaxFor / time.Second)
	switch title := utf8.RuneCountInString(r.Title); {
	case !ruleID.MatchString(r.ID):
		return &fault.BadField{Field: at + "id", Detail: "use 1 to 64 of a–z, 0–9, _ and -"}
	case title < 1 || title > MaxTitle || !utf8.ValidString(r.Title):
		return &fault.BadField{Field: at + "title", Detail: fmt.Sprintf("use 1 to %d characters", MaxTitle)}
	case !known:
		return &fault.BadField{Field: at + "metric", Detail: "not a metric of this server"}
	case math.IsNaN(r.Above) || r.Above < 0 || r.Above > m.maxLimit || (m.includesLimit || m.isBelow) && r.Above == 0:
		return &fault.BadField{Field: at + "above", Detail: fmt.Sprintf("use at most %v", m.maxLimit)}
	case r.ForS < 0 || r.ForS > longest || m.unit == unitCount && r.ForS == 0:
		return &fault.BadField{Field: at + "for_s", Detail: fmt.Sprintf("use 1 to %d seconds", longest)}
	case r.AtLeast < 0 || r.AtLeast > maxAtLeast():
		return &fault.BadField{Field: at + "at_least", Detail: fmt.Sprintf("use 0 to %d", maxAtLeast())}
	}
	return nil
}

func (a *Alerts) checkWebhook(at string, h rest.Webhook) error {
	if to, isMail := mailTo(h.URL); isMail {
		return a.checkMail(at, to)
	}
	if err := allowedAddresses(a.cfg.AllowPrivate).CheckURL(h.URL); err != nil {
		return &fault.BadField{Field: at + "url", Detail: err.Error()}
	}
	if n := len(h.Secret); n < MinSecret || n > MaxSecret {
		return &fault.BadField{Field: at + "secret", Detail: fmt.Sprintf("use %d to %d bytes", MinSecret, MaxSecret)}
	}
	return nil
}
