package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// What is left out here is the part of Go's table of functions that says which file and
// line an instruction is of, a tenth of a packed program: only traces ask for it. One in
// the browser's console names functions without it, and says "?:0" for the line; `make
// quick` keeps it. The layout is that of runtime.pcHeader and runtime._func.

// tableMagic is how the table begins: Go120PCLnTabMagic, two zeros, instructions of 1 byte,
// pointers of 8.
var tableMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// Where the header has what, in bytes from its beginning.
const (
	atFuncs      = 8  // how many functions there are
	atUnits      = 40 // where the list of each unit's files is
	atFiles      = 48 // where their names are
	atValueTable = 56 // where the tables of a value for each instruction are
	atFuncTable  = 64 // where the functions are; the first is its own list
	headerSize   = 72
)

// Where a function has what.
const (
	atStackSize = 16 // pcsp
	atFile      = 20 // pcfile
	atLine      = 24 // pcln
	atMore      = 28 // npcdata: how many more tables it has
	atUnit      = 32 // cuOffset
	atStart     = 36 // startLine
	funcSize    = 44
)

var (
	errNoTable    = errors.New("no table of functions, or more than one: another Go lays it out otherwise, and -drop-lines has to learn it")
	errShortTable = errors.New("the table of functions ends early")
)

// dropLines takes files and lines out of a program's memory.
func dropLines(memory []segment) error {
	table, err := findTable(memory)
	if err != nil {
		return err
	}
	return table.dropLines()
}

// funcTable is the memory from the header of the table on.
type funcTable []byte

// findTable finds it in the one segment that has it.
func findTable(memory []segment) (table funcTable, err error) {
	for _, s := range memory {
		for rest := s.data; ; {
			i := bytes.Index(rest, tableMagic)
			if i < 0 {
				break
			}
			if t := funcTable(rest[i:]); t.isTable() {
				if table != nil {
					return nil, errNoTable
				}
				table = t
			}
			rest = rest[i+1:]
		}
	}
	if table == nil {
		return nil, errNoTable
	}
	return table, nil
}

func (t funcTable) isTable() bool {
	if len(t) < headerSize {
		return false
	}
	places := []uint64{headerSize, t.word(atUnits), t.word(atFiles), t.word(atValueTable), t.word(atFuncTable), uint64(len(t))}
	return slices.IsSorted(places) && t.word(atFuncs) > 0
}

func (t funcTable) word(at int) uint64 { return binary.LittleEndian.Uint64(t[at:]) }

func (t funcTable) dropLines() error {
	values := t[t.word(atValueTable):t.word(atFuncTable)]
	funcs := t[t.word(atFuncTable):]
	used := make([]span, 0, 3*t.word(atFuncs))
	for i := range int(t.word(atFuncs)) {
		if len(funcs) < 8*i+8 {
			return errShortTable
		}
		f, err := funcAt(funcs, binary.LittleEndian.Uint32(funcs[8*i+4:]))
		if err != nil {
			return err
		}
		for _, at := range f.tables() {
			s, err := tableAt(values, at)
			if err != nil {
				return err
			}
			used = append(used, s)
		}
		f.dropLines()
	}
	clearUnused(values, used)
	clear(t[t.word(atUnits):t.word(atValueTable)])
	return nil
}

// funcEntry is what the table says of one function.
type funcEntry []byte

func funcAt(funcs []byte, at uint32) (funcEntry, error) {
	if uint64(at)+funcSize > uint64(len(funcs)) {
		return nil, errShortTable
	}
	f := funcEntry(funcs[at:])
	if end := funcSize + 4*uint64(f.word(atMore)); end > uint64(len(f)) {
		return nil, errShortTable
	}
	return f, nil
}

func (f funcEntry) word(at int) uint32 { return binary.LittleEndian.Uint32(f[at:]) }

// tables are where those begin that it still needs.
func (f funcEntry) tables() []uint32 {
	tables := []uint32{f.word(atStackSize)}
	for i := range int(f.word(atMore)) {
		tables = append(tables, f.word(funcSize+4*i))
	}
	return slices.DeleteFunc(tables, func(at uint32) bool { return at == 0 })
}

func (f funcEntry) dropLines() {
	for _, at := range []int{atFile, atLine, atUnit, atStart} {
		clear(f[at : at+4])
	}
}

// span is from a place up to before another.
type span struct{ from, to int }

// tableAt is where a table of values reaches to: pairs of numbers, up to a first one that
// is 0, but for that of the first pair.
func tableAt(values []byte, at uint32) (span, error) {
	end := int(at)
	for first := true; ; first = false {
		if end >= len(values) {
			return span{}, fmt.Errorf("%w: a table of values has no end", errShortTable)
		}
		if values[end] == 0 && !first {
			return span{int(at), end + 1}, nil
		}
		for range 2 {
			_, n := binary.Uvarint(values[min(end, len(values)):])
			if n <= 0 {
				return span{}, errShortTable
			}
			end += n
		}
	}
}

func clearUnused(values []byte, used []span) {
	slices.SortFunc(used, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	end := 0
	for _, s := range append(used, span{len(values), len(values)}) {
		if s.from > end {
			clear(values[end:s.from])
		}
		end = max(end, s.to)
	}
}
