package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// traced is a program that needs what is left of the table: its stack grows, it is
// collected under way, it recovers, and it asks where it is before it fails.
const traced = `package main

import (
	"fmt"
	"runtime"
)

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return nil
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) count() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.count() + t.right.count()
}

func deep(n int) (sum int) {
	var frame [100]int
	if frame[n%100] = n; n > 0 {
		sum = deep(n - 1)
	}
	return sum + frame[n%100]
}

func fail() (why any) {
	defer func() { why = recover() }()
	var none map[string]int
	none["a"] = 1
	return nil
}

func main() {
	kept := grow(15)
	for range 20 {
		grow(12)
		runtime.GC()
	}
	fmt.Println(kept.count(), deep(2_000), fail())
	pc, file, line, ok := runtime.Caller(0)
	fmt.Println(runtime.FuncForPC(pc).Name(), file, line, ok)
	panic("at the end")
}
`

// TestAProgramRunsWithoutItsLines, and its traces still name functions.
func TestAProgramRunsWithoutItsLines(t *testing.T) {
	built, raw := buildProgram(t, traced)
	small, err := options{dropsLines: true}.shrink(raw)
	if err != nil {
		t.Fatal(err)
	}
	was, is := image(t, raw), image(t, small)
	if gone := zeros(is) - zeros(was); len(was) != len(is) || gone < len(was)/20 {
		t.Errorf("%d of %d bytes are gone", gone, len(was))
	}
	if bytes.Contains(is, []byte("runtime/panic.go")) || !bytes.Contains(is, []byte("main.deep")) {
		t.Error("a file is left, or a function is not")
	}
	out := run(t, built, small)
	for _, want := range []string{"32767 2001000 assignment to entry in nil map\n", "main.main ? 0 true\n", "panic: at the end", "main.main()\n\t?:0"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func zeros(memory []byte) int { return bytes.Count(memory, []byte{0}) }

// run has node run a program, and tells what it said.
func run(t *testing.T, path string, program []byte) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("browsers run such a program in the tests of the pages")
	}
	if err := os.WriteFile(path, program, 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(node, filepath.Join(string(bytes.TrimSpace(root)), "lib/wasm/wasm_exec_node.js"), path).CombinedOutput()
	return string(out)
}

// aTable is one of a function that has that many more tables, and of those values.
func aTable(more uint32, values ...byte) []byte {
	t := append(bytes.Clone(tableMagic), make([]byte, headerSize-len(tableMagic))...)
	for at, v := range map[int]int{atFuncs: 1, atUnits: headerSize, atFiles: headerSize, atValueTable: headerSize, atFuncTable: headerSize + len(values)} {
		binary.LittleEndian.PutUint64(t[at:], uint64(v))
	}
	t = append(t, values...)
	t = append(t, 0, 0, 0, 0, 8, 0, 0, 0) // where its one function begins, and where it is told
	f := make([]byte, funcSize)
	for at, v := range map[int]uint32{atStackSize: 1, atFile: 4, atLine: 4, atMore: more, atUnit: 7, atStart: 9} {
		binary.LittleEndian.PutUint32(f[at:], v)
	}
	return append(t, f...)
}

func TestDropLines(t *testing.T) {
	good := aTable(0, 0, 2, 1, 0, 2, 9, 0)
	if err := dropLines([]segment{{0, good}}); err != nil {
		t.Fatal(err)
	}
	if got := good[headerSize : headerSize+7]; !bytes.Equal(got, []byte{0, 2, 1, 0, 0, 0, 0}) {
		t.Errorf("the values are %v", got)
	}
	if f := funcEntry(good[headerSize+15:]); f.word(atStackSize) != 1 || f.word(atFile)+f.word(atLine)+f.word(atUnit)+f.word(atStart) != 0 {
		t.Errorf("the function is %v", f)
	}
	twice := append(aTable(0, 0, 2, 1, 0), aTable(0, 0, 2, 1, 0)...)
	for name, c := range map[string]struct {
		memory []byte
		want   error
	}{
		"no table":                  {[]byte("no table"), errNoTable},
		"a header alone":            {tableMagic, errNoTable},
		"two":                       {twice, errNoTable},
		"a function cut off":        {aTable(0, 0, 2, 1, 0)[:headerSize+20], errShortTable},
		"a function without tables": {aTable(1<<30, 0, 2, 1, 0), errShortTable},
		"values without an end":     {aTable(0, 0, 2, 1, 2, 1), errShortTable},
		"values of half a number":   {aTable(0, 0, 2, 0x80), errShortTable},
		"values that are not there": {aTable(0), errShortTable},
	} {
		if err := dropLines([]segment{{0, c.memory}}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
