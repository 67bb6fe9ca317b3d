package audit_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/server/audit"
	"parley/shared/rest"
)

func sealed() rest.AuditEntry {
	return rest.AuditEntry{
		ID: 1894772051968000001, Seq: 42, T: noon.Add(123 * time.Millisecond), Actor: "ada", ActorOrg: "acme", Org: "zeta",
		Remote: "203.0.113.•", Action: rest.AuditView, Target: "sess_1", Outcome: audit.Done, Reason: "a look",
		RequestID: "req_1", Node: "n1",
		Details: map[string]any{"rows": 2, "ids": []string{"a", "b"}, "filters": map[string]any{"q": "<ü>&", "limit": 100}},
	}
}

// The hashes were made by another program from the description of Seal alone.
// If this fails, logs that are out there can't be verified anymore.
func TestSealIsWhatItWas(t *testing.T) {
	for name, c := range map[string]struct {
		prev string
		e    rest.AuditEntry
		want string
	}{
		"an empty line": {"", rest.AuditEntry{}, "87837857e0ce6438011f6194a11f6edcc0b89253133f61805fab4b47d6bc603a"},
		"a full line":   {"00ff", sealed(), "276a3f11b2538719e1e6f2f5d51a1dbc06ff4102378284a0e39c46992bc6d793"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := audit.Seal(c.prev, c.e); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Each field counts: also one that is added to the line later.
func TestEveryFieldIsSealed(t *testing.T) {
	whole := audit.Seal("p", sealed())
	if audit.Seal("q", sealed()) == whole {
		t.Error("the line before doesn't count")
	}
	fields := reflect.TypeFor[rest.AuditEntry]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		t.Run(name, func(t *testing.T) {
			e := sealed()
			reflect.ValueOf(&e).Elem().Field(i).SetZero()
			alike := audit.Seal("p", e) == whole
			if own := name == "Hash" || name == "PrevHash"; alike != own { // PrevHash is what Seal is given apart
				t.Errorf("without it, the hash is the same: %v", alike)
			}
		})
	}
}

func TestFieldsDontRunIntoEachOther(t *testing.T) {
	a := audit.Seal("", rest.AuditEntry{Actor: "ab", ActorOrg: "c"})
	b := audit.Seal("", rest.AuditEntry{Actor: "a", ActorOrg: "bc"})
	c := audit.Seal("", rest.AuditEntry{Actor: "a,1:b", ActorOrg: "c"})
	if a == b || b == c || a == c {
		t.Error("different lines, one hash")
	}
}

func TestDetailsAreSealedByWhatTheySay(t *testing.T) {
	seal := func(text string, numbers bool) string {
		t.Helper()
		dec := json.NewDecoder(strings.NewReader(text))
		if numbers {
			dec.UseNumber()
		}
		var e rest.AuditEntry
		if err := dec.Decode(&e.Details); err != nil {
			t.Fatal(err)
		}
		return audit.Seal("", e)
	}
	same := seal(`{"a":1,"b":{"c":[true,null,"x"]}}`, true)
	for name, other := range map[string]string{
		"order and spaces": seal(` { "b" : {"c":[true, null, "\u0078"]}, "a": 1 } `, true),
		"kind of number":   seal(`{"a":1,"b":{"c":[true,null,"x"]}}`, false),
		"go's own values": audit.Seal("", rest.AuditEntry{Details: map[string]any{
			"a": int8(1), "b": struct {
				C [3]any `json:"c"`
			}{[3]any{true, nil, "x"}},
		}}),
	} {
		if other != same {
			t.Errorf("%s: another hash", name)
		}
	}
	for name, text := range map[string]string{
		"a value": `{"a":2,"b":{"c":[true,null,"x"]}}`,
		"a key":   `{"A":1,"b":{"c":[true,null,"x"]}}`,
		"depth":   `{"a":1,"b":{"c":[true,null,["x"]]}}`,
		"order":   `{"a":1,"b":{"c":[null,true,"x"]}}`,
		"kind":    `{"a":"1","b":{"c":[true,null,"x"]}}`,
		"nothing": `{}`,
	} {
		if seal(text, true) == same {
			t.Errorf("%s: the same hash", name)
		}
	}
	if seal(`{"n":9007199254740993}`, true) == seal(`{"n":9007199254740992}`, true) {
		t.Error("the digits of a long number don't count")
	}
}
