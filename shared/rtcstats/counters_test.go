package rtcstats_test

import (
	"math"
	"reflect"
	"testing"

	"parley/shared/rtcstats"
)

// A counter is a field that rises, and what Rates makes of it.
type counter struct {
	report, field string
	isOut         bool                        // of what this end sends
	of            func(rtcstats.Flow) float64 // what it counts
	lonely        bool                        // of a report whose restart drops nothing of the stream
}

func ints(of func(rtcstats.Flow) int64) func(rtcstats.Flow) float64 {
	return func(f rtcstats.Flow) float64 { return float64(of(f)) }
}

// counters are all that Rates reads, by the names of webrtc-stats.
func counters() []counter {
	return []counter{
		{"Inbound", "PacketsReceived", false, ints(func(f rtcstats.Flow) int64 { return f.Packets }), false},
		{"Inbound", "BytesReceived", false, ints(func(f rtcstats.Flow) int64 { return f.Bytes }), false},
		{"Inbound", "PacketsDiscarded", false, ints(func(f rtcstats.Flow) int64 { return f.Discarded }), false},
		{"Inbound", "JitterBufferDelay", false, func(f rtcstats.Flow) float64 { return f.BufferDelay }, false},
		{"Inbound", "JitterBufferEmittedCount", false, ints(func(f rtcstats.Flow) int64 { return f.BufferCount }), false},
		{"Inbound", "TotalSamplesReceived", false, ints(func(f rtcstats.Flow) int64 { return f.Samples }), false},
		{"Inbound", "ConcealedSamples", false, ints(func(f rtcstats.Flow) int64 { return f.Concealed }), false},
		{"Inbound", "ConcealmentEvents", false, ints(func(f rtcstats.Flow) int64 { return f.Concealments }), false},
		{"Inbound", "LossRuns", false, ints(func(f rtcstats.Flow) int64 { return f.LossRuns }), false},
		{"Inbound", "LossRunPackets", false, ints(func(f rtcstats.Flow) int64 { return f.LossRunPackets }), false},
		{"Outbound", "PacketsSent", true, ints(func(f rtcstats.Flow) int64 { return f.Packets }), false},
		{"Outbound", "BytesSent", true, ints(func(f rtcstats.Flow) int64 { return f.Bytes }), false},
		{"MediaPlayout", "TotalPlayoutDelay", false, func(f rtcstats.Flow) float64 { return f.PlayoutDelay }, true},
		{"MediaPlayout", "TotalSamplesCount", false, ints(func(f rtcstats.Flow) int64 { return f.PlayoutCount }), true},
		{"RemoteInbound", "TotalRoundTripTime", true, func(f rtcstats.Flow) float64 { return f.Reports.Total }, true},
		{"RemoteInbound", "RoundTripTimeMeasurements", true, ints(func(f rtcstats.Flow) int64 { return f.Reports.Count }), true},
		{"CandidatePair", "TotalRoundTripTime", false, func(f rtcstats.Flow) float64 { return f.Checks.Total }, true},
		{"CandidatePair", "ResponsesReceived", false, ints(func(f rtcstats.Flow) int64 { return f.Checks.Count }), true},
		{"Ping", "ResponsesReceived", false, ints(func(f rtcstats.Flow) int64 { return f.Pings.Count }), true},
		{"Ping", "TotalRoundTripTime", false, func(f rtcstats.Flow) float64 { return f.Pings.Total }, true},
		{"Ping", "RequestsSent", false, ints(func(f rtcstats.Flow) int64 { return f.PingsSent }), true},
	}
}

