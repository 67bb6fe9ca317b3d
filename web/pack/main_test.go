package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/andybalholm/brotli"
)

func TestPack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.wasm")
	want := bytes.Repeat([]byte("\x00asm and more "), 10_000)
	if err := os.WriteFile(path, want, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over what is there
		if err := pack(path, 4); err != nil {
			t.Fatal(err)
		}
	}
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
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestPackRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.wasm")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no file":       pack("", 4),
		"a missing one": pack(path+"x", 4),
		"quality 12":    pack(path, 12),
		"quality -1":    pack(path, -1),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
