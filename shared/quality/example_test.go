package quality_test

import (
	"fmt"

	"parley/shared/quality"
)

// A good line, and one that loses a packet in twenty: delay in milliseconds from mouth
// to ear, loss in percent, the encoder's kbit/s.
func ExampleRate() {
	for _, loss := range []float64{0, 5} {
		r, mos := quality.Rate(150, loss, 32, false)
		fmt.Printf("%.0f %% lost: R %.0f, MOS %.1f, %s\n", loss, r, mos, quality.LevelOf(r))
	}
	// Output:
	// 0 % lost: R 88, MOS 4.3, excellent
	// 5 % lost: R 63, MOS 3.3, fair
}
