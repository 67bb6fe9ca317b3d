package peer

import (
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// batchSize is how many samples make a report. The first has one: a server that knows
// where the counters stood counts a cut that comes before the second.
const batchSize = int(wire.ReportInterval / wire.SampleInterval)

// reportedSample is a sample that waits for its report.
type reportedSample struct {
	rtcstats.Sample
	isSignless bool // there was no sign of the far end since the sample before
}

// keepSample adds the pings to a sample, keeps it for the report and tells it.
func (cs *callState) keepSample(s rtcstats.Sample) bool {
	figures := cs.pinger.figures
	s.Ping = &figures
	s = s.WithoutImplausible() // one bad figure would make the server refuse the batch
	if s.Check() != nil {
		return false
	}
	measured := cs.meter.measure(s, cs.hasGap)
	cs.hasGap = false
	cs.batch = append(cs.batch, reportedSample{s, measured.IsSilent || measured.isUnsure})
	if len(cs.batch) > wire.MaxSamples {
		cs.dropSample()
	}
	cs.emit(measured)
	return true
}

// dropSample drops the sample that says least: of a time without a sign, which the
// server has measured itself, or else the oldest.
func (cs *callState) dropSample() {
	drop := 0
	for i, s := range cs.batch[:len(cs.batch)-1] {
		if s.isSignless {
			drop = i
			break
		}
	}
	cs.batch = append(cs.batch[:drop:drop], cs.batch[drop+1:]...)
}

// sendReport sends the samples kept. Without a socket they wait, wire.MaxSamples of them.
func (cs *callState) sendReport() {
	if len(cs.batch) == 0 {
		return
	}
	samples := make([]rtcstats.Sample, len(cs.batch))
	for i, s := range cs.batch {
		samples[i] = s.Sample
	}
	if cs.send(wire.Report{Samples: samples}) {
		cs.batch, cs.hasReport = nil, true
	}
}
