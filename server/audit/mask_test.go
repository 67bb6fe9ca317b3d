package audit_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"parley/shared/rest"
)

// people is what must not get into a file.
var people = []string{"ada@example.com", "da@exa", "+905551234534", "905551234534", "5551234", "555 123 45 34", "203.0.113.77", "2001:db8:1:2::7", "113.77"}

func about() rest.AuditEntry {
	return rest.AuditEntry{
		Actor: "ada@example.com", Remote: "203.0.113.77:4711", Action: rest.AuditExport, Target: "+905551234534",
		Reason: "ada@example.com, +90 555 123 45 34, from 203.0.113.77 asked\u202e for\x00 it\n", RequestID: "ada@example.com",
		Details: map[string]any{
			"resource": "logs",
			"filters":  map[string]any{"user": "tel:+905551234534", "q": "from +90555\u200b1234534 at 203.0.113.77", "path": "/api/v1/users/ada%40example.com", "+905551234534": 1},
			"ids":      []string{"1894772051968000001", "ada@example.com", "+905551234534", "oqwzz4fk7n2234567777aaaa66"},
			"struct": struct {
				Email string `json:"email"`
				Deep  []any  `json:"deep"`
			}{"ada@example.com", []any{map[string]string{"remote": "2001:db8:1:2::7"}}},
			"from": "2026-03-04T12:00:00Z", "rows": 1234567890,
		},
	}
}

func TestNobodyGetsIntoTheFile(t *testing.T) {
	r := newRig(t)
	if err := r.Record(t.Context(), about()); err != nil {
		t.Fatal(err)
	}
	if err := r.Record(t.Context(), rest.AuditEntry{Target: "/api/v1/monitoring/users/%2B905551234534/revoke", Actor: "tel:+905551234534"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Record(t.Context(), rest.AuditEntry{Target: "user ada@example.com with +90 555 123 45 34"}); err != nil {
		t.Fatal(err)
	}
	first := r.entries()[0]
	r.stop()
	files, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range people {
			if strings.Contains(string(text), p) {
				t.Errorf("%s is in %s", p, filepath.Base(name))
			}
		}
	}
	// What isn't about a person says what it said.
	for key, want := range map[string]any{
		"resource": "logs", "from": "2026-03-04T12:00:00Z", "rows": json.Number("1234567890"),
		"ids": []any{"1894772051968000001", "a•••@example.com", "+90•••34", "oqwzz4fk7n2234567777aaaa66"},
	} {
		if got := first.Details[key]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
	if first.Actor != "a•••@example.com" || first.Remote != "203.0.113.•" || first.Target != "+90•••34" {
		t.Errorf("%+v", first)
	}
	if strings.ContainsAny(first.Reason, "\u202e\x00\n") {
		t.Errorf("%q", first.Reason)
	}
}

func TestWithoutPrivacyModePeopleAreNamed(t *testing.T) {
	r := newRig(t)
	r.privacy.Set(false)
	if err := r.Record(t.Context(), about()); err != nil {
		t.Fatal(err)
	}
	got := r.entries()[0]
	if got.Actor != "ada@example.com" || got.Target != "+905551234534" || got.Remote != "203.0.113.77" {
		t.Errorf("%+v", got)
	}
	if at := r.broken(); at != 0 {
		t.Errorf("broken at %d", at)
	}
}

func TestTextsAreCutAfterTheyAreMasked(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("ü", 296)
	if err := r.Record(t.Context(), rest.AuditEntry{Reason: long + " +905551234534", Details: map[string]any{"q": strings.Repeat("ü", 3000)}}); err != nil {
		t.Fatal(err)
	}
	got := r.entries()[0]
	if want := long + " +90"; got.Reason != want {
		t.Errorf("…%s, want …%s", got.Reason[2*296:], want[2*296:])
	}
	if n := len([]rune(got.Details["q"].(string))); n != 2048 {
		t.Errorf("%d characters of detail", n)
	}
}

// TestJoinersThatAreSpellingStay in a reason; those that hide something go.
func TestJoinersThatAreSpellingStay(t *testing.T) {
	for text, want := range map[string]string{
		"به خواست علی\u200cرضا": "به خواست علی\u200cرضا", "ශ්\u200dරී": "ශ්\u200dරී", "ad\u200cmin": "admin", "\u200cعلی": "علی", "علی\u200c": "علی",
		"۱\u200c۲": "۱۲", "+90555\u200d1234534": "+90•••34", "a\u202eb": "ab", "علی\u200c\u200cرضا": "علیرضا",
	} {
		r := newRig(t)
		if err := r.Record(t.Context(), rest.AuditEntry{Reason: text}); err != nil {
			t.Fatal(err)
		}
		if got := r.entries()[0].Reason; got != want {
			t.Errorf("%q is kept as %q, want %q", text, got, want)
		}
	}
}
