package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is one with a section of its own kind before and after the data.
func module(data []byte, more ...byte) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00\x00\x02ab")
	out = append(append(out, dataSection), binary.AppendUvarint(nil, uint64(len(data)))...)
	out = append(append(out, data...), more...)
	return append(out, "\x00\x01z"...)
}

func dataOf(segments ...segment) []byte {
	out := binary.AppendUvarint(nil, uint64(len(segments)))
	for _, s := range segments {
		out = append(appendSigned(append(out, 0, constI32), s.at), end)
		out = append(binary.AppendUvarint(out, uint64(len(s.data))), s.data...)
	}
	return out
}

// memory is what the segments leave in it, but for zeros.
func memory(t *testing.T, segments []segment) map[int64]byte {
	t.Helper()
	out := map[int64]byte{}
	for _, s := range segments {
		for i, b := range s.data {
			if out[s.at+int64(i)] = b; b == 0 {
				delete(out, s.at+int64(i))
			}
		}
	}
	return out
}

func TestJoinSegments(t *testing.T) {
	part := func(at int64) segment { return segment{at, []byte{1, 2, 3}} }
	for name, test := range map[string]struct {
		segments []segment
		want     int // how many are left
	}{
		"none":                 {nil, 0},
		"one":                  {[]segment{part(5)}, 1},
		"side by side":         {[]segment{part(100), part(103)}, 1},
		"the widest gap":       {[]segment{part(100), part(103 + joinGap - 1)}, 1},
		"one more":             {[]segment{part(100), part(103 + joinGap)}, 2},
		"out of order":         {[]segment{part(200), part(100)}, 2},
		"one over another":     {[]segment{part(100), part(102)}, 2},
		"many, then a far one": {[]segment{part(64), part(70), part(80), part(90), part(1 << 30)}, 2},
		"high addresses":       {[]segment{part(-1 << 31), part(-1<<31 + 4)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			joined, err := joinSegments(module(dataOf(test.segments...)))
			if err != nil {
				t.Fatal(err)
			}
			head, tail := []byte("\x00asm\x01\x00\x00\x00\x00\x02ab\x0b"), []byte("\x00\x01z")
			if !bytes.HasPrefix(joined, head) || !bytes.HasSuffix(joined, tail) {
				t.Fatalf("the other sections changed: %q", joined)
			}
			_, n := binary.Uvarint(joined[len(head):])
			got, err := readSegments(joined[len(head)+n : len(joined)-len(tail)])
			if err != nil || len(got) != test.want {
				t.Fatalf("%d segments, want %d: %v", len(got), test.want, err)
			}
			if !maps.Equal(memory(t, got), memory(t, test.segments)) {
				t.Fatal("the memory is another")
			}
		})
	}
}

func TestJoinSegmentsRefuses(t *testing.T) {
	if _, err := joinSegments(module(dataOf(), dataCountSection, 1, 1)); !errors.Is(err, errDataCount) {
		t.Errorf("a count of segments: %v", err)
	}
	good := dataOf(segment{5, []byte("abc")})
	passive := []byte{1, 1, 3, 'a', 'b', 'c'}
	for name, bad := range map[string][]byte{
		"nothing":             nil,
		"another file":        []byte("<!doctype html>"),
		"a passive segment":   module(passive),
		"a section cut off":   module(good)[:20],
		"a segment cut off":   module(good[:len(good)-1]),
		"too large a number":  module([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}),
		"a place without end": module([]byte{1, 0, constI32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, end, 0}),
	} {
		if out, err := joinSegments(bad); err == nil {
			t.Errorf("%s: %d bytes and no error", name, len(out))
		}
	}
}

// image is the memory that a browser sets up from a module.
func image(t *testing.T, module []byte) []byte {
	t.Helper()
	var out []byte
	err := eachSection(module, func(kind byte, body []byte) error {
		if kind != dataSection {
			return nil
		}
		segments, err := readSegments(body)
		for _, s := range segments {
			if end := int(s.at) + len(s.data); end > len(out) {
				out = append(out, make([]byte, end-len(out))...)
			}
			copy(out[s.at:], s.data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// buildProgram has Go's linker make a program.
func buildProgram(t *testing.T, text string) (path string, raw []byte) {
	t.Helper()
	dir := t.TempDir()
	source, built := filepath.Join(dir, "main.go"), filepath.Join(dir, "main.wasm")
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", built, source)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	return built, raw
}

const runs = `package main

func main() { println("it runs") }
`

// TestAJoinedProgramRuns joins a program of Go's: its memory stays what the
// linker made it, and it runs, where node is there to do so.
func TestAJoinedProgramRuns(t *testing.T) {
	built, raw := buildProgram(t, runs)
	joined, err := joinSegments(raw)
	if err != nil {
		t.Fatal(err)
	}
	if was, is := image(t, raw), image(t, joined); len(was) < 1<<16 || !bytes.Equal(was, is) {
		t.Fatalf("%d bytes of memory became %d others", len(was), len(is))
	}
	if bytes.Equal(raw, joined) {
		t.Fatal("nothing was joined")
	}
	if out := run(t, built, joined); !strings.Contains(out, "it runs") {
		t.Fatal(out)
	}
}
