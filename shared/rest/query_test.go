package rest_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// queries are all that ask for a page of a list.
func queries() []any {
	return []any{rest.SessionQuery{}, rest.LogQuery{}, rest.ActivityQuery{}, rest.AuditQuery{}, rest.AlertQuery{}, rest.RevocationQuery{}, rest.UsageQuery{}}
}

// TestEachQueryAsksForAPage, and may be held to one organization.
func TestEachQueryAsksForAPage(t *testing.T) {
	for _, q := range queries() {
		of := reflect.TypeOf(q)
		for name, kind := range map[string]reflect.Kind{"Cursor": reflect.String, "Limit": reflect.Int, "Org": reflect.String} {
			f, there := of.FieldByName(name)
			if !there || f.Type.Kind() != kind {
				t.Errorf("%s has no %s", of.Name(), name)
				continue
			}
			if f.Tag.Get("query") != "" {
				t.Errorf("%s: whoever asks may choose the %s of a query", of.Name(), name)
			}
		}
	}
}

// TestWhatStaysInsideHasNoParameter: who is meant, and what is left out, is the
// server's word.
func TestWhatStaysInsideHasNoParameter(t *testing.T) {
	for _, q := range queries() {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(q)) {
			if isInside := f.Name == "UserKey" || f.Name == "Org" || f.Name == "Ended"; isInside && f.Tag.Get("query") != "" {
				t.Errorf("%T.%s can be asked for", q, f.Name)
			}
		}
	}
}

// TestParametersHaveBounds: every text has a longest one, a pattern or a set, every
// name is as it is on the wire, and none stands twice.
func TestParametersHaveBounds(t *testing.T) {
	for _, q := range queries() {
		seen := map[string]bool{}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(q)) {
			name := f.Tag.Get("query")
			if name == "" {
				continue
			}
			if seen[name] || !regexp.MustCompile(`^[a-z_]+$`).MatchString(name) {
				t.Errorf("%T: the parameter %q", q, name)
			}
			seen[name] = true
			if f.Type.Kind() == reflect.String && f.Tag.Get("maxLength")+f.Tag.Get("pattern")+f.Tag.Get("enum") == "" {
				t.Errorf("%T.%s has no bound", q, f.Name)
			}
		}
		if seen["from"] != seen["to"] {
			t.Errorf("%T has one end of a time", q)
		}
	}
}

// pattern is that of a field, as a server reads it.
func pattern(t *testing.T, query any, field string) *regexp.Regexp {
	t.Helper()
	f, there := reflect.TypeOf(query).FieldByName(field)
	if !there || f.Tag.Get("pattern") == "" {
		t.Fatalf("%T.%s has no pattern", query, field)
	}
	return regexp.MustCompile(f.Tag.Get("pattern"))
}

func TestPatternsAtTheirEdges(t *testing.T) {
	for _, test := range []struct {
		query any
		field string
		yes   []string
		no    []string
	}{
		{rest.LogQuery{}, "Status", []string{"100", "200", "404", "599", "1xx", "4xx", "5xx"}, []string{"", "99", "600", "0xx", "6xx", "4x", "4XX", "2000", " 200", "200\n", "xxx"}},
		{rest.LogQuery{}, "Method", []string{"A", "GET", "OPTIONS", strings.Repeat("A", 16)}, []string{"", "get", "GE T", "G-T", strings.Repeat("A", 17), "GET\n"}},
		{rest.LogQuery{}, "Path", []string{"/", "/api/*", "//"}, []string{"", "api", "*", " /"}},
		{rest.SessionQuery{}, "Cause", []string{"a", "_", "idle_timeout", strings.Repeat("a", 32)}, []string{"", "Idle", "idle-timeout", "idle2", strings.Repeat("a", 33)}},
		{rest.UsageQuery{}, "Group", []string{"day", "user", "agent", "day,user", "agent,user,day"}, []string{"", "days", "week", "day,", ",day", "day user", "day,,user", "Day", "day,user,agent,day", "day\n"}},
		{rest.ActivityQuery{}, "Kind", []string{rest.ActivitySignIn, rest.ActivityCall, rest.ActivityQuality, rest.ActivityTimeout, rest.ActivityPrivacy, rest.ActivityAdmin + "," + rest.ActivityError},
			[]string{"", "calls", "call,", ",call", "call call"}},
		{rest.ActiveQuery{}, "Quality", []string{string(quality.None), string(quality.Poor), string(quality.Fair), string(quality.Good) + "," + string(quality.Excellent)},
			[]string{"", "bad", "poor,", "poor|fair"}},
		{rest.AuditQuery{}, "Action", []string{"view", "change_alert_rules", strings.Repeat("z", 32)}, []string{"", "VIEW", "a.b", strings.Repeat("z", 33)}},
	} {
		p := pattern(t, test.query, test.field)
		for _, s := range test.yes {
			if !p.MatchString(s) {
				t.Errorf("%T.%s refuses %q", test.query, test.field, s)
			}
		}
		for _, s := range test.no {
			if p.MatchString(s) {
				t.Errorf("%T.%s takes %q", test.query, test.field, s)
			}
		}
	}
}