// value is the counter in a sample, its pointer followed.
func (c counter) value(s rtcstats.Sample) reflect.Value {
	v := reflect.ValueOf(s).FieldByName(c.report).Elem().FieldByName(c.field)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

func (c counter) set(s rtcstats.Sample, to float64) {
	if v := c.value(s); v.CanInt() {
		v.SetInt(int64(to))
	} else {
		v.SetFloat(to)
	}
}

func (c counter) number(s rtcstats.Sample) float64 {
	if v := c.value(s); v.CanInt() {
		return float64(v.Int())
	}
	return c.value(s).Float()
}

func (c counter) flow(i rtcstats.Interval) rtcstats.Flow {
	if c.isOut {
		return i.Out
	}
	return i.In
}

func (c counter) name() string { return c.report + "." + c.field }

// TestEachCounterCountsItself: a rise is in the flow as it was, and standing still is
// none.
func TestEachCounterCountsItself(t *testing.T) {
	for _, c := range counters() {
		for _, rise := range []float64{0, 1, 7, 40} {
			prev, cur := base(), later()
			// What is counted with it has to rise, too, or it is a sum of nothing.
			before := c.of(c.flow(rtcstats.Rates(prev, cur)))
			c.set(cur, c.number(cur)+rise)
			if got := c.of(c.flow(rtcstats.Rates(prev, cur))); math.Abs(got-before-rise) > 1e-9 {
				t.Errorf("%s rose by %v more: counted %v after %v", c.name(), rise, got, before)
			}
		}
	}
}

// TestACounterThatFellIsARestart of all that its report counts, and of nothing else.
func TestACounterThatFellIsARestart(t *testing.T) {
	for _, c := range counters() {
		prev, cur := base(), later()
		whole := rtcstats.Rates(prev, cur)
		c.set(prev, c.number(cur)+1)
		i := rtcstats.Rates(prev, cur)
		if got := c.of(c.flow(i)); got != 0 {
			t.Errorf("%s fell, and yet %v is counted", c.name(), got)
		}
		wantIn, wantOut := rtcstats.NoGap, rtcstats.NoGap
		switch {
		case !c.lonely && c.isOut:
			wantOut = rtcstats.GapFell
		case !c.lonely:
			wantIn = rtcstats.GapFell
		}
		if i.In.Gap != wantIn || i.Out.Gap != wantOut {
			t.Errorf("%s fell: gaps %d and %d, want %d and %d", c.name(), i.In.Gap, i.Out.Gap, wantIn, wantOut)
		}
		if wantIn == rtcstats.NoGap && i.In.Packets != whole.In.Packets || wantOut == rtcstats.NoGap && i.Out.Packets != whole.Out.Packets {
			t.Errorf("%s fell, and the other way's packets are %d and %d", c.name(), i.In.Packets, i.Out.Packets)
		}
	}
}

// TestACounterThatIsAbsentCountsNothing, whichever of the two samples lacks it, and
// takes nothing else of its stream along.
func TestACounterThatIsAbsentCountsNothing(t *testing.T) {
	for _, c := range counters() {
		for who := range 2 {
			samples := []rtcstats.Sample{base(), later()}
			v := reflect.ValueOf(samples[who]).FieldByName(c.report).Elem().FieldByName(c.field)
			if v.Kind() != reflect.Pointer {
				continue // every browser has it
			}
			v.SetZero()
			i := rtcstats.Rates(samples[0], samples[1])
			if got := c.of(c.flow(i)); got != 0 {
				t.Errorf("%s is missing in sample %d, and yet %v is counted", c.name(), who, got)
			}
			if i.In.Gap != rtcstats.NoGap || i.Out.Gap != rtcstats.NoGap || i.In.Packets != 48 || i.Out.Packets != 50 {
				t.Errorf("%s is missing in sample %d: %+v", c.name(), who, i)
			}
		}
	}
}

// TestPacketsLostIsSigned: what comes late is counted back, below zero too, and what
// was expected is what came and what is missing.
func TestPacketsLostIsSigned(t *testing.T) {
	for _, test := range []struct{ before, after, lost, recovered int64 }{
		{0, 0, 0, 0},
		{0, 3, 3, 0},
		{3, 0, 0, 3},
		{-2, 1, 3, 0},
		{1, -2, 0, 3},
		{-5, -1, 4, 0},
		{-1, -5, 0, 4},
		{-rtcstats.MaxPackets, -rtcstats.MaxPackets, 0, 0},
		{rtcstats.MaxPackets, rtcstats.MaxPackets, 0, 0},
	} {
		prev, cur := base(), later()
		prev.Inbound.PacketsLost, cur.Inbound.PacketsLost = test.before, test.after
		in := rtcstats.Rates(prev, cur).In
		if in.Lost != test.lost || in.Recovered != test.recovered || in.Expected != max(0, 48+test.lost-test.recovered) {
			t.Errorf("from %d to %d: lost %d, recovered %d of %d", test.before, test.after, in.Lost, in.Recovered, in.Expected)
		}
	}
	for _, beyond := range []int64{rtcstats.MaxPackets + 1, -rtcstats.MaxPackets - 1, math.MaxInt64, math.MinInt64} {
		prev, cur := base(), later()
		cur.Inbound.PacketsLost = beyond
		if in := rtcstats.Rates(prev, cur).In; in.Gap != rtcstats.GapFell {
			t.Errorf("%d lost: %+v", beyond, in)
		}
	}
}

// TestIntervalsAddUp: two seconds looked at once are the sum of each looked at alone.
func TestIntervalsAddUp(t *testing.T) {
	first, second := base(), later()
	third := clone(second)
	third.Timestamp += 1000
	for i, c := range counters() {
		c.set(third, c.number(third)+float64(3+i))
	}
	third.Inbound.PacketsLost += 4
	a, b, both := rtcstats.Rates(first, second), rtcstats.Rates(second, third), rtcstats.Rates(first, third)
	for _, c := range counters() {
		sum, whole := c.of(c.flow(a))+c.of(c.flow(b)), c.of(c.flow(both))
		if math.Abs(sum-whole) > 1e-6 {
			t.Errorf("%s: %v second by second, %v at once", c.name(), sum, whole)
		}
	}
	if a.In.Lost+b.In.Lost != both.In.Lost || a.In.Seconds+b.In.Seconds != both.In.Seconds {
		t.Errorf("lost %d and %d, at once %d; %v s and %v s, at once %v", a.In.Lost, b.In.Lost, both.In.Lost, a.In.Seconds, b.In.Seconds, both.In.Seconds)
	}
}

// TestSilentIsAllSilence: no packet, no round trip, and every second of it.
func TestSilentIsAllSilence(t *testing.T) {
	for _, seconds := range []float64{0.75, 1, 5, 60} {
		f := rtcstats.Silent(seconds)
		if f != (rtcstats.Flow{Seconds: seconds, Silence: seconds}) {
			t.Errorf("%v s: %+v", seconds, f)
		}
		with := f.WithMissed()
		if want := int64(math.Round(50 * seconds)); with.Expected != want || with.Lost != want {
			t.Errorf("%v s: %d of %d lost, want %d", seconds, with.Lost, with.Expected, want)
		}
		if !(rtcstats.Interval{In: f}).IsSilent() || !(rtcstats.Interval{Out: f}).IsSilent() || (rtcstats.Interval{}).IsSilent() {
			t.Errorf("%v s are not told as silence", seconds)
		}
	}
}
