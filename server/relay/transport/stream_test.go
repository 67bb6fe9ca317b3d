package transport_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"parley/server/relay/transport"
)

// Packets come out of a stream as they were framed (RFC 4571 §2), however it is cut.
func TestReadFrame(t *testing.T) {
	into := make([]byte, 5)
	for name, c := range map[string]struct {
		stream []byte
		want   string
		err    error
	}{
		"one":               {[]byte{0, 3, 'a', 'b', 'c'}, "abc", nil},
		"the longest":       {[]byte{0, 5, 'a', 'b', 'c', 'd', 'e'}, "abcde", nil},
		"an empty one":      {[]byte{0, 0}, "", nil},
		"cut":               {[]byte{0, 3, 'a'}, "", io.ErrUnexpectedEOF},
		"cut in its length": {[]byte{0}, "", io.ErrUnexpectedEOF},
		"the end":           {nil, "", io.EOF},
	} {
		packet, err := transport.ReadFrame(bytes.NewReader(c.stream), into)
		if !errors.Is(err, c.err) || err == nil && string(packet) != c.want {
			t.Errorf("%s: %q, %v", name, packet, err)
		}
	}
	if _, err := transport.ReadFrame(bytes.NewReader([]byte{0, 6, 1, 2, 3, 4, 5, 6}), into); err == nil {
		t.Error("one that is too long is read")
	}
}
