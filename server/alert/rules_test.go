package alert_test

import (
	"context"
	"errors"
	"maps"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/server/fault"
	"parley/shared/rest"
)

const secret = "0123456789abcdef"

// names are all that a resolver knows.
type names map[string][]string

// LookupNetIP implements alert.Resolver.
func (n names) LookupNetIP(ctx context.Context, _, host string) (all []netip.Addr, err error) {
	addresses, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if addresses == nil { // a server that never answers
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, a := range addresses {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, nil
}

// public are names of hosts elsewhere, and of some that only seem to be.
var public = names{
	"hooks.example": {"8.8.8.8", "2606:4700::1111"}, "a.example": {"8.8.4.4"}, "b.example": {"1.1.1.1"}, "evil.example": {"9.9.9.9"},
	"empty.example": {}, "silent.example": nil, "inside.example": {"10.1.2.3"}, "mixed.example": {"8.8.8.8", "::ffff:127.0.0.1"},
	"metadata.example": {"169.254.169.254"},
}

func quiet() alert.Config {
	return alert.Config{Readings: func() alert.Readings { return alert.Readings{} }, Resolver: public}
}

// rules are the default ones with a change.
func rules(change func(*rest.AlertRules)) rest.AlertRules {
	r := rest.AlertRules{Rules: alert.DefaultRules(), Webhooks: []rest.Webhook{{URL: "https://hooks.example/x?key=1", Secret: secret}}}
	change(&r)
	return r
}

func TestRulesAreChecked(t *testing.T) {
	many := func(n int, change func(i int, r *rest.AlertRules)) func(*rest.AlertRules) {
		return func(r *rest.AlertRules) {
			for i := range n {
				change(i, r)
			}
		}
	}
	name := func(i int) string { return strings.Repeat("x", i+1) }
	first := func(change func(*rest.AlertRule)) func(*rest.AlertRules) {
		return func(r *rest.AlertRules) { change(&r.Rules[0]) }
	}
	hook := func(url string) func(*rest.AlertRules) {
		return func(r *rest.AlertRules) { r.Webhooks[0].URL = url }
	}
	cases := map[string]struct {
		change func(*rest.AlertRules)
		field  string // "" is fine
	}{
		"the default ones": {func(*rest.AlertRules) {}, ""},
		"none":             {func(r *rest.AlertRules) { r.Rules, r.Webhooks = nil, nil }, ""},
		"as many as may be": {many(alert.MaxRules-len(alert.DefaultRules()), func(i int, r *rest.AlertRules) {
			r.Rules = append(r.Rules, rest.AlertRule{ID: name(i), Title: "x", Metric: rest.AlertPoorCall})
		}), ""},
		"one more": {many(alert.MaxRules-len(alert.DefaultRules())+1, func(i int, r *rest.AlertRules) {
			r.Rules = append(r.Rules, rest.AlertRule{ID: name(i), Title: "x", Metric: rest.AlertPoorCall})
		}), "rules"},
		"ten webhooks": {many(alert.MaxWebhooks-1, func(i int, r *rest.AlertRules) {
			r.Webhooks = append(r.Webhooks, rest.Webhook{URL: "https://a.example/" + name(i), Secret: secret})
		}), ""},
		"eleven": {many(alert.MaxWebhooks, func(i int, r *rest.AlertRules) {
			r.Webhooks = append(r.Webhooks, rest.Webhook{URL: "https://a.example/" + name(i), Secret: secret})
		}), "webhooks"},
		"an id twice":         {func(r *rest.AlertRules) { r.Rules[1].ID = r.Rules[0].ID }, "rules[1].id"},
		"no id":               {first(func(r *rest.AlertRule) { r.ID = "" }), "rules[0].id"},
		"an id with a space":  {first(func(r *rest.AlertRule) { r.ID = "a b" }), "rules[0].id"},
		"a long id":           {first(func(r *rest.AlertRule) { r.ID = strings.Repeat("a", 65) }), "rules[0].id"},
		"no title":            {first(func(r *rest.AlertRule) { r.Title = "" }), "rules[0].title"},
		"a title that fits":   {first(func(r *rest.AlertRule) { r.Title = strings.Repeat("ü", alert.MaxTitle) }), ""},
		"a long title":        {first(func(r *rest.AlertRule) { r.Title = strings.Repeat("ü", alert.MaxTitle+1) }), "rules[0].title"},
		"an unknown metric":   {first(func(r *rest.AlertRule) { r.Metric = "cpu" }), "rules[0].metric"},
		"a share of all":      {first(func(r *rest.AlertRule) { r.Above = 1 }), ""},
		"a share above 1":     {first(func(r *rest.AlertRule) { r.Above = 1.01 }), "rules[0].above"},
		"a negative limit":    {first(func(r *rest.AlertRule) { r.Above = -0.1 }), "rules[0].above"},
		"not a number":        {first(func(r *rest.AlertRule) { r.Above = math.NaN() }), "rules[0].above"},
		"zero that counts":    {func(r *rest.AlertRules) { r.Rules[2].Above = 0 }, "rules[2].above"},
		"an hour":             {first(func(r *rest.AlertRule) { r.ForS = 3600 }), ""},
		"a second more":       {first(func(r *rest.AlertRule) { r.ForS = 3601 }), "rules[0].for_s"},
		"a negative time":     {first(func(r *rest.AlertRule) { r.ForS = -1 }), "rules[0].for_s"},
		"events within none":  {func(r *rest.AlertRules) { r.Rules[5].ForS = 0 }, "rules[5].for_s"},
		"a negative least":    {first(func(r *rest.AlertRule) { r.AtLeast = -1 }), "rules[0].at_least"},
		"the most calls":      {first(func(r *rest.AlertRule) { r.AtLeast = 10_000 }), ""},
		"a large least":       {first(func(r *rest.AlertRule) { r.AtLeast = 10_001 }), "rules[0].at_least"},
		"a hundred sign-ins":  {func(r *rest.AlertRules) { r.Rules[4].Above = 100 }, ""},
		"more than are kept":  {func(r *rest.AlertRules) { r.Rules[4].Above = 101 }, "rules[4].above"},
		"plain http":          {hook("http://hooks.example/"), ""},
		"another scheme":      {hook("file:///etc/passwd"), "webhooks[0].url"},
		"gopher":              {hook("gopher://hooks.example/"), "webhooks[0].url"},
		"no host":             {hook("https:///x"), "webhooks[0].url"},
		"no scheme":           {hook("hooks.example/x"), "webhooks[0].url"},
		"opaque":              {hook("https:hooks.example"), "webhooks[0].url"},
		"a user":              {hook("https://u:p@hooks.example/"), "webhooks[0].url"},
		"a fragment":          {hook("https://hooks.example/#x"), "webhooks[0].url"},
		"a line break":        {hook("https://hooks.example/\r\nHost: x"), "webhooks[0].url"},
		"a long address":      {hook("https://hooks.example/" + strings.Repeat("x", 2048)), "webhooks[0].url"},
		"an address twice":    {func(r *rest.AlertRules) { r.Webhooks = append(r.Webhooks, r.Webhooks[0]) }, "webhooks[1].url"},
		"a short secret":      {func(r *rest.AlertRules) { r.Webhooks[0].Secret = secret[1:] }, "webhooks[0].secret"},
		"no secret":           {func(r *rest.AlertRules) { r.Webhooks[0].Secret = "" }, "webhooks[0].secret"},
		"one that is said":    {func(r *rest.AlertRules) { r.Webhooks[0] = rest.Webhook{URL: "https://a.example", HasSecret: true} }, "webhooks[0].secret"},
		"a long secret":       {func(r *rest.AlertRules) { r.Webhooks[0].Secret = strings.Repeat("x", 257) }, "webhooks[0].secret"},
		"loopback":            {hook("http://127.0.0.1/"), "webhooks[0].url"},
		"a private address":   {hook("https://10.1.2.3/"), "webhooks[0].url"},
		"where clouds tell":   {hook("http://169.254.169.254/latest/meta-data"), "webhooks[0].url"},
		"a carrier's address": {hook("https://100.64.0.1/"), "webhooks[0].url"},
		"loopback in IPv6":    {hook("http://[::1]/"), "webhooks[0].url"},
		"mapped into IPv6":    {hook("http://[::ffff:127.0.0.1]/"), "webhooks[0].url"},
		"a public address":    {hook("https://8.8.8.8/"), ""},
		"no such name":        {hook("https://typo.example/"), "webhooks[0].url"},
		"a name of nothing":   {hook("https://empty.example/"), "webhooks[0].url"},
		"a private name":      {hook("https://inside.example/"), "webhooks[0].url"},
		"a name of two":       {hook("https://mixed.example/"), "webhooks[0].url"},
		"a name where clouds": {hook("http://metadata.example/"), "webhooks[0].url"},
		"the second's name": {func(r *rest.AlertRules) {
			r.Webhooks = append(r.Webhooks, rest.Webhook{URL: "https://typo.example/", Secret: secret})
		}, "webhooks[1].url"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := alert.New(quiet())
			put := 0
			_, err := a.Change(t.Context(), rules(c.change), func(context.Context, int64, []rest.AlertRule, []rest.Webhook) (int64, error) {
				put++
				return 1, nil
			})
			var field *fault.BadField
			switch {
			case c.field == "" && (err != nil || put != 1):
				t.Errorf("%v", err)
			case c.field != "" && (!errors.As(err, &field) || field.Field != c.field || field.Detail == "" || put != 0):
				t.Errorf("%v, want %s", err, c.field)
			case c.field != "" && a.Rules().Version != 0:
				t.Error("changed all the same")
			}
		})
	}
}

func TestSecretsStayInside(t *testing.T) {
	a := alert.New(quiet())
	var kept []rest.Webhook
	put := func(_ context.Context, ifVersion int64, _ []rest.AlertRule, hooks []rest.Webhook) (int64, error) {
		kept = slices.Clone(hooks)
		return ifVersion + 1, nil
	}
	change := func(hooks ...rest.Webhook) rest.AlertRules {
		t.Helper()
		want := a.Rules()
		want.Webhooks = hooks
		got, err := a.Change(t.Context(), want, put)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range [][]rest.Webhook{got.Webhooks, a.Rules().Webhooks} {
			for _, h := range shown {
				if h.Secret != "" || !h.HasSecret {
					t.Errorf("shown %+v", h)
				}
			}
		}
		return got
	}
	first := rest.Webhook{URL: "https://a.example/", Secret: secret}
	if got := change(first); got.Version != 1 || kept[0].Secret != secret {
		t.Errorf("%+v, kept %+v", got, kept)
	}
	// As it was shown, with another beside it: the first keeps what it has.
	if change(a.Rules().Webhooks[0], rest.Webhook{URL: "https://b.example/", Secret: "another secret of b"}); kept[0].Secret != secret || kept[1].Secret != "another secret of b" {
		t.Errorf("kept %+v", kept)
	}
	if change(rest.Webhook{URL: "https://a.example/", Secret: "a new secret of a"}); len(kept) != 1 || kept[0].Secret != "a new secret of a" {
		t.Errorf("kept %+v", kept)
	}
	// Another address doesn't get it.
	want := a.Rules()
	want.Webhooks[0].URL = "https://evil.example/"
	if _, err := a.Change(t.Context(), want, put); err == nil {
		t.Error("a secret went to another address")
	}
}

// A resolver that never answers keeps an admin for three seconds, and a webhook
// that is set keeps nobody from changing rules while its name is unknown.
func TestWebhooksWhileNoNameResolves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := quiet()
		known := maps.Clone(public)
		c.Resolver = known
		a := alert.New(c)
		if _, err := a.Change(t.Context(), rules(func(*rest.AlertRules) {}), putRules); err != nil {
			t.Fatal(err)
		}
		clear(known)
		known["silent.example"] = nil
		want := a.Rules()
		want.Rules[0].Enabled = false
		if _, err := a.Change(t.Context(), want, putRules); err != nil {
			t.Errorf("another rule: %v", err)
		}
		want = a.Rules()
		want.Webhooks = append(want.Webhooks, rest.Webhook{URL: "https://silent.example/", Secret: secret})
		begun := time.Now()
		var field *fault.BadField
		_, err := a.Change(t.Context(), want, putRules)
		if took := time.Since(begun); !errors.As(err, &field) || field.Field != "webhooks[1].url" || took != 3*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// Alerts of rules that mean something else now are over; others stand.
func TestChangingRules(t *testing.T) {
	cases := map[string]struct {
		change   func(*rest.AlertRules)
		resolved bool
	}{
		"its title":        {func(r *rest.AlertRules) { r.Rules[2].Title = "Full" }, false},
		"its webhooks":     {func(r *rest.AlertRules) { r.Rules[2].Webhooks = false }, false},
		"another":          {func(r *rest.AlertRules) { r.Rules[0].Above = 0.5 }, false},
		"their order":      {func(r *rest.AlertRules) { slices.Reverse(r.Rules) }, false},
		"its limit":        {func(r *rest.AlertRules) { r.Rules[2].Above = 1 }, true},
		"it is turned off": {func(r *rest.AlertRules) { r.Rules[2].Enabled = false }, true},
		"it is gone":       {func(r *rest.AlertRules) { r.Rules = slices.Delete(r.Rules, 2, 3) }, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				a := r.full()
				want := r.alerts.Rules()
				c.change(&want)
				if _, err := r.alerts.Change(t.Context(), want, putRules); err != nil {
					t.Fatal(err)
				}
				now, err := r.alerts.Alert(a.ID, "")
				if err != nil || (now.State == rest.AlertResolved) != c.resolved {
					t.Errorf("%+v, %v", now, err)
				}
			})
		})
	}
}

func TestANewLimitHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		want := r.alerts.Rules()
		want.Rules[2].Above = 0.2
		if _, err := r.alerts.Change(t.Context(), want, putRules); err != nil {
			t.Fatal(err)
		}
		r.set(func(now *alert.Readings) { now.Live = 20 })
		r.seconds(3)
		if a := r.firing(); a.Limit != 0.2 || a.Value != 0.2 {
			t.Errorf("%+v", a)
		}
	})
}

func TestAnyVersionMayBeReplaced(t *testing.T) {
	a := alert.New(quiet())
	for version := range int64(3) {
		want := a.Rules()
		want.Version = -1
		if got, err := a.Change(t.Context(), want, putRules); err != nil || got.Version != version+1 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// keptRules is a record of rules that another node writes, too.
type keptRules struct {
	*sharedAlerts
	rules rest.AlertRules
}

func (k *keptRules) AlertRules(context.Context) (rest.AlertRules, error) { return k.rules, nil }

// put keeps rules if ifVersion is still theirs.
func (k *keptRules) put(_ context.Context, ifVersion int64, rules []rest.AlertRule, webhooks []rest.Webhook) (int64, error) {
	if ifVersion != k.rules.Version {
		return 0, fault.Conflict
	}
	k.rules = rest.AlertRules{Version: ifVersion + 1, Rules: rules, Webhooks: webhooks, Edition: rest.AlertRulesEdition}
	return k.rules.Version, nil
}

// Rules that another node changed, of which this one hasn't heard, are those that a change
// is about: a secret that was set there stays, and who read older ones is refused.
func TestTheRecordDecidesWhichRulesThereAre(t *testing.T) {
	record := &keptRules{sharedAlerts: new(sharedAlerts)}
	cfg := quiet()
	cfg.Store = record
	a := alert.New(cfg)
	hook := rest.Webhook{URL: "https://hooks.example/x", Secret: secret, HasSecret: true}
	elsewhere := func(version int64) {
		record.rules = rest.AlertRules{Version: version, Rules: alert.DefaultRules(), Webhooks: []rest.Webhook{hook}, Edition: rest.AlertRulesEdition}
	}
	change := func(version int64) error {
		want := rest.AlertRules{Version: version, Rules: alert.DefaultRules(), Webhooks: []rest.Webhook{{URL: hook.URL}}}
		_, err := a.Change(t.Context(), want, record.put)
		return err
	}
	for i, c := range []struct {
		elsewhere, version int64
		want               error
	}{{1, 1, nil}, {5, 2, fault.Conflict}, {5, 7, fault.Conflict}, {5, 5, nil}, {9, -1, nil}} {
		if c.elsewhere > record.rules.Version {
			elsewhere(c.elsewhere)
		}
		if err := change(c.version); !errors.Is(err, c.want) {
			t.Errorf("%d: %v, want %v", i, err, c.want)
		}
		if w := record.rules.Webhooks; len(w) != 1 || w[0].Secret != secret {
			t.Errorf("%d: webhooks are %+v", i, w)
		}
	}
	if record.rules.Version != 10 || a.Rules().Version != 10 {
		t.Errorf("version %d, known is %d", record.rules.Version, a.Rules().Version)
	}
}

// A change that was made on rules that are no longer is refused where they are
// kept, and leaves them as they are.
func TestAChangeThatCannotBeKept(t *testing.T) {
	a := alert.New(quiet())
	conflict := errors.New("conflict")
	want := a.Rules()
	want.Rules, want.Version = nil, 7
	_, err := a.Change(t.Context(), want, func(_ context.Context, ifVersion int64, _ []rest.AlertRule, _ []rest.Webhook) (int64, error) {
		if ifVersion != 7 {
			t.Errorf("asked for version %d", ifVersion)
		}
		return 0, conflict
	})
	if !errors.Is(err, conflict) || len(a.Rules().Rules) != len(alert.DefaultRules()) {
		t.Errorf("%v", err)
	}
}
