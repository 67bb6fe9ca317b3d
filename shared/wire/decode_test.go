package wire_test

import (
	"testing"

	"parley/shared/wire"
)

// chromiumReport is the report of a ReportInterval: five looks of a Chromium.
func chromiumReport(t testing.TB) []byte {
	t.Helper()
	var m wire.Report
	for range wire.ReportInterval / wire.SampleInterval {
		m.Samples = append(m.Samples, browserSample(t, "chromium-1"))
	}
	encoded, err := wire.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// A report is read in one pass: what it keeps is about all that is allocated.
func TestAReportCostsFewAllocations(t *testing.T) {
	const most = 300 // 53 a look: every number that may be absent is one
	report := chromiumReport(t)
	n := testing.AllocsPerRun(20, func() {
		if _, err := wire.DecodeClient(report); err != nil {
			t.Fatal(err)
		}
	})
	if n > most {
		t.Errorf("%v allocations, at most %d", n, most)
	}
}

func BenchmarkDecodeReport(b *testing.B) {
	report := chromiumReport(b)
	b.SetBytes(int64(len(report)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.DecodeClient(report); err != nil {
			b.Fatal(err)
		}
	}
}