// TestEveryCauseAndActionCanBeAskedFor: the patterns know no words of their own.
func TestEveryCauseAndActionCanBeAskedFor(t *testing.T) {
	cause := pattern(t, rest.SessionQuery{}, "Cause")
	for _, c := range wire.EndCauses() {
		if !cause.MatchString(string(c)) {
			t.Errorf("nobody can ask for calls that ended by %s", c)
		}
	}
	action := pattern(t, rest.AuditQuery{}, "Action")
	for _, a := range []rest.AuditAction{
		rest.AuditStarted, rest.AuditView, rest.AuditEndSession, rest.AuditRevoke, rest.AuditDenied, rest.AuditRules, rest.AuditWebhookTest, rest.AuditAcknowledge,
		rest.AuditSilence, rest.AuditRetention,
	} {
		if !action.MatchString(string(a)) {
			t.Errorf("nobody can ask for lines of %s", a)
		}
	}
}

func enum(t *testing.T, query any, field string) []string {
	t.Helper()
	f, _ := reflect.TypeOf(query).FieldByName(field)
	return strings.Split(f.Tag.Get("enum"), ",")
}

// TestSetsAreThoseOfTheirTypes: what can be asked for is what there is.
func TestSetsAreThoseOfTheirTypes(t *testing.T) {
	for name, test := range map[string]struct {
		query any
		field string
		want  []string
	}{
		"levels":    {rest.SessionQuery{}, "Level", []string{string(quality.None), string(quality.Poor), string(quality.Fair), string(quality.Good), string(quality.Excellent)}},
		"alerts":    {rest.AlertQuery{}, "State", []string{rest.AlertFiring, rest.AlertResolved}},
		"log kinds": {rest.LogQuery{}, "Kind", []string{string(rest.LogAPI), string(rest.LogSocket), string(rest.LogStream), string(rest.LogPage), string(rest.LogCounted)}},
		"doing": {rest.ActiveQuery{}, "Doing", []string{string(rest.DoingConnecting), string(rest.DoingListening), string(rest.DoingThinking), string(rest.DoingSpeaking),
			string(rest.DoingQuiet), string(rest.DoingMuted), string(rest.DoingReconnecting)}},
	} {
		if got := enum(t, test.query, test.field); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(test.want))) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestUsageAddsUpInAnyOrder, and by whatever it is grouped.
func TestUsageAddsUpInAnyOrder(t *testing.T) {
	parts := []rest.Usage{usage(1), usage(5), usage(90), {}, usage(3)}
	var forth, back rest.Usage
	for i := range parts {
		forth.Add(parts[i])
		back.Add(parts[len(parts)-1-i])
	}
	if forth != back {
		t.Errorf("%+v one way, %+v the other", forth, back)
	}
	for _, p := range parts {
		forth = forth.Less(p)
	}
	if forth != (rest.Usage{Currency: "EUR"}) {
		t.Errorf("what is left when all is taken away: %+v", forth)
	}
}

// TestADayHasNoGapBeforeTheNext, in a leap year too.
func TestADayHasNoGapBeforeTheNext(t *testing.T) {
	day := time.Date(2028, 2, 28, 0, 0, 0, 0, time.UTC)
	var days []string
	for range 3 {
		first, last := rest.DayOf(day), rest.DayOf(day.Add(24*time.Hour-time.Nanosecond))
		if first != last {
			t.Errorf("%s begins and %s ends", first, last)
		}
		days = append(days, first)
		day = day.Add(24 * time.Hour)
	}
	if got := fmt.Sprint(days); got != "[2028-02-28 2028-02-29 2028-03-01]" {
		t.Errorf("days %s", got)
	}
}
