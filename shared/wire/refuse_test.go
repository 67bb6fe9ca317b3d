package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/shared/wire"
)

func quoted(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

func offer(n int) string { return `{"type":"offer","sdp":"` + strings.Repeat("x", n) + `"}` }

// padded is a ping with spaces up to n bytes.
func padded(n int) string {
	return `{"type":"ping"` + strings.Repeat(" ", n-len(`{"type":"ping"}`)) + `}`
}

func report(samples int) string {
	return `{"type":"report","samples":[` + strings.TrimSuffix(strings.Repeat(`{"timestamp":1},`, samples), ",") + `]}`
}

func TestWhatIsRefused(t *testing.T) {
	const ok = wire.ErrorCode("")
	cases := map[string]struct {
		from  wire.Side
		frame string
		code  wire.ErrorCode
		field string
	}{
		"a ping":                           {wire.Client, `{"type":"ping","id":1}`, ok, ""},
		"nothing":                          {wire.Client, ``, wire.ErrMalformed, ""},
		"no object":                        {wire.Client, `[]`, wire.ErrMalformed, "type"},
		"a bare word":                      {wire.Client, `"ping"`, wire.ErrMalformed, "type"},
		"null":                             {wire.Client, `null`, wire.ErrUnknownType, "type"},
		"cut off":                          {wire.Client, `{"type":"ping"`, wire.ErrMalformed, ""},
		"trailing data":                    {wire.Client, `{"type":"ping"} {}`, wire.ErrMalformed, ""},
		"trailing comma":                   {wire.Client, `{"type":"ping",}`, wire.ErrMalformed, ""},
		"invalid UTF-8":                    {wire.Client, "{\"type\":\"offer\",\"sdp\":\"\xff\"}", wire.ErrMalformed, ""},
		"no type":                          {wire.Client, `{"id":1}`, wire.ErrUnknownType, "type"},
		"type null":                        {wire.Client, `{"type":null}`, wire.ErrUnknownType, "type"},
		"type a number":                    {wire.Client, `{"type":1}`, wire.ErrMalformed, "type"},
		"an unknown type":                  {wire.Client, `{"type":"shout"}`, wire.ErrUnknownType, "type"},
		"the other side's type":            {wire.Client, `{"type":"pong"}`, wire.ErrUnknownType, "type"},
		"the type in capitals":             {wire.Client, `{"type":"PING"}`, wire.ErrUnknownType, "type"},
		"the name of the type in capitals": {wire.Client, `{"TYPE":"ping"}`, wire.ErrUnknownType, "type"},
		"the type last":                    {wire.Client, `{"id":1,"type":"ping"}`, ok, ""},
		"half a surrogate pair":            {wire.Server, `{"type":"ended","cause":"admin_ended","message":"\ud83d"}`, ok, ""},
		"a newer server's field":           {wire.Server, `{"type":"pong","id":1,"t":2}`, ok, ""},
		"an escaped type":                  {wire.Client, `{"type":"p\u0069ng"}`, ok, ""},
		"two types":                        {wire.Client, `{"type":"ping","type":"ping"}`, wire.ErrMalformed, "type"},
		"a type in two cases":              {wire.Client, `{"type":"bye","Type":"ping"}`, wire.ErrUnknownField, "Type"},
		"an unknown field":                 {wire.Client, `{"type":"ping","ID":1}`, wire.ErrUnknownField, "ID"},
		"an unknown field, nested":         {wire.Client, `{"type":"candidate","candidate":{"candidate":"","sdpmid":"0"}}`, wire.ErrUnknownField, "sdpmid"},
		"an unknown field, in an array":    {wire.Client, `{"type":"report","samples":[{"timestamp":1,"inbound-rtp":{"id":"x","ssrc":1,"Jitter":0}}]}`, wire.ErrUnknownField, "Jitter"},
		"a long unknown field":             {wire.Client, `{"type":"ping","` + strings.Repeat("f", 65) + `":1}`, wire.ErrUnknownField, strings.Repeat("f", 64)},
		"a field twice":                    {wire.Client, `{"type":"ping","id":1,"id":2}`, wire.ErrMalformed, "id"},
		"a field twice, nested":            {wire.Client, `{"type":"candidate","candidate":{"candidate":"","candidate":""}}`, wire.ErrMalformed, "candidate"},
		"a field twice, escaped":           {wire.Client, `{"type":"ping","id":1,"\u0069d":2}`, wire.ErrMalformed, "id"},
		"an object for a word":             {wire.Client, `{"type":"offer","sdp":{}}`, wire.ErrOutOfRange, "sdp"},
		"deep nesting":                     {wire.Client, `{"type":"offer","sdp":` + strings.Repeat("[", wire.MaxDepth) + strings.Repeat("]", wire.MaxDepth) + `}`, wire.ErrOutOfRange, "sdp"},
		"bottomless nesting":               {wire.Client, `{"type":"offer","sdp":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, wire.ErrMalformed, ""},
		"a number for a word":              {wire.Client, `{"type":"offer","sdp":1}`, wire.ErrOutOfRange, "sdp"},
		"a fraction for a count":           {wire.Client, `{"type":"ping","id":1.5}`, wire.ErrOutOfRange, "id"},
		"a number too large":               {wire.Client, `{"type":"ping","id":9223372036854775808}`, wire.ErrOutOfRange, "id"},
		"the largest":                      {wire.Client, `{"type":"ping","id":9223372036854775807}`, ok, ""},
		"the longest frame":                {wire.Client, padded(wire.MaxFrame), ok, ""},
		"a frame too long":                 {wire.Client, padded(wire.MaxFrame + 1), wire.ErrOutOfRange, ""},
		"the longest SDP":                  {wire.Client, offer(wire.MaxSDP), ok, ""},
		"an SDP too long":                  {wire.Client, offer(wire.MaxSDP + 1), wire.ErrOutOfRange, "sdp"},
		"no SDP":                           {wire.Client, `{"type":"offer"}`, wire.ErrOutOfRange, "sdp"},
		"an empty SDP":                     {wire.Client, offer(0), wire.ErrOutOfRange, "sdp"},
		"no answer":                        {wire.Server, `{"type":"answer"}`, wire.ErrOutOfRange, "sdp"},
		"no samples":                       {wire.Client, report(0), wire.ErrOutOfRange, "samples"},
		"samples left out":                 {wire.Client, `{"type":"report"}`, wire.ErrOutOfRange, "samples"},
		"one sample":                       {wire.Client, report(1), ok, ""},
		"the most samples":                 {wire.Client, report(wire.MaxSamples), ok, ""},
		"a sample too many":                {wire.Client, report(wire.MaxSamples + 1), wire.ErrOutOfRange, "samples"},
		"a sample that can't be":           {wire.Client, `{"type":"report","samples":[{"timestamp":0}]}`, wire.ErrBadReport, "samples"},
		"a sample that is none":            {wire.Client, `{"type":"report","samples":[null]}`, wire.ErrBadReport, "samples"},
		"a negative count":                 {wire.Client, `{"type":"report","samples":[{"timestamp":1,"inbound-rtp":{"id":"x","ssrc":1,"packetsReceived":-1}}]}`, wire.ErrBadReport, "samples"},
		"a number beyond all":              {wire.Client, `{"type":"report","samples":[{"timestamp":1e999}]}`, wire.ErrOutOfRange, "samples.timestamp"},
		"the longest candidate":            {wire.Client, `{"type":"candidate","candidate":{"candidate":` + quoted(strings.Repeat("c", wire.MaxString)) + `}}`, ok, ""},
		"a candidate too long":             {wire.Client, `{"type":"candidate","candidate":{"candidate":` + quoted(strings.Repeat("c", wire.MaxString+1)) + `}}`, wire.ErrOutOfRange, "candidate"},
		"an sdpMid too long":               {wire.Client, `{"type":"candidate","candidate":{"candidate":"","sdpMid":` + quoted(strings.Repeat("c", wire.MaxString+1)) + `}}`, wire.ErrOutOfRange, "sdpMid"},
		"a ufrag too long":                 {wire.Client, `{"type":"candidate","candidate":{"candidate":"","usernameFragment":` + quoted(strings.Repeat("c", wire.MaxString+1)) + `}}`, wire.ErrOutOfRange, "usernameFragment"},
		"a candidate of nulls":             {wire.Client, `{"type":"candidate","candidate":{"candidate":"","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}}`, ok, ""},
		"an m-line below 0":                {wire.Client, `{"type":"candidate","candidate":{"candidate":"","sdpMLineIndex":-1}}`, wire.ErrOutOfRange, "candidate.sdpMLineIndex"},
		"resume without its session":       {wire.Client, `{"type":"resume","resume_token":"x"}`, wire.ErrOutOfRange, "session_id"},
		"resume without its token":         {wire.Client, `{"type":"resume","session_id":"x"}`, wire.ErrOutOfRange, "resume_token"},
		"a session id too long":            {wire.Client, `{"type":"resume","resume_token":"x","session_id":` + quoted(strings.Repeat("c", wire.MaxString+1)) + `}`, wire.ErrOutOfRange, "session_id"},
		"a token too long":                 {wire.Client, `{"type":"resume","session_id":"x","resume_token":` + quoted(strings.Repeat("c", wire.MaxString+1)) + `}`, wire.ErrOutOfRange, "resume_token"},
		"hello without its session":        {wire.Server, `{"type":"hello","resume_token":"x","stats_interval_ms":1000}`, wire.ErrOutOfRange, "session_id"},
		"hello without its token":          {wire.Server, `{"type":"hello","session_id":"x","stats_interval_ms":1000}`, wire.ErrOutOfRange, "resume_token"},
		"hello without its rhythm":         {wire.Server, `{"type":"hello","session_id":"x","resume_token":"x"}`, wire.ErrOutOfRange, "stats_interval_ms"},
		"an end without its cause":         {wire.Server, `{"type":"ended"}`, wire.ErrOutOfRange, "cause"},
		"a state without its agent":        {wire.Server, `{"type":"state","session":"active"}`, wire.ErrOutOfRange, "agent"},
		"no time":                          {wire.Server, `{"type":"warning","code":"idle","ends_at":"soon"}`, wire.ErrMalformed, ""},
		"the longest reason":               {wire.Server, `{"type":"ended","cause":"admin_ended","message":` + quoted(strings.Repeat("m", wire.MaxString)) + `}`, ok, ""},
		"the longest reason of an error":   {wire.Server, `{"type":"error","code":"bad_offer","field":"sdp","reason":` + quoted(strings.Repeat("m", wire.MaxString)) + `}`, ok, ""},
		"a reason of an error too long":    {wire.Server, `{"type":"error","code":"bad_offer","field":"sdp","reason":` + quoted(strings.Repeat("m", wire.MaxString+1)) + `}`, wire.ErrOutOfRange, "reason"},
		"a reason too long":                {wire.Server, `{"type":"ended","cause":"admin_ended","message":` + quoted(strings.Repeat("m", wire.MaxString+1)) + `}`, wire.ErrOutOfRange, "message"},
		"a turn before the first":          {wire.Server, `{"type":"state","session":"active","agent":"speaking","turn":{"wait_ms":1}}`, wire.ErrOutOfRange, "number"},
		"a wait below nothing":             {wire.Server, `{"type":"state","session":"active","agent":"speaking","turn":{"number":1,"wait_ms":-1}}`, wire.ErrOutOfRange, "wait_ms"},
		"quality above its scale":          {wire.Server, `{"type":"state","session":"active","agent":"listening","quality":{"level":"good","r":100.1,"mos":4}}`, wire.ErrOutOfRange, "r"},
		"MOS above its scale":              {wire.Server, `{"type":"state","session":"active","agent":"listening","quality":{"level":"good","r":80,"mos":4.6}}`, wire.ErrOutOfRange, "mos"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := decode(c.from, []byte(c.frame))
			var refused *wire.DecodeError
			if !errors.As(err, &refused) {
				if c.code != ok || err != nil {
					t.Fatalf("taken (%v), want %s", err, c.code)
				}
				return
			}
			if refused.Code != c.code || refused.Field != c.field {
				t.Errorf("%s %q, want %s %q (%v)", refused.Code, refused.Field, c.code, c.field, err)
			}
		})
	}
}

// Each closed set of words takes its own. Of a client it takes nothing else; a newer
// server may know more words than the page that a browser kept.
func TestWordsOutsideTheirSet(t *testing.T) {
	causes := make([]string, 0, len(wire.EndCauses()))
	for _, c := range wire.EndCauses() {
		causes = append(causes, string(c))
	}
	cases := map[string]struct {
		from  wire.Side
		frame string // %q stands for the word
		words []string
		field string
	}{
		"activity":      {wire.Client, `{"type":"activity","kind":%q}`, []string{"mute", "unmute", "keep_alive", "typing"}, "kind"},
		"session state": {wire.Server, `{"type":"state","session":%q,"agent":"listening"}`, []string{"connecting", "active", "reconnecting", "ended"}, "session"},
		"agent state":   {wire.Server, `{"type":"state","session":"active","agent":%q}`, []string{"connecting", "listening", "thinking", "speaking"}, "agent"},
		"level":         {wire.Server, `{"type":"state","session":"active","agent":"listening","quality":{"level":%q,"r":1,"mos":1}}`, []string{"excellent", "good", "fair", "poor", "none"}, "level"},
		"direction":     {wire.Server, `{"type":"state","session":"active","agent":"listening","quality":{"level":"good","r":1,"mos":1,"direction":%q}}`, []string{"to_agent", "to_caller"}, "direction"},
		"warning":       {wire.Server, `{"type":"warning","code":%q}`, []string{"idle", "max_duration", "draining", "budget", "agent_stuck"}, "code"},
		"end cause":     {wire.Server, `{"type":"ended","cause":%q}`, causes, "cause"},
		"error": {wire.Server, `{"type":"error","code":%q}`, []string{
			"malformed", "unknown_type", "unknown_field", "out_of_range", "out_of_order", "bad_offer", "bad_candidate",
			"bad_report", "unknown_resume", "rate_limited",
		}, "code"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, word := range c.words {
				if _, err := decode(c.from, fmt.Appendf(nil, c.frame, word)); err != nil {
					t.Errorf("%q: %v", word, err)
				}
				_, err := decode(c.from, fmt.Appendf(nil, c.frame, strings.ToUpper(word)))
				if c.from == wire.Server { // a newer one's word
					if err != nil {
						t.Errorf("%q in capitals: %v", word, err)
					}
					continue
				}
				var refused *wire.DecodeError
				if !errors.As(err, &refused) || refused.Code != wire.ErrOutOfRange || refused.Field != c.field {
					t.Errorf("%q in capitals: %v", word, err)
				}
			}
		})
	}
}

func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	cases := map[string]wire.Message{
		"an offer too long":  wire.Offer{SDP: strings.Repeat("x", wire.MaxSDP+1)},
		"an empty offer":     wire.Offer{},
		"no samples":         wire.Report{},
		"an unknown cause":   wire.Ended{Cause: "bored"},
		"an unknown warning": wire.Warning{Code: "soon"},
		// Each of these characters is written as six.
		"a frame too long": wire.Offer{SDP: strings.Repeat("<", wire.MaxSDP)},
	}
	for name, m := range cases {
		if frame, err := wire.Encode(m); err == nil {
			t.Errorf("%s: written as %d bytes", name, len(frame))
		}
	}
}

func TestCloseCodes(t *testing.T) {
	want := map[wire.EndCause]wire.CloseCode{
		"caller_left": 1000, "connection_lost": 1001, "protocol_error": 1002, "privacy_blocked": 1008, "server_shutdown": 1012,
		"idle_timeout": 4001, "max_duration": 4002, "admin_ended": 4003, "revoked": 4004, "token_expired": 4005,
		"agent_left": 4006, "agent_unavailable": 4007, "media_failed": 4008, "budget_spent": 4009, "slow_client": 4010,
		"rate_limited": 4011, "replaced": 4012, "agent_silent": 4013, "agent_unresponsive": 4014, "response_timeout": 4015, "agent_lost": 4016, "node_lost": 4017,
	}
	if len(wire.EndCauses()) != len(want) {
		t.Errorf("%d causes, want %d", len(wire.EndCauses()), len(want))
	}
	for _, c := range wire.EndCauses() {
		if code, ok := want[c]; !ok || c.CloseCode() != code || !c.Valid() {
			t.Errorf("%s closes with %d, want %d", c, c.CloseCode(), code)
		}
	}
	if other := wire.EndCause("bored"); other.Valid() || other.CloseCode() != wire.CloseInternalError {
		t.Errorf("an unknown cause closes with %d", other.CloseCode())
	}
}

// Each cause is either of somebody's will or of a limit, or a fault: no new one is forgotten.
func TestEndCausesThatAreFaults(t *testing.T) {
	faults := []wire.EndCause{
		"media_failed", "connection_lost", "slow_client", "protocol_error", "privacy_blocked",
		"agent_unavailable", "agent_silent", "agent_unresponsive", "response_timeout", "agent_lost", "node_lost",
	}
	meant := []wire.EndCause{
		"caller_left", "agent_left", "idle_timeout", "max_duration", "admin_ended", "revoked", "token_expired",
		"budget_spent", "server_shutdown", "rate_limited", "replaced",
	}
	for _, c := range wire.EndCauses() {
		isFault, isMeant := slices.Contains(faults, c), slices.Contains(meant, c)
		if isFault == isMeant {
			t.Errorf("%s must be in one of the lists", c)
		}
		if c.IsFault() != isFault {
			t.Errorf("%s: IsFault is %t", c, c.IsFault())
		}
	}
}
