package client

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// patchReader reads what a patch says every second of every call, and fails at all else:
// encoding/json reads that, at ten times the cost.
type patchReader struct {
	b      []byte // what is left
	failed bool
}

// splitFrame takes a frame apart without looking into its patches. ok is false for one
// that is written in another way than the server does.
func splitFrame(data []byte) (f wireFrame, ok bool) {
	r := patchReader{b: data}
	r.object(func(key string) {
		switch key {
		case "seq":
			f.Seq = uint64(r.integer())
		case "t":
			f.T = r.moment()
		case "upsert":
			f.Upsert = r.objects()
		case "remove":
			f.Remove = r.texts()
		default:
			r.failed = true
		}
	})
	return f, !r.failed && len(r.b) == 0
}

// changeOften applies a patch, of valid JSON, of the fields that change by the second. ok is
// false for one that has others, or is written in another way than the server does; then
// nothing was done.
func changeOften(row *rest.Session, raw []byte) (ok bool) {
	next := *row
	r := patchReader{b: raw}
	var added []float64
	r.object(func(key string) {
		switch key {
		case "id":
			r.failed = r.failed || r.text() != row.ID
		case "state":
			next.State = wire.SessionState(r.text())
		case "agent_state":
			next.AgentState = wire.AgentState(r.text())
		case "last_active_at":
			next.LastActiveAt = r.moment()
		case "ends_at":
			next.EndsAt = new(r.moment())
		case "first_word":
			next.FirstWord = r.firstWord(next.FirstWord)
		case "poor_seconds":
			next.PoorSeconds = r.poorSeconds()
		case "bytes_received":
			next.BytesReceived = r.integer()
		case "bytes_sent":
			next.BytesSent = r.integer()
		case "quality":
			r.verdict(&next.Quality)
		case "metrics":
			next.Metrics = r.metrics(next.Metrics)
		case "mos_trend_add":
			added = r.numbers()
		default:
			r.failed = true
		}
	})
	if r.failed || len(r.b) > 0 {
		return false
	}
	if len(added) > 0 {
		all := append(slices.Clone(next.MOSTrend), added...)
		next.MOSTrend = all[max(0, len(all)-trendLength):]
	}
	*row = next
	return true
}

func (r *patchReader) verdict(v *quality.Verdict) {
	r.object(func(key string) {
		switch key {
		case "level":
			v.Level = quality.Level(r.text())
		case "r":
			v.R = r.number()
		case "mos":
			v.MOS = r.number()
		case "cause":
			v.Cause = quality.Cause(r.text())
		case "direction":
			v.Direction = quality.Direction(r.text())
		case "value":
			v.Value = r.number()
		default:
			r.failed = true
		}
	})
}

func (r *patchReader) firstWord(old *rest.FirstWord) *rest.FirstWord {
	next := clone(old)
	if next == nil {
		next = new(rest.FirstWord)
	}
	r.object(func(key string) {
		switch key {
		case "turns":
			next.Turns = int(r.integer())
		case "p50_ms":
			next.P50MS = r.number()
		case "p95_ms":
			next.P95MS = r.number()
		default:
			r.failed = true
		}
	})
	return next
}

func (r *patchReader) poorSeconds() map[quality.Owner]int {
	poor := map[quality.Owner]int{}
	r.object(func(key string) { poor[quality.Owner(key)] = int(r.integer()) })
	return poor
}

// metrics gives figures as they are with the change. Those of before stay as they were:
// pages hold them.
func (r *patchReader) metrics(old map[quality.Direction]rest.Metrics) map[quality.Direction]rest.Metrics {
	all := maps.Clone(old)
	if all == nil {
		all = make(map[quality.Direction]rest.Metrics, 2)
	}
	r.object(func(direction string) {
		m := all[quality.Direction(direction)]
		r.object(func(key string) {
			figure := figureOf(&m, key)
			switch {
			case figure == nil:
				r.failed = true
			case r.take("null"):
				*figure = nil
			default:
				*figure = new(r.number())
			}
		})
		all[quality.Direction(direction)] = m
	})
	if len(all) == 0 {
		return old
	}
	return all
}

