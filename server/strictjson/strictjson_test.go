package strictjson_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"parley/server/strictjson"
)

var errRefused = errors.New("refused")

// fields takes an object with members of the kinds given; "[" is an array of
// strings.
type fields map[string]jsontext.Kind

func (f fields) Value(kind jsontext.Kind, _ []byte) error {
	if kind != '{' {
		return errRefused
	}
	return nil
}

func (f fields) Member(name string) (strictjson.Check, error) {
	kind, known := f[name]
	if !known {
		return nil, errRefused
	}
	return kindCheck(kind), nil
}

func (fields) Item() strictjson.Check { return nil }

type kindCheck jsontext.Kind

func (k kindCheck) Value(kind jsontext.Kind, _ []byte) error {
	if kind != jsontext.Kind(k) {
		return errRefused
	}
	return nil
}

func (kindCheck) Member(string) (strictjson.Check, error) { return nil, nil }
func (kindCheck) Item() strictjson.Check                  { return kindCheck('"') }

func TestRead(t *testing.T) {
	check := fields{"s": '"', "n": '0', "o": '{', "a": '['}
	for text, want := range map[string]error{
		`{}`:                               nil,
		`{"s":"x","n":1,"o":{},"a":["y"]}`: nil,
		` { "s" : "\ud800" } `:             nil, // half a pair, as an escape
		`{"o":{"any":{"where":[1]}}}`:      nil,
		`{"s":1}`:                          errRefused,
		`{"S":"x"}`:                        errRefused, // names are exact
		`{"a":["y",2]}`:                    errRefused,
		`[]`:                               errRefused,
		`"s"`:                              errRefused,
		`{"s":1,"s":"x"}`:                  &strictjson.DuplicateNameError{},
		`{"s":"x","\u0073":"x"}`:           &strictjson.DuplicateNameError{}, // the same name, escaped
		`{"o":{"deep":{"b":1,"b":1}}}`:     &strictjson.DuplicateNameError{},
		`{"unknown":{"b":1,"b":1}}`:        &strictjson.DuplicateNameError{}, // before the refusal
		`{"unknown":1`:                     strictjson.ErrMalformed,          // so is this
		`{"s":"x"} {}`:                     strictjson.ErrMalformed,
		`{"s":"x",}`:                       strictjson.ErrMalformed,
		`{"n":01}`:                         strictjson.ErrMalformed,
		`{"n":NaN}`:                        strictjson.ErrMalformed,
		"{\"s\":\"\xff\"}":                 strictjson.ErrMalformed,
		"\xef\xbb\xbf{}":                   strictjson.ErrMalformed, // a byte order mark
		``:                                 strictjson.ErrMalformed,
	} {
		err := strictjson.Read([]byte(text), 8, check)
		twice := new(strictjson.DuplicateNameError)
		if errors.As(want, &twice) {
			if !errors.As(err, &twice) {
				t.Errorf("%s: %v, want a name twice", text, err)
			}
			continue
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// The depth is counted in objects and arrays, of checked and of unchecked members
// alike.
func TestReadDepth(t *testing.T) {
	const limit = 4
	for depth, want := range map[int]error{limit: nil, limit + 1: strictjson.ErrTooDeep} {
		text := `{"o":{"x":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2) + `}}`
		if err := strictjson.Read([]byte(text), limit, fields{"o": '{'}); !errors.Is(err, want) {
			t.Errorf("depth %d: %v, want %v", depth, err, want)
		}
	}
}

func TestMembers(t *testing.T) {
	got, err := strictjson.Members([]byte(`{"keys":[{"kid":"a","kid":"b"}], "x" : null, "" : 1}`))
	if err != nil || !slices.Equal(slices.Sorted(maps.Keys(got)), []string{"", "keys", "x"}) {
		t.Fatalf("%v, %v", got, err)
	}
	if string(got["keys"]) != `[{"kid":"a","kid":"b"}]` {
		t.Errorf("keys: %s; what they hold is for their reader", got["keys"])
	}
	for _, text := range []string{``, `[]`, `null`, `{"a":1}{}`, `{"a":1`, `{"a":1 "b":2}`, "{\"\xff\":1}", `{"a":tru}`, `{1:2}`} {
		if _, err := strictjson.Members([]byte(text)); !errors.Is(err, strictjson.ErrMalformed) {
			t.Errorf("%s: %v, want malformed", text, err)
		}
	}
	twice := new(strictjson.DuplicateNameError)
	if _, err := strictjson.Members([]byte(`{"a":1,"\u0061":2}`)); !errors.As(err, &twice) || twice.Name != "a" {
		t.Errorf("a name twice: %v", err)
	}
}

// FuzzRead holds Read against the library's own reading of the same text.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `"\ud83d"`, `[`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := strictjson.Read(raw, 10_000, nil)
		if valid := jsontext.Value(raw).IsValid(); valid && err != nil {
			t.Errorf("%q is JSON, and refused: %v", raw, err)
		}
		if members, merr := strictjson.Members(raw); err == nil && merr == nil && members == nil {
			t.Errorf("%q: no members and no error", raw)
		}
	})
}
