package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func TestWeights(t *testing.T) {
	lines, err := readWeights(strings.NewReader("# name budget weight why\n\napp.wasm 2000000 1700000 calls, by themselves\n"))
	if err != nil || lines["app.wasm"] != (written{2_000_000, 1_700_000, "calls, by themselves"}) || len(lines) != 1 {
		t.Fatalf("%v, %v", lines, err)
	}
	for name, test := range map[string]struct {
		file  string
		size  int64
		wrong string
	}{
		"as written":       {"app.wasm", 1_700_000, ""},
		"the longest step": {"app.wasm", 1_730_000, ""},
		"one byte more":    {"app.wasm", 1_730_001, "heavier than written down"},
		"lighter":          {"app.wasm", 1_600_000, ""},
		"over the budget":  {"app.wasm", 2_000_001, "over its budget"},
		"without a line":   {"new.wasm", 1, "no line"},
	} {
		err := judge(io.Discard, test.file, test.size, lines)
		if (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var told bytes.Buffer
	if err := judge(&told, "app.wasm", 1_669_999, lines); err != nil || !strings.Contains(told.String(), "write down the new weight") {
		t.Errorf("lighter: %v, told %q", err, told.String())
	}
	for _, bad := range []string{"app.wasm 1 2", "app.wasm x 2 why", "app.wasm 1 x why"} {
		if _, err := readWeights(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestPackageOf(t *testing.T) {
	for function, want := range map[string]string{
		"runtime.mallocgc":                   "runtime",
		"parley_app_call.__Engine_.Start":    "parley_app_call",
		"github.com_pion_ice_v4.__Agent_.go": "github.com_pion_ice_v4",
		"golang.org_x_text.Func":             "golang.org_x_text",
		"wasm_export_run":                    "wasm_export_run",
	} {
		if got := packageOf(function); got != want {
			t.Errorf("%s is of %s, not %s", function, got, want)
		}
	}
}

// The heaviest package of Go's smallest program is its runtime; the names that
// say so are in no packed program.
func TestThePackagesOfAProgramAreWeighed(t *testing.T) {
	path, raw := buildProgram(t, runs)
	weights, err := packageWeights(raw)
	if err != nil || weights["runtime"] < 100_000 || weights["main"] == 0 || weights["main"] > 10_000 {
		t.Fatalf("runtime %d, main %d: %v", weights["runtime"], weights["main"], err)
	}
	joined, err := joinSegments(raw)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := packageWeights(joined); err != nil || len(left) > 0 {
		t.Fatalf("%d packages are named in a packed program: %v", len(left), err)
	}
	file := filepath.Join(t.TempDir(), "weights.txt")
	if err := os.WriteFile(file, []byte("main.wasm 900000 1 a test\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	o := options{quality: brotli.BestSpeed, weights: file, out: &told}
	if err := packAll(o, []string{path}); err != nil {
		t.Fatalf("weights hold for another quality: %v", err)
	}
	if err := checkWeight(o, path); err == nil || !strings.Contains(err.Error(), "heavier than written down") || !strings.Contains(told.String(), "KB of code: runtime ") {
		t.Fatalf("%v, told %q", err, told.String())
	}
}
