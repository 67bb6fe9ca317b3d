package realtime_test

import (
	"testing"
	"time"

	"parley/server/agent/realtime"
	"parley/shared/rest"
)

func read(t *testing.T, message string) *realtime.Event {
	t.Helper()
	e, err := realtime.Read([]byte(message))
	if err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	return e
}

func TestEachTokenIsCountedOnce(t *testing.T) {
	for name, test := range map[string]struct {
		usage string
		want  rest.Tokens
	}{
		"as documented": {
			`{"total_tokens":253,"input_tokens":132,"output_tokens":121,"input_token_details":{"text_tokens":119,"audio_tokens":13,"image_tokens":0,
			"cached_tokens":64,"cached_tokens_details":{"text_tokens":60,"audio_tokens":4,"image_tokens":0}},"output_token_details":{"text_tokens":30,"audio_tokens":91}}`,
			rest.Tokens{InputText: 59, InputTextCached: 60, InputAudio: 9, InputAudioCached: 4, OutputText: 30, OutputAudio: 91},
		},
		"the plural of some servers": {
			`{"input_tokens":30,"output_tokens":7,"input_tokens_details":{"text_tokens":10,"audio_tokens":20,"cached_tokens":0},"output_tokens_details":{"text_tokens":7}}`,
			rest.Tokens{InputText: 10, InputAudio: 20, OutputText: 7},
		},
		"cached of no kind":           {`{"input_tokens":30,"input_token_details":{"text_tokens":10,"audio_tokens":20,"cached_tokens":15}}`, rest.Tokens{InputTextCached: 10, InputAudioCached: 5, InputAudio: 15}},
		"more cached than there is":   {`{"input_tokens":30,"input_token_details":{"text_tokens":30,"cached_tokens":99}}`, rest.Tokens{InputTextCached: 30}},
		"totals only":                 {`{"total_tokens":12,"input_tokens":7,"output_tokens":5}`, rest.Tokens{InputOther: 7, OutputOther: 5}},
		"one total":                   {`{"total_tokens":12}`, rest.Tokens{InputOther: 12}},
		"images":                      {`{"input_tokens":9,"input_token_details":{"image_tokens":9,"cached_tokens":2,"cached_tokens_details":{"image_tokens":2}}}`, rest.Tokens{InputImage: 7, InputImageCached: 2}},
		"negative, and no numbers":    {`{"input_tokens":-5,"output_tokens":"9","input_token_details":{"text_tokens":-7,"audio_tokens":null}}`, rest.Tokens{}},
		"a number beyond all reason":  {`{"output_tokens":1e300}`, rest.Tokens{OutputOther: 100_000_000}},
		"details that are not object": {`{"input_tokens":3,"input_token_details":[1]}`, rest.Tokens{InputOther: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			e := read(t, `{"type":"response.done","response":{"id":"r","usage":`+test.usage+`}}`)
			if e.Usage == nil || e.Usage.Tokens != test.want {
				t.Errorf("read %+v", e.Usage)
			}
		})
	}
}

func TestTranscriptsAreBilledApart(t *testing.T) {
	e := read(t, `{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","usage":{"type":"duration","seconds":2.5}}`)
	if e.Usage == nil || e.Usage.Transcribed != 2500*time.Millisecond || e.Usage.Tokens.Sum() != 0 {
		t.Errorf("by length: %+v", e.Usage)
	}
	e = read(t, `{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","usage":{"type":"tokens","total_tokens":22,"input_tokens":13,"input_token_details":{"audio_tokens":13},"output_tokens":9}}`)
	if e.Usage == nil || e.Usage.Tokens != (rest.Tokens{Transcription: 22}) {
		t.Errorf("by tokens: %+v", e.Usage)
	}
}

