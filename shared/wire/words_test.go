package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// TestARefusalSaysWhatIsWrong: its code, the field, and what was found there.
func TestARefusalSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		from  wire.Side
		frame string
		want  []string
	}{
		"an unknown type":    {wire.Client, `{"type":"shout"}`, []string{"wire: unknown_type type"}},
		"an SDP too long":    {wire.Client, offer(wire.MaxSDP + 1), []string{"wire: out_of_range sdp: 32769 bytes, the limit is 32768"}},
		"a frame too long":   {wire.Server, padded(wire.MaxFrame + 1), []string{"wire: out_of_range: 65537 bytes, the limit is 65536"}},
		"too many samples":   {wire.Client, report(wire.MaxSamples + 1), []string{"wire: out_of_range samples: 11 samples, 1 to 10 are taken"}},
		"a missing token":    {wire.Client, `{"type":"resume","session_id":"x"}`, []string{"wire: out_of_range resume_token: missing"}},
		"a word of no set":   {wire.Client, `{"type":"activity","kind":"sing"}`, []string{`wire: out_of_range kind: "sing" is not of the set`}},
		"a long word":        {wire.Client, `{"type":"activity","kind":"` + strings.Repeat("s", 900) + `"}`, []string{`"` + strings.Repeat("s", 64) + `" is not`}},
		"MOS above its own":  {wire.Server, `{"type":"state","session":"active","agent":"listening","quality":{"level":"good","mos":4.6}}`, []string{"wire: out_of_range mos: 4.6 is outside 0 to 4.5"}},
		"a sample of no day": {wire.Client, `{"type":"report","samples":[{"timestamp":0}]}`, []string{"wire: bad_report samples: ", "timestamp 0"}},
		"no JSON":            {wire.Server, `{`, []string{"wire: malformed: ", "unexpected end"}},
	} {
		_, err := decode(test.from, []byte(test.frame))
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q, want %q in it", name, err, want)
			}
		}
	}
}

// TestARefusalKeepsItsReason for who looks for it, where a reader gave one.
func TestARefusalKeepsItsReason(t *testing.T) {
	_, err := wire.DecodeServer([]byte(`{"type":"pong",`))
	if syntax := (*json.SyntaxError)(nil); !errors.As(err, &syntax) {
		t.Errorf("cut off: %v", err)
	}
	_, err = wire.DecodeServer([]byte(`{"type":"pong","id":"x"}`))
	if wrong := (*json.UnmarshalTypeError)(nil); !errors.As(err, &wrong) || wrong.Field != "id" {
		t.Errorf("a word for a number: %v", err)
	}
	if refused := refusalOf(err); refused == nil || refused.Code != wire.ErrOutOfRange || refused.Unwrap() == nil {
		t.Errorf("a word for a number: %#v", refused)
	}
	_, err = wire.DecodeServer([]byte(`{"type":"shout"}`))
	if refused := refusalOf(err); refused == nil || refused.Unwrap() != nil {
		t.Errorf("an unknown type: %#v", refused)
	}
}

