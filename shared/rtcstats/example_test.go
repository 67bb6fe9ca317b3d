package rtcstats_test

import (
	"fmt"

	"parley/shared/rtcstats"
)

// Counters are absolute: what happened in a second is the difference of two samples.
func ExampleRates() {
	before := rtcstats.Sample{Timestamp: 1000, Inbound: &rtcstats.Inbound{PacketsReceived: 100, PacketsLost: 1}}
	after := rtcstats.Sample{Timestamp: 2000, Inbound: &rtcstats.Inbound{PacketsReceived: 148, PacketsLost: 3}}
	var window rtcstats.Window
	interval := rtcstats.Rates(before, after)
	window.Add(interval.At, interval.In)
	figures := window.Figures()
	fmt.Println(figures.Expected, figures.Lost)
	// Output:
	// 50 2
}
