package client

import (
	"bytes"
	"errors"
)

// event is one server-sent event: https://html.spec.whatwg.org/#server-sent-events
type event struct {
	name string
	id   string // the last id seen, as the standard has it: an event without one keeps it
	data []byte
}

// errTooLong ends a stream whose one event would not fit in MaxAnswer.
var errTooLong = errors.New("an event of the stream is too long")

// eventReader cuts a stream of chunks into events. Chunks may break anywhere, in a
// line, a line end or a character.
type eventReader struct {
	rest     []byte // of a line that has not ended yet
	looked   int    // bytes of rest known to hold no line end: a long line comes in many chunks
	next     event
	hasAny   bool // a data line came: without one an event is not dispatched
	afterC   bool // the last line ended in CR: a LF right after belongs to it
	hasBegun bool // the byte order mark, if there was one, is behind us
}

// feed takes a chunk and calls each for every event that it completes.
func (r *eventReader) feed(chunk []byte, each func(event)) error {
	r.rest = append(r.rest, chunk...)
	if !r.hasBegun {
		if len(r.rest) < len(bom) && bytes.HasPrefix([]byte(bom), r.rest) {
			return nil
		}
		r.hasBegun = true
		r.rest = bytes.TrimPrefix(r.rest, []byte(bom))
	}
	used := 0
	for {
		line, n, ok := r.line(r.rest[used:])
		used += n
		if !ok {
			break
		}
		r.take(line, each)
	}
	r.rest = append(r.rest[:0], r.rest[used:]...)
	r.looked = len(r.rest)
	if len(r.rest)+len(r.next.data) > MaxAnswer {
		return errTooLong
	}
	return nil
}

const bom = "\uFEFF"

// line finds the next line in b: its text, and how many bytes it took. Lines
// end in LF, CR LF, or CR.
func (r *eventReader) line(b []byte) (text []byte, used int, ok bool) {
	if r.afterC && len(b) > 0 {
		r.afterC = false
		if b[0] == '\n' {
			b, used = b[1:], 1
		}
	}
	end := lineEnd(b[min(r.looked, len(b)):])
	if end < 0 {
		return nil, used, false
	}
	end += min(r.looked, len(b))
	r.looked = 0
	r.afterC = b[end] == '\r'
	return b[:end], used + end + 1, true
}

// lineEnd is bytes.IndexAny(b, "\r\n"), which looks at each byte by itself.
func lineEnd(b []byte) int {
	end := bytes.IndexByte(b, '\n')
	if end >= 0 {
		b = b[:end]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return end
}

func (r *eventReader) take(line []byte, each func(event)) {
	if len(line) == 0 {
		r.dispatch(each)
		return
	}
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "event":
		r.next.name = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.next.id = string(value)
		}
	case "data":
		if r.hasAny {
			r.next.data = append(r.next.data, '\n')
		}
		r.next.data = append(r.next.data, value...)
		r.hasAny = true
	}
	// A comment (empty field) is the heartbeat: that it came is all it says.
	// retry: is ours to decide.
}

func (r *eventReader) dispatch(each func(event)) {
	if r.hasAny {
		if r.next.name == "" {
			r.next.name = "message"
		}
		each(r.next)
	}
	r.next = event{id: r.next.id}
	r.hasAny = false
}