func TestPricesAreReadAndWrittenExactly(t *testing.T) {
	for text, want := range map[string]realtime.Micros{"32": 32_000_000, "0.40": 400_000, "0.000001": 1, "0": 0, "1000000": 1_000_000_000_000} {
		if got, err := realtime.ParsePrice(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".5", "5.", "-1", "+1", "1e3", "1,5", "0.0000001", "1000000.000001", "99999999999999999999", "1.2.3", " 1"} {
		if got, err := realtime.ParsePrice(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
	for amount, want := range map[realtime.Micros]string{0: "0.00", 1: "0.000001", 400_000: "0.40", 32_000_000: "32.00", -1_500_000: "-1.50"} {
		if got := amount.String(); got != want {
			t.Errorf("%d is written %s", amount, got)
		}
	}
}

var prices = realtime.Prices{
	Currency: "USD", InputText: 4_000_000, InputTextCached: 400_000, InputAudio: 32_000_000, InputAudioCached: 400_000,
	OutputText: 24_000_000, OutputAudio: 64_000_000, TranscriptionMinute: 6_000,
}

func TestCost(t *testing.T) {
	for name, test := range map[string]struct {
		usage realtime.Usage
		want  realtime.Micros
	}{
		"nothing":                {realtime.Usage{}, 0},
		"each kind by its price": {realtime.Usage{Tokens: rest.Tokens{InputText: 1000, InputTextCached: 1000, InputAudio: 1000, InputAudioCached: 1000, OutputText: 1000, OutputAudio: 1000}}, 4000 + 400 + 32000 + 400 + 24000 + 64000},
		"no kind by the dearest": {realtime.Usage{Tokens: rest.Tokens{InputOther: 1000, OutputOther: 1000}}, 32000 + 64000},
		"rounded once":           {realtime.Usage{Tokens: rest.Tokens{InputTextCached: 1, InputAudioCached: 1}}, 1},
		"half a minute":          {realtime.Usage{Transcribed: 30 * time.Second}, 3000},
		"a call beyond reason":   {realtime.Usage{Tokens: rest.Tokens{OutputAudio: 100_000_000 * 3600}}, 100_000_000 * 3600 * 64},
	} {
		if got := prices.Cost(test.usage); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	dear := realtime.Prices{OutputAudio: 1 << 62, OutputText: -5}
	if got := dear.Cost(realtime.Usage{Tokens: rest.Tokens{OutputAudio: 1 << 62, OutputText: 5}}); got <= 0 {
		t.Errorf("an overflow costs %d", got)
	}
}

func TestAMeterCountsAnAnswerOnceAndSaysWhatIsNotConfirmed(t *testing.T) {
	m := realtime.NewMeter(prices)
	for _, message := range []string{
		`{"type":"response.created","response":{"id":"r1"}}`,
		`{"type":"response.done","response":{"id":"r1","status":"completed","usage":{"output_tokens":10,"output_token_details":{"audio_tokens":10}}}}`,
		`{"type":"response.done","response":{"id":"r1","status":"completed","usage":{"output_tokens":10,"output_token_details":{"audio_tokens":10}}}}`,
		`{"type":"response.created","response":{"id":"r1"}}`,
		`{"type":"response.created","response":{"id":"r2"}}`,
		`{"type":"response.done","response":{"id":"r2","status":"failed"}}`,
		`{"type":"response.created","response":{"id":"r3"}}`,
		`{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","usage":{"type":"duration","seconds":60}}`,
		`{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","usage":{"type":"duration","seconds":60}}`,
	} {
		m.Observe(read(t, message))
	}
	want := rest.Usage{
		Tokens: rest.Tokens{OutputAudio: 10}, TranscribedMS: 60_000, Responses: 3, Unconfirmed: 2, CostMicros: 640 + 6000, Currency: "USD",
	}
	if got := m.Total(); got != want {
		t.Errorf("total %+v\nwant  %+v", got, want)
	}
}

// A call that is billed by its length costs each step of 15 s once it has begun, beside
// what else it uses.
func TestACallIsBilledByItsLength(t *testing.T) {
	m := realtime.NewMeter(realtime.Prices{Currency: "USD", CallMinute: 60_000})
	for _, step := range []struct {
		after   time.Duration
		changed bool
		cost    int64
	}{
		{0, true, 15_000}, {time.Second, false, 15_000}, {15*time.Second - 1, false, 15_000}, {15 * time.Second, true, 30_000},
		{14 * time.Second, false, 30_000}, {time.Minute, true, 75_000}, {time.Hour, true, 3_615_000},
	} {
		if changed := m.Connected(step.after); changed != step.changed || m.Total().CostMicros != step.cost {
			t.Errorf("after %v: changed %v, costs %d, want %v, %d", step.after, changed, m.Total().CostMicros, step.changed, step.cost)
		}
	}
	free := realtime.NewMeter(realtime.Prices{Currency: "USD", OutputAudio: 1})
	if free.Connected(time.Hour) || free.Total().CostMicros != 0 {
		t.Errorf("a call that isn't costs %d", free.Total().CostMicros)
	}
}
