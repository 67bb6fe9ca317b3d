package client

import (
	"strings"
	"testing"
)

// The reader is tested from inside: through Watch, only events of Parley's own
// names can be seen.

func parse(t testing.TB, chunks ...string) (events []string) {
	t.Helper()
	var r eventReader
	for _, c := range chunks {
		err := r.feed([]byte(c), func(e event) {
			events = append(events, e.name+"|"+e.id+"|"+string(e.data))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return events
}

func TestReaderFollowsTheStandard(t *testing.T) {
	cases := map[string]struct{ in, want string }{
		"all fields":             {"event: a\nid: 7\ndata: x\n\n", "a|7|x"},
		"no name is message":     {"data: x\n\n", "message||x"},
		"lines are joined":       {"data: x\ndata: y\n\n", "message||x\ny"},
		"one space is cut":       {"data:  x\n\n", "message|| x"},
		"no space":               {"data:x\n\n", "message||x"},
		"no colon":               {"data\n\n", "message||"},
		"a comment says nothing": {": beat\n\n", ""},
		"no data, no event":      {"event: a\nid: 7\n\n", ""},
		"an id is kept":          {"id: 7\ndata: x\n\ndata: y\n\n", "message|7|x message|7|y"},
		"a name is not":          {"event: a\ndata: x\n\ndata: y\n\n", "a||x message||y"},
		"an id with NUL is none": {"id: 7\nid: a\x00b\ndata: x\n\n", "message|7|x"},
		"CR LF":                  {"data: x\r\ndata: y\r\n\r\n", "message||x\ny"},
		"CR":                     {"data: x\rdata: y\r\r", "message||x\ny"},
		"unknown fields":         {"retry: 5\nfoo: bar\ndata: x\n\n", "message||x"},
		"byte order mark":        {"\uFEFFdata: x\n\n", "message||x"},
		"an unfinished event":    {"data: x\n", ""},
		"a broken character":     {"data: \xff\n\n", "message||\xff"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(parse(t, c.in), " "); got != c.want {
				t.Errorf("whole: %q, want %q", got, c.want)
			}
			if got := strings.Join(parse(t, strings.Split(c.in, "")...), " "); got != c.want {
				t.Errorf("character by character: %q, want %q", got, c.want)
			}
		})
	}
}

func TestReaderRefusesAnEndlessEvent(t *testing.T) {
	for name, piece := range map[string]string{
		"one line":   strings.Repeat("x", 1<<20),
		"many lines": "data: " + strings.Repeat("x", 1<<20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			var r eventReader
			var err error
			taken := 0
			for ; err == nil && taken <= 2*MaxAnswer; taken += len(piece) {
				err = r.feed([]byte(piece), func(event) {})
			}
			if err != errTooLong || taken > MaxAnswer+2*len(piece) {
				t.Errorf("error %v after %d bytes", err, taken)
			}
		})
	}
}

// FuzzReader holds that where a stream is cut makes no difference.
func FuzzReader(f *testing.F) {
	f.Add("event: a\nid: 7\ndata: x\r\n\r\n: c\n\ndata: y\n\n", uint8(3))
	f.Add("\uFEFFdata\r\r\n\n", uint8(1))
	f.Fuzz(func(t *testing.T, in string, size uint8) {
		var chunks []string
		step := int(size)%16 + 1
		for rest := in; rest != ""; {
			n := min(step, len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		whole, cut := parse(t, in), parse(t, chunks...)
		if strings.Join(whole, "\x00") != strings.Join(cut, "\x00") {
			t.Errorf("whole %q, cut %q", whole, cut)
		}
	})
}
