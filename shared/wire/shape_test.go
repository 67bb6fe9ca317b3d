package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"parley/shared/wire"
)

// object is a golden frame as JSON, to be changed.
func object(t *testing.T, name string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(frame(t, name), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// changed is a golden frame after a change.
func changed(t *testing.T, name string, change func(map[string]any)) []byte {
	t.Helper()
	o := object(t, name)
	change(o)
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// optional are the fields that a message may go without.
var optional = map[string]map[string]bool{
	"server-hello": {"ice_servers": true, "agent": true, "limits": true, "node": true}, "server-candidate": {"candidate": true},
	"server-state": {"quality": true}, "server-state-answered": {"turn": true}, "server-state-unrated": {}, "server-warning": {"ends_at": true}, "server-warning-back": {},
	"server-ended": {"message": true}, "server-error": {"field": true, "reason": true}, "server-pong": {"id": true}, "server-answer": {},
	"client-candidate": {"candidate": true}, "client-candidate-end": {"candidate": true}, "client-ping": {"id": true},
	"client-offer": {}, "client-report": {}, "client-activity": {}, "client-resume": {}, "client-bye": {},
}

func refusalOf(err error) *wire.DecodeError {
	var refused *wire.DecodeError
	errors.As(err, &refused)
	return refused
}

// TestEachFieldIsMissed where the message says nothing without it, by its name, and
// only there.
func TestEachFieldIsMissed(t *testing.T) {
	for name, g := range goldens(t) {
		may, known := optional[name]
		if !known {
			t.Errorf("%s: nobody said what it may go without", name)
		}
		for field := range object(t, name) {
			if field == "type" {
				continue
			}
			_, err := decode(g.from, changed(t, name, func(o map[string]any) { delete(o, field) }))
			if may[field] {
				if err != nil {
					t.Errorf("%s without %s: %v", name, field, err)
				}
				continue
			}
			if refused := refusalOf(err); refused == nil || refused.Code != wire.ErrOutOfRange || refused.Field != field {
				t.Errorf("%s without %s: %v", name, field, err)
			}
		}
	}
}

// TestEachFieldHasOneType: what is written as another is refused by the field's name.
func TestEachFieldHasOneType(t *testing.T) {
	for name, g := range goldens(t) {
		for field, value := range object(t, name) {
			if field == "type" {
				continue
			}
			for _, other := range []any{"text", 1.5, true, []any{1}, map[string]any{"x": 1}} {
				if sameKind(value, other) {
					continue
				}
				_, err := decode(g.from, changed(t, name, func(o map[string]any) { o[field] = other }))
				refused := refusalOf(err)
				if refused == nil {
					t.Errorf("%s with %s %v is taken", name, field, other)
					continue
				}
				isTime := field == "ends_at" // read by its own method, which no field is known to
				if refused.Field != field && !isTime || refused.Code != wire.ErrOutOfRange && !isTime {
					t.Errorf("%s with %s %v: %s %q", name, field, other, refused.Code, refused.Field)
				}
			}
		}
	}
}

func sameKind(a, b any) bool {
	switch a.(type) {
	case string:
		_, ok := b.(string)
		return ok
	case []any:
		_, ok := b.([]any)
		return ok
	case map[string]any:
		_, ok := b.(map[string]any)
		return ok
	}
	return false // a whole number: a fraction is another type
}

// TestAnotherFieldIsRefusedFromAClient, by its name, in whatever message; the server
// may be newer than its client.
func TestAnotherFieldIsRefusedFromAClient(t *testing.T) {
	for name, g := range goldens(t) {
		for _, field := range []string{"another", "Type", "typ"} {
			_, err := decode(g.from, changed(t, name, func(o map[string]any) { o[field] = 1 }))
			refused := refusalOf(err)
			switch {
			case g.from == wire.Client && (refused == nil || refused.Code != wire.ErrUnknownField || refused.Field != field):
				t.Errorf("%s with %s: %v", name, field, err)
			case g.from == wire.Server && field == "another" && err != nil:
				t.Errorf("%s with %s: %v", name, field, err)
			}
		}
	}
}

// TestEachMessageEndsWhereItsFrameDoes: cut anywhere it is none, and no two are one.
func TestEachMessageEndsWhereItsFrameDoes(t *testing.T) {
	for name, g := range goldens(t) {
		whole := frame(t, name)
		for cut := range min(len(whole), 400) {
			if _, err := decode(g.from, whole[:cut]); refusalOf(err) == nil || refusalOf(err).Code != wire.ErrMalformed {
				t.Fatalf("%s, its first %d bytes: %v", name, cut, err)
			}
		}
		for _, more := range []string{"x", "{}", string(whole), "\x00"} {
			if _, err := decode(g.from, append(append([]byte{}, whole...), more...)); refusalOf(err) == nil || refusalOf(err).Code != wire.ErrMalformed {
				t.Errorf("%s and %.20q: %v", name, more, err)
			}
		}
		if _, err := decode(g.from, append([]byte(" \n\t"), append(whole, " \r\n"...)...)); err != nil {
			t.Errorf("%s among spaces: %v", name, err)
		}
	}
}

// TestEachMessageFitsAFrameAtItsLargest, or is refused where it is written.
func TestNoFrameIsLongerThanTheLimit(t *testing.T) {
	for name, g := range goldens(t) {
		whole := string(frame(t, name))
		room := wire.MaxFrame - len(whole)
		if _, err := decode(g.from, []byte(strings.Repeat(" ", room)+whole)); err != nil {
			t.Errorf("%s in a frame of %d bytes: %v", name, wire.MaxFrame, err)
		}
		_, err := decode(g.from, []byte(strings.Repeat(" ", room+1)+whole))
		if refused := refusalOf(err); refused == nil || refused.Code != wire.ErrOutOfRange || refused.Field != "" {
			t.Errorf("%s in a frame a byte longer: %v", name, err)
		}
	}
}
