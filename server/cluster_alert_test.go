package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/server/api"
	"parley/shared/rest"
)

// judgedByOne has two nodes refuse what neither would be told of by itself, and b refuse
// streams: one alert each fires, at both nodes, with b's name where it is b's; a list that
// begins at one node goes on at the other.
func judgedByOne(t *testing.T, a, b *program) {
	t.Helper()
	for _, p := range []*program{a, b} {
		p.tokens = map[string]string{"guesser": "guessed"}
		for range 5 { // ten of one address are told
			if status := p.ask(t, "guesser", http.MethodPost, rest.PathAuthSession, nil, nil); status != http.StatusUnauthorized {
				t.Fatalf("a guessed token: %d", status)
			}
		}
	}
	token := b.token(t, "demo-admin")
	for range api.MaxStreamStarts {
		b.follow(t, token, nil).close()
	}
	refusedStream(t, b.follow(t, token, nil))
	told := func(p *program, query string) rest.Page[rest.Alert] {
		var page rest.Page[rest.Alert]
		if status := p.ask(t, "demo-admin", http.MethodGet, rest.PathAlerts+query, nil, &page); status != http.StatusOK {
			t.Errorf("alerts: %d", status)
		}
		return page
	}
	rules := func(items []rest.Alert) string {
		var names []string
		for _, alert := range items {
			if names = append(names, alert.Rule); alert.Rule == "streams_refused" {
				names = append(names, alert.Detail)
			}
		}
		slices.Sort(names)
		return strings.Join(names, ", ")
	}
	const want = "node b, refused_sign_ins, streams_refused"
	for _, p := range []*program{a, b} {
		eventually(t, "both alerts are told", func() bool { return rules(told(p, "").Items) == want })
	}
	first := told(a, "?limit=1")
	others := told(b, "?cursor="+first.NextCursor)
	if got := rules(append(first.Items, others.Items...)); got != want {
		t.Errorf("the nodes list %s", got)
	}
}
