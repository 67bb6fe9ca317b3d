package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

func TestPack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.wasm")
	want := module(dataOf(segment{0, bytes.Repeat([]byte("more and "), 10_000)}))
	write(t, path, want)
	var told bytes.Buffer
	for range 2 { // the second time, what is there stays
		if err := packAll(options{quality: 4, out: &told}, []string{path}); err != nil {
			t.Fatal(err)
		}
	}
	if told.String() != "app.wasm is packed already\n" {
		t.Errorf("told %q", told.String())
	}
	checkPacked(t, path, want)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	for name, spoil := range map[string]func(){
		"another program": func() { want = module(dataOf(segment{0, bytes.Repeat([]byte("less "), 10_000)})); write(t, path, want) },
		"a lost file":     func() { remove(t, path+".gz") },
		"a lost stamp":    func() { remove(t, stampPath(path)) },
	} {
		spoil()
		told.Reset()
		if err := packAll(options{quality: 4, out: &told}, []string{path}); err != nil || told.Len() > 0 {
			t.Errorf("%s: %v, told %q", name, err, told.String())
		}
		checkPacked(t, path, want)
	}
	if err := packAll(options{quality: 5, out: &told}, []string{path}); err != nil || told.Len() > 0 {
		t.Errorf("another quality: %v, told %q", err, told.String())
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// checkPacked unpacks what was packed.
func checkPacked(t *testing.T, path string, want []byte) {
	t.Helper()
	for name, open := range map[string]func(io.Reader) (io.Reader, error){
		".br": func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		".gz": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	} {
		packed, err := os.ReadFile(path + name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := open(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) || len(packed) > len(want)/10 {
			t.Errorf("%s: %d bytes packed, %d unpacked: %v", name, len(packed), len(got), err)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.wasm")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no file":       packAll(options{quality: 4, out: io.Discard}, nil),
		"a missing one": packAll(options{quality: 4, out: io.Discard}, []string{path + "x"}),
		"quality 12":    packAll(options{quality: 12, out: io.Discard}, []string{path}),
		"quality -1":    packAll(options{quality: -1, out: io.Discard}, []string{path}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type discard struct{ io.Writer }

func (discard) Close() error { return nil }

func TestProgressIsToldToWhoWaits(t *testing.T) {
	var told bytes.Buffer
	p := &progress{WriteCloser: discard{io.Discard}, out: &told, name: "app.wasm", total: 11e6, told: time.Now()}
	if n, err := p.Write(make([]byte, 5e6)); n != 5e6 || err != nil || told.Len() > 0 {
		t.Fatalf("at once: %d, %v, told %q", n, err, told.String())
	}
	p.told = time.Now().Add(-progressEvery)
	if n, err := p.Write(make([]byte, 100)); n != 100 || err != nil || told.String() != "  app.wasm: packed 5 of 11 MB\n" {
		t.Fatalf("after a while: %d, %v, told %q", n, err, told.String())
	}
}
