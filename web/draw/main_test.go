package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestIconsAreDrawn: the icons in the repository are what this program draws.
func TestIconsAreDrawn(t *testing.T) {
	dir := t.TempDir()
	if err := drawAll(dir); err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadDir(dir)
	if err != nil || len(drawn) == 0 {
		t.Fatalf("nothing drawn: %v", err)
	}
	for _, icon := range drawn {
		got, err := os.ReadFile(filepath.Join(dir, icon.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", "icons", icon.Name()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s isn't what is drawn: go generate ./web (%v)", icon.Name(), err)
		}
	}
}
