package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// joinGap is how many zeros between two data segments are written out rather
// than skipped. Go's linker skips every short run of zeros and so writes some
// hundred thousand segments, whose headers compress worse than the zeros do.
const joinGap = 64

// Sections of a module, by the WebAssembly core specification 5.5.
const (
	customSection    = 0
	importSection    = 2
	codeSection      = 10
	dataSection      = 11
	dataCountSection = 12

	// nameSection is the custom section of names (appendix 7.4.1).
	nameSection = "name"
)

var (
	errNotModule = errors.New("not a WebAssembly module")
	errDataCount = errors.New("the module counts its data segments, which this command would make wrong")
)

// header is how a module begins: magic and version.
const header = 8

// eachSection walks over a module.
func eachSection(module []byte, do func(kind byte, body []byte) error) error {
	if len(module) < header || string(module[:4]) != "\x00asm" {
		return errNotModule
	}
	for rest := module[header:]; len(rest) > 0; {
		r := reader{rest[1:]}
		body := r.bytes(r.unsigned())
		if r.rest == nil {
			return errNotModule
		}
		if err := do(rest[0], body); err != nil {
			return err
		}
		rest = r.rest
	}
	return nil
}

// joinSegments returns the module with neighbouring data segments made one, and
// without names. The memory that a browser sets up from it is the same: it
// starts as zeros.
func joinSegments(module []byte) ([]byte, error) {
	return rewrite(module, func(s []segment) ([]segment, error) { return join(s), nil })
}

// rewrite returns the module with other data segments, and without names.
func rewrite(module []byte, change func([]segment) ([]segment, error)) ([]byte, error) {
	var out []byte
	err := eachSection(module, func(kind byte, body []byte) error {
		switch {
		case kind == customSection && isNames(body):
			return nil
		case kind == dataCountSection:
			return errDataCount
		case kind == dataSection:
			segments, err := readSegments(body)
			if err != nil {
				return err
			}
			if segments, err = change(segments); err != nil {
				return err
			}
			body = appendSegments(nil, segments)
		}
		out = append(out, kind)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(module[:header]), out...), nil
}

func isNames(body []byte) bool {
	r := reader{body}
	return string(r.bytes(r.unsigned())) == nameSection
}

// segment is an active one of memory 0: bytes and where they go.
type segment struct {
	at   int64
	data []byte
}

func join(segments []segment) []segment {
	joined := segments[:0:0]
	for _, s := range segments {
		if len(joined) > 0 {
			last := &joined[len(joined)-1]
			if gap := s.at - last.at - int64(len(last.data)); gap >= 0 && gap < joinGap {
				last.data = append(append(last.data, make([]byte, gap)...), s.data...)
				continue
			}
		}
		joined = append(joined, segment{s.at, bytes.Clone(s.data)})
	}
	return joined
}

// appendSegments writes the body of a data section.
func appendSegments(out []byte, segments []segment) []byte {
	out = binary.AppendUvarint(out, uint64(len(segments)))
	for _, s := range segments {
		out = append(out, 0, constI32)
		out = appendSigned(out, s.at)
		out = append(out, end)
		out = binary.AppendUvarint(out, uint64(len(s.data)))
		out = append(out, s.data...)
	}
	return out
}

// The instructions of a segment's place: i32.const n, end.
const (
	constI32 = 0x41
	end      = 0x0b
)

func readSegments(body []byte) ([]segment, error) {
	r := reader{body}
	segments := make([]segment, 0, r.unsigned())
	for range cap(segments) {
		kind, code := r.unsigned(), r.bytes(1)
		if kind != 0 || len(code) != 1 || code[0] != constI32 {
			return nil, fmt.Errorf("a data segment of kind %d: only those at a constant address of memory 0 can be joined", kind)
		}
		s := segment{at: r.signed()}
		if stop := r.bytes(1); len(stop) != 1 || stop[0] != end {
			return nil, errNotModule
		}
		s.data = r.bytes(r.unsigned())
		segments = append(segments, s)
	}
	if r.rest == nil {
		return nil, errNotModule
	}
	return segments, nil
}

// reader takes a module apart; its rest is nil once it was asked for more than
// there is.
type reader struct{ rest []byte }

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest = nil
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

// unsigned reads an unsigned LEB128 number.
func (r *reader) unsigned() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > uint64(len(r.rest)) { // everything that is counted here has bytes of its own
		r.rest = nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

// index reads an unsigned LEB128 number that counts nothing.
func (r *reader) index() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest = nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

// signed reads a signed LEB128 number of 32 bits.
func (r *reader) signed() int64 {
	var v int64
	for shift := 0; shift < 35 && len(r.rest) > 0; shift += 7 {
		b := r.rest[0]
		r.rest = r.rest[1:]
		v |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.rest = nil
	return 0
}

// appendSigned writes a signed LEB128 number.
func appendSigned(out []byte, v int64) []byte {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
