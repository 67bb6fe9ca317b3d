package rtcstats

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
)

// Upper bounds of what a report may claim. They are far above what one audio
// stream can reach, and low enough that sums over a day can't overflow.
const (
	// MaxPackets bounds counts of packets and events: 50 a second reach it in
	// two years.
	MaxPackets = 1 << 32
	// MaxCount bounds counts of bytes and samples: 48,000 a second reach it in
	// eleven years.
	MaxCount = 1 << 44
	// MaxTotal bounds sums of seconds: jitterBufferDelay adds the delay of each
	// sample, so a day of 48 kHz behind a buffer of 10 s stays below it.
	MaxTotal = 1e12
	// MaxDelay bounds one delay, in seconds: nobody talks over a minute's delay.
	MaxDelay = 60
	// MaxBitrate bounds bit/s: a terabit.
	MaxBitrate = 1e12
	// MaxDecibel bounds echo figures, both ways of zero.
	MaxDecibel = 1000
	// MaxText bounds ids and names, in bytes.
	MaxText = 256
	// maxTimestamp is the year 3000 in milliseconds: beyond it no clock is right.
	maxTimestamp = 32503680000000
)

// valueRange gives the range of a number by its W3C name.
func valueRange(name string) (lo, hi float64) {
	switch name {
	case "packetsLost":
		return -MaxPackets, MaxPackets
	case "timestamp", "lastPacketReceivedTimestamp":
		return 0, maxTimestamp
	case "jitter", "roundTripTime", "currentRoundTripTime":
		return 0, MaxDelay
	case "fractionLost", "audioLevel":
		return 0, 1
	case "targetBitrate", "availableOutgoingBitrate":
		return 0, MaxBitrate
	case "echoReturnLoss", "echoReturnLossEnhancement":
		return -MaxDecibel, MaxDecibel
	case "bytesReceived", "bytesSent", "jitterBufferEmittedCount", "totalSamplesReceived",
		"concealedSamples", "silentConcealedSamples", "insertedSamplesForDeceleration",
		"removedSamplesForAcceleration", "totalSamplesCount":
		return 0, MaxCount
	case "packetsReceived", "packetsDiscarded", "packetsSent", "retransmittedPacketsSent",
		"concealmentEvents", "fecPacketsReceived", "fecPacketsDiscarded", "lossRuns",
		"lossRunPackets", "roundTripTimeMeasurements", "responsesReceived", "requestsSent", "requestsReceived",
		"selectedCandidatePairChanges", "clockRate", "channels", "ssrc":
		return 0, MaxPackets
	}
	return 0, MaxTotal
}

// Check says whether the numbers can be what an end counted: finite and within
// their range, which is not negative (packetsLost and the echo figures alone
// are signed). It says nothing of two samples; see Rates for that.
func (s Sample) Check() error {
	if !(s.Timestamp > 0 && s.Timestamp <= maxTimestamp) {
		return fmt.Errorf("rtcstats: timestamp %v is no time in milliseconds", s.Timestamp)
	}
	for _, c := range checks() {
		part := reflect.ValueOf(&s).Elem().Field(c.part)
		if part.IsNil() {
			continue
		}
		part = part.Elem()
		for i := range c.fields {
			if err := c.fields[i].check(part.Field(c.fields[i].index)); err != nil {
				return err
			}
		}
	}
	return nil
}

// WithoutImplausible returns the sample without what no end can have counted: an
// optional figure goes alone, one that every report of its kind has takes the
// report with it. Counters are absolute, so one that went wrong once stays wrong:
// refusing the sample for it would lose all others of the call. Only a bad
// timestamp is left for Check to refuse.
func (s Sample) WithoutImplausible() Sample {
	for _, c := range checks() {
		part := reflect.ValueOf(&s).Elem().Field(c.part)
		if part.IsNil() {
			continue
		}
		kept := reflect.New(part.Type().Elem())
		kept.Elem().Set(part.Elem()) // the caller's own stays as it is
		part.Set(kept)
		for i := range c.fields {
			f := &c.fields[i]
			switch value := kept.Elem().Field(f.index); {
			case f.check(value) == nil:
			case f.optional:
				value.SetZero()
			default:
				part.SetZero()
			}
		}
	}
	return s
}

// partCheck is what is checked of one part of a Sample. Every look of every end
// is checked, so what can be known of the types is worked out once.
type partCheck struct {
	part   int
	fields []fieldCheck
}

type fieldCheck struct {
	index    int
	name     string
	kind     reflect.Kind
	optional bool
	lo, hi   float64
}

// checks never changes once it is made.
var checks = sync.OnceValue(func() (out []partCheck) {
	of := reflect.TypeFor[Sample]()
	for i := range of.NumField() {
		part := of.Field(i).Type
		if part.Kind() != reflect.Pointer {
			continue // the timestamp, which Check looks at itself
		}
		c := partCheck{part: i}
		for j := range part.Elem().NumField() {
			field := part.Elem().Field(j)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			f := fieldCheck{index: j, name: name, kind: field.Type.Kind()}
			if f.optional = f.kind == reflect.Pointer; f.optional {
				f.kind = field.Type.Elem().Kind()
			}
			f.lo, f.hi = valueRange(name)
			c.fields = append(c.fields, f)
		}
		out = append(out, c)
	}
	return out
})

func (c *fieldCheck) check(v reflect.Value) error {
	if c.optional {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	var n float64
	switch c.kind {
	case reflect.Float64:
		n = v.Float()
	case reflect.Int64:
		n = float64(v.Int())
	case reflect.String:
		if v.Len() > MaxText {
			return fmt.Errorf("rtcstats: %s has %d bytes, %d are allowed", c.name, v.Len(), MaxText)
		}
		return nil
	default:
		return nil // any bool, any ssrc
	}
	if math.IsNaN(n) || n < c.lo || n > c.hi {
		return fmt.Errorf("rtcstats: %s is %v, outside %v to %v", c.name, n, c.lo, c.hi)
	}
	return nil
}