func figureOf(m *rest.Metrics, key string) **float64 {
	switch key {
	case "loss_ratio":
		return &m.LossRatio
	case "jitter_ms":
		return &m.JitterMS
	case "rtt_ms":
		return &m.RTTMS
	case "buffer_ms":
		return &m.BufferMS
	case "delay_ms":
		return &m.DelayMS
	case "concealed_ratio":
		return &m.ConcealedRatio
	case "bitrate_bps":
		return &m.BitrateBPS
	case "r":
		return &m.R
	case "mos":
		return &m.MOS
	}
	return nil
}

// object reads an object; each reads the value of a key. One with a key twice, or with
// more keys than any of ours has, is left to encoding/json.
func (r *patchReader) object(each func(key string)) {
	var seen [12]string
	r.need("{")
	for n := 0; !r.failed && !r.take("}"); n++ {
		if n > 0 {
			r.need(",")
		}
		key := r.text()
		r.need(":")
		if n == len(seen) || slices.Contains(seen[:n], key) {
			r.failed = true
			return
		}
		seen[n] = key
		if !r.failed {
			each(key)
		}
	}
}

func (r *patchReader) numbers() (list []float64) {
	r.need("[")
	for !r.failed && !r.take("]") {
		if list != nil {
			r.need(",")
		}
		list = append(list, r.number())
	}
	return list
}

func (r *patchReader) texts() []string {
	list := []string{}
	r.need("[")
	for !r.failed && !r.take("]") {
		if len(list) > 0 {
			r.need(",")
		}
		list = append(list, r.text())
	}
	return list
}

// objects takes a list of objects apart: each is whole, and all else about it unknown.
func (r *patchReader) objects() (list []json.RawMessage) {
	r.need("[")
	for !r.failed && !r.take("]") {
		if list != nil {
			r.need(",")
		}
		list = append(list, r.raw())
	}
	return list
}

// raw gives an object as it is written, without escapes in its texts.
func (r *patchReader) raw() []byte {
	whole := r.b
	r.need("{")
	for depth := 1; depth > 0 && !r.failed; {
		switch {
		case len(r.b) == 0:
			r.failed = true
			continue
		case r.b[0] == '"':
			r.quoted()
			continue
		case r.b[0] == '{', r.b[0] == '[':
			depth++
		case r.b[0] == '}', r.b[0] == ']':
			depth--
		}
		r.b = r.b[1:]
	}
	return whole[:len(whole)-len(r.b)]
}

// text reads a string without escapes.
func (r *patchReader) text() string {
	quoted := r.quoted()
	if len(quoted) < 2 {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}

func (r *patchReader) quoted() []byte {
	if len(r.b) == 0 || r.b[0] != '"' {
		r.failed = true
		return nil
	}
	for i := 1; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			quoted := r.b[:i+1]
			r.b = r.b[i+1:]
			return quoted
		case c == '\\' || c < ' ' || c > '~':
			r.failed = true
			return nil
		}
	}
	r.failed = true
	return nil
}

func (r *patchReader) moment() (at time.Time) {
	r.failed = at.UnmarshalJSON(r.quoted()) != nil || r.failed
	return at
}

func (r *patchReader) number() float64 {
	v, err := strconv.ParseFloat(r.digits("+-.eE"), 64)
	r.failed = r.failed || err != nil
	return v
}

func (r *patchReader) integer() int64 {
	v, err := strconv.ParseInt(r.digits("-"), 10, 64)
	r.failed = r.failed || err != nil
	return v
}

// digits reads what a number is written with.
func (r *patchReader) digits(and string) string {
	n := 0
	for n < len(r.b) && (r.b[n] >= '0' && r.b[n] <= '9' || contains(and, r.b[n])) {
		n++
	}
	text := string(r.b[:n])
	r.b = r.b[n:]
	return text
}

func contains(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

func (r *patchReader) need(text string) { r.failed = !r.take(text) || r.failed }

func (r *patchReader) take(text string) bool {
	if len(r.b) < len(text) || string(r.b[:len(text)]) != text {
		return false
	}
	r.b = r.b[len(text):]
	return true
}
