package health

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/server/alert"
	"parley/server/monitor"
	"parley/shared/rest"
)

// Sources are what the readings of alerts are taken from. All must be given, but Node and
// Others where the server is alone.
type Sources struct {
	Node               string                            // this one of a cluster
	Others             func() map[string]Report          // what the other nodes told last, by name
	Capacity           func() (live, limit, perUser int) // of calls
	Setups             func() (began, failed int64)
	Answers            func() (all, slow int64)
	Ratings            func() []monitor.Rating // of the calls of all nodes
	OwnRatings         func() []monitor.Rating
	Counted            func() monitor.Counted // here
	RefusedOperations  func() int64           // by the guard of privacy
	LostLogLines       func() int64
	IsAuditChainIntact func() bool
	CapRefusals        func() int64
	AreKeysWell        func() bool                 // the issuer's
	Certificate        func() (from, to time.Time) // zero: there is none
	DiskUsed           func() float64              // 0 to 1; 0 where it can't be asked
	Anomalies          func() []rest.Anomaly
}

// Readings are what alerts look at.
type Readings struct {
	from           Sources
	refusedStreams atomic.Int64
	untold         untold

	mu               sync.Mutex
	before           map[string]Report // of the other nodes
	others           Report            // what they counted since each was heard of first
	ownStreams       int64             // that were refused, as of the newest look
	streamsRefusedAt string            // the node that refused the newest
}

// NewReadings takes readings from sources.
func NewReadings(from Sources) *Readings { return &Readings{from: from} }

// CountRefusedStream counts a monitoring stream over a limit.
func (r *Readings) CountRefusedStream() { r.refusedStreams.Add(1) }

// Read takes the readings of this moment.
func (r *Readings) Read() alert.Readings {
	live, limit, _ := r.from.Capacity()
	began, failed := r.from.Setups()
	answers, slow := r.from.Answers()
	now := alert.Readings{
		Live: live, Cap: limit, Setups: began + failed, SetupFailures: failed, Answers: answers, SlowAnswers: slow,
		StorageAttempts: r.from.RefusedOperations(), LogFailures: r.from.LostLogLines(), StreamsRefused: r.refusedStreams.Load(),
		IsAuditChainBroken: !r.from.IsAuditChainIntact(),
		CapRefusals:        r.from.CapRefusals(), AreKeysStale: !r.from.AreKeysWell(), DiskUsed: r.from.DiskUsed(), Anomalies: r.from.Anomalies(),
	}
	now.CertificateDays = r.certificateDays()
	if r.from.Others != nil {
		r.addOthers(&now, r.from.Others())
	}
	for _, c := range r.from.Ratings() {
		now.Calls = append(now.Calls, alert.Call{ID: c.ID, Org: c.Org, Level: c.Level, MOS: c.MOS})
	}
	return now
}
