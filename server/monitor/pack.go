package monitor

import (
	"encoding/binary"
	"math/bits"
)

// The store packs minutes in another form, and neither could take the other's
// place. This one is written once a minute for each direction that is measured and
// opened for every chart of a live call, so it is bit-packed without a compressor;
// it holds packet counts, which add up over any stretch and which the store's points
// don't have; and it never leaves memory, so it may change with any release and
// checks nothing. The store's is versioned, compressed, and
// refuses what the disk has damaged. A call of an hour costs 101 kB here:
//
//	go test ./server/monitor -run '^$' -bench SessionAfterAnHour
//
// A packed minute is its number, four bytes, and its columns one after the
// other: the steps from one present value to the next, in as few bits as the
// largest step needs. A figure that stands still costs three bytes a minute.
//
//	head: columnEmpty, columnZero, or the width in bits, and columnSparse if not every second has it
//	first value, two bytes
//	with columnSparse: which seconds have it, eight bytes
//	the steps, zigzag, width bits each
const (
	columnEmpty  = 0xff // no second has it
	columnZero   = 0xfe // every second has it, as zero: losses on a good line
	columnSparse = 0x80
)

func pack(minute int, block *[blockSeconds]point) string {
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, 512), uint32(minute))
	for c := range columnCount {
		out = packColumn(out, block, c)
	}
	return string(out)
}

func minuteOf(packed string) int { return int(binary.LittleEndian.Uint32([]byte(packed[:4]))) }

func packColumn(out []byte, block *[blockSeconds]point, c int) []byte {
	var present uint64
	values := make([]uint16, 0, blockSeconds)
	for i := range block {
		if v := block[i][c]; v != absentValue {
			present |= 1 << i
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return append(out, columnEmpty)
	}
	width := 0
	for i := 1; i < len(values); i++ {
		width = max(width, bits.Len32(zigzag(values[i-1], values[i])))
	}
	if width == 0 && len(values) == blockSeconds && values[0] == 0 {
		return append(out, columnZero)
	}
	head := byte(width)
	if len(values) < blockSeconds {
		head |= columnSparse
	}
	out = binary.LittleEndian.AppendUint16(append(out, head), values[0])
	if head&columnSparse != 0 {
		out = binary.LittleEndian.AppendUint64(out, present)
	}
	return packSteps(out, values, width)
}

func packSteps(out []byte, values []uint16, width int) []byte {
	var word uint64
	used := 0
	for i := 1; i < len(values); i++ {
		word |= uint64(zigzag(values[i-1], values[i])) << used
		for used += width; used >= 8; used -= 8 {
			out = append(out, byte(word))
			word >>= 8
		}
	}
	if used > 0 {
		out = append(out, byte(word))
	}
	return out
}

// zigzag folds the sign of a step into its lowest bit.
func zigzag(from, to uint16) uint32 {
	d := int32(to) - int32(from)
	return uint32(d<<1) ^ uint32(d>>31)
}

// unpack is pack's inverse. It reads only what pack wrote.
func unpack(packed string) *[blockSeconds]point {
	block, data := newEmptyBlock(), []byte(packed[4:])
	for c := range columnCount {
		data = unpackColumn(data, block, c)
	}
	return block
}

func unpackColumn(data []byte, block *[blockSeconds]point, c int) []byte {
	head := data[0]
	switch head {
	case columnEmpty:
		return data[1:]
	case columnZero:
		for i := range block {
			block[i][c] = 0
		}
		return data[1:]
	}
	value := binary.LittleEndian.Uint16(data[1:])
	data = data[3:]
	present := ^uint64(0) >> (64 - blockSeconds)
	if head&columnSparse != 0 {
		present = binary.LittleEndian.Uint64(data)
		data = data[8:]
	}
	width := int(head &^ columnSparse)
	var word uint64
	have, first := 0, true
	for i := range block {
		if present&(1<<i) == 0 {
			continue
		}
		if !first {
			for ; have < width; have += 8 {
				word |= uint64(data[0]) << have
				data = data[1:]
			}
			step := uint32(word & (1<<width - 1))
			word >>= width
			have -= width
			value = uint16(int32(value) + (int32(step>>1) ^ -int32(step&1)))
		}
		first = false
		block[i][c] = value
	}
	return data
}
