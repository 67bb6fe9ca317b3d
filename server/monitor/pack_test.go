package monitor

import (
	"math/rand/v2"
	"testing"
)

func TestPackedMinutesComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	cases := map[string]func(second, column int) uint16{
		"nothing":          func(int, int) uint16 { return absentValue },
		"all zero":         func(int, int) uint16 { return 0 },
		"all the same":     func(int, int) uint16 { return 50 },
		"one second":       func(s, _ int) uint16 { return sparse(s == 17, 40) },
		"the first":        func(s, _ int) uint16 { return sparse(s == 0, absentValue-1) },
		"the last":         func(s, _ int) uint16 { return sparse(s == blockSeconds-1, 0) },
		"every other":      func(s, _ int) uint16 { return sparse(s%2 == 1, uint16(s)) },
		"from end to end":  func(s, _ int) uint16 { return uint16(s%2) * (absentValue - 1) },
		"rising":           func(s, c int) uint16 { return uint16(s * c) },
		"noise":            func(int, int) uint16 { return uint16(r.IntN(absentValue)) },
		"noise with holes": func(int, int) uint16 { return sparse(r.IntN(3) > 0, uint16(r.IntN(absentValue))) },
	}
	for name, value := range cases {
		block := newEmptyBlock()
		for s := range block {
			for c := range columnCount {
				block[s][c] = value(s, c)
			}
		}
		if packed := pack(7, block); *unpack(packed) != *block || minuteOf(packed) != 7 {
			t.Errorf("%s: %d bytes came back as another minute", name, len(packed))
		}
	}
}

func sparse(there bool, v uint16) uint16 {
	if there {
		return v
	}
	return absentValue
}

func TestASteadyMinuteIsSmall(t *testing.T) {
	block := newEmptyBlock()
	for s := range block {
		for c := range columnCount {
			block[s][c] = 50
		}
	}
	if n := len(pack(0, block)); n != 4+3*columnCount {
		t.Errorf("%d bytes", n)
	}
}

// A client may claim what it likes: its history has a bound.
func TestHistoryHasABound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var h history
	for second := range 2 * 3600 {
		var p point
		for c := range p {
			p[c] = uint16(r.IntN(absentValue))
		}
		h.addPoint(second, p)
	}
	size := 0
	for _, p := range h.packed {
		size += len(p.packed)
	}
	if size > maxHistory || size < maxHistory/2 || size != h.size {
		t.Errorf("%d bytes (counted %d), at most %d are allowed", size, h.size, maxHistory)
	}
	kept := 0
	h.forEach(0, 2*3600, func(int, *point) { kept++ })
	if kept < len(h.packed)*blockSeconds {
		t.Errorf("%d seconds in %d minutes", kept, len(h.packed))
	}
}

func FuzzPack(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		block := newEmptyBlock()
		for i := 0; i+1 < len(data) && i/2 < blockSeconds*columnCount; i += 2 {
			block[i/2%blockSeconds][i/2/blockSeconds] = uint16(data[i])<<8 | uint16(data[i+1])
		}
		if *unpack(pack(1, block)) != *block {
			t.Fatal("another minute came back")
		}
	})
}
