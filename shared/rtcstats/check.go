package rtcstats

import (
	"fmt"
	"math"
	"reflect"
	"strings"
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

// bounds gives the range of a number by its W3C name.
func bounds(name string) (lo, hi float64) {
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
		"lossRunPackets", "roundTripTimeMeasurements", "responsesReceived", "requestsSent",
		"selectedCandidatePairChanges", "clockRate", "channels", "ssrc":
		return 0, MaxPackets
	}
	return 0, MaxTotal
}

// Check says whether the numbers can be what an end counted: finite and within
// their range, which is not negative (packetsLost and the echo figures alone
// are signed). It says nothing of two samples; see Rates for that.
func (s Sample) Check() error {
	if s.Timestamp <= 0 {
		return fmt.Errorf("rtcstats: timestamp %v is no time in milliseconds", s.Timestamp)
	}
	return check("", reflect.ValueOf(s))
}

func check(name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return check(name, v.Elem())
	case reflect.Struct:
		for f, fv := range v.Fields() {
			field, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if err := check(field, fv); err != nil {
				return err
			}
		}
	case reflect.Float64:
		return within(name, v.Float())
	case reflect.Int64:
		return within(name, float64(v.Int()))
	case reflect.String:
		if v.Len() > MaxText {
			return fmt.Errorf("rtcstats: %s has %d bytes, %d are allowed", name, v.Len(), MaxText)
		}
	}
	return nil
}

func within(name string, f float64) error {
	if lo, hi := bounds(name); math.IsNaN(f) || f < lo || f > hi {
		return fmt.Errorf("rtcstats: %s is %v, outside %v to %v", name, f, lo, hi)
	}
	return nil
}