// TestAnErrorReadsAsASentence, with what it has of field and reason.
func TestAnErrorReadsAsASentence(t *testing.T) {
	for want, m := range map[string]wire.Error{
		"malformed":                 {Code: wire.ErrMalformed},
		"out_of_range sdp":          {Code: wire.ErrOutOfRange, Field: "sdp"},
		"bad_offer sdp: no Opus":    {Code: wire.ErrBadOffer, Field: "sdp", Reason: "no Opus"},
		"rate_limited: 40 a second": {Code: wire.ErrRateLimited, Reason: "40 a second"},
	} {
		var err error = m
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

// verdict is a rating with one thing changed.
func verdict(change func(*quality.Verdict)) wire.State {
	v := quality.Verdict{Level: quality.Good, R: 75, MOS: 3.8, Cause: quality.CauseLoss, Direction: quality.ToAgent, Value: 2}
	change(&v)
	return wire.State{Session: wire.StateActive, Agent: wire.AgentListening, Quality: &v}
}

// TestARatingAtItsEdges is written and read as it is, and beyond them by neither end.
func TestARatingAtItsEdges(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*quality.Verdict)
		field  string // at fault
	}{
		"the worst":             {func(v *quality.Verdict) { v.Level, v.R, v.MOS, v.Value = quality.Poor, 0, 1, 100 }, ""},
		"the best":              {func(v *quality.Verdict) { *v = quality.Verdict{Level: quality.Excellent, R: 100, MOS: 4.5} }, ""},
		"none":                  {func(v *quality.Verdict) { *v = quality.Verdict{Level: quality.None, Quiet: true} }, ""},
		"the largest value":     {func(v *quality.Verdict) { v.Value = math.MaxFloat64 }, ""},
		"an infinite value":     {func(v *quality.Verdict) { v.Value = math.Inf(1) }, "value"},
		"a value below 0":       {func(v *quality.Verdict) { v.Value = -1 }, "value"},
		"R above its scale":     {func(v *quality.Verdict) { v.R = math.Nextafter(100, 101) }, "r"},
		"R below it":            {func(v *quality.Verdict) { v.R = -0.1 }, "r"},
		"R of no number":        {func(v *quality.Verdict) { v.R = math.NaN() }, "r"},
		"MOS above its scale":   {func(v *quality.Verdict) { v.MOS = math.Nextafter(4.5, 5) }, "mos"},
		"MOS of no number":      {func(v *quality.Verdict) { v.MOS = math.NaN() }, "mos"},
		"no level":              {func(v *quality.Verdict) { v.Level = "" }, "level"},
		"a level of no set":     {func(v *quality.Verdict) { v.Level = "superb" }, "level"},
		"a way of no set":       {func(v *quality.Verdict) { v.Direction = "sideways" }, "direction"},
		"a newer cause":         {func(v *quality.Verdict) { v.Cause = "sunspots" }, ""},
		"the longest cause":     {func(v *quality.Verdict) { v.Cause = quality.Cause(strings.Repeat("c", wire.MaxString)) }, ""},
		"a longer one":          {func(v *quality.Verdict) { v.Cause = quality.Cause(strings.Repeat("c", wire.MaxString+1)) }, "cause"},
		"a cause without a way": {func(v *quality.Verdict) { v.Direction = "" }, ""},
	} {
		m := verdict(test.change)
		frame, err := wire.Encode(m)
		if test.field != "" {
			if refused := refusalOf(err); refused == nil || refused.Field != test.field || refused.Code != wire.ErrOutOfRange {
				t.Errorf("%s: written as %s (%v)", name, frame, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := wire.DecodeServer(frame)
		if err != nil || *back.(wire.State).Quality != *m.Quality {
			t.Errorf("%s came back as %+v (%v)", name, back, err)
		}
	}
}

// TestAWarningsTimeComesBack as the same moment, to the millisecond, whatever its zone;
// a year that the form has no room for is refused where it is written.
func TestAWarningsTimeComesBack(t *testing.T) {
	for _, at := range []time.Time{
		{},
		time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC),
		time.Date(2026, 3, 4, 5, 6, 7, 89_999_999, time.FixedZone("", -5*3600)),
		time.Date(2028, 2, 29, 23, 59, 59, 999_000_000, time.FixedZone("", 14*3600)),
		time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC),
	} {
		frame, err := wire.Encode(wire.Warning{Code: wire.WarnBudget, EndsAt: at})
		if err != nil {
			t.Fatalf("%v: %v", at, err)
		}
		back, err := wire.DecodeServer(frame)
		if err != nil || !back.(wire.Warning).EndsAt.Equal(at.Truncate(time.Millisecond)) {
			t.Errorf("%v came back as %v (%v)", at, back, err)
		}
	}
	for _, at := range []time.Time{
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -3600)), // 10000 in UTC
	} {
		frame, err := wire.Encode(wire.Warning{Code: wire.WarnIdle, EndsAt: at})
		if refused := refusalOf(err); refused == nil || refused.Field != "ends_at" {
			t.Errorf("%v is written as %s (%v)", at, frame, err)
		}
	}
}
