package health

import (
	"sync/atomic"
	"time"

	"parley/server/alert"
	"parley/server/monitor"
	"parley/shared/rest"
)

// Sources are what the readings of alerts are taken from. All must be given.
type Sources struct {
	Capacity           func() (live, limit, perUser int) // of calls
	Setups             func() (began, failed int64)
	Ratings            func() []monitor.Rating
	RefusedOperations  func() int64 // by the guard of privacy
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
}

// NewReadings takes readings from sources.
func NewReadings(from Sources) *Readings { return &Readings{from: from} }

// CountRefusedStream counts a monitoring stream over a limit.
func (r *Readings) CountRefusedStream() { r.refusedStreams.Add(1) }

// Read takes the readings of this moment.
func (r *Readings) Read() alert.Readings {
	live, limit, _ := r.from.Capacity()
	began, failed := r.from.Setups()
	now := alert.Readings{
		Live: live, Cap: limit, Setups: began + failed, SetupFailures: failed,
		StorageAttempts: r.from.RefusedOperations(), LogFailures: r.from.LostLogLines(), StreamsRefused: r.refusedStreams.Load(),
		IsAuditChainBroken: !r.from.IsAuditChainIntact(),
		CapRefusals:        r.from.CapRefusals(), AreKeysStale: !r.from.AreKeysWell(), DiskUsed: r.from.DiskUsed(), Anomalies: r.from.Anomalies(),
	}
	if _, ends := r.from.Certificate(); !ends.IsZero() {
		now.CertificateDays = new(time.Until(ends).Hours() / 24)
	}
	for _, c := range r.from.Ratings() {
		now.Calls = append(now.Calls, alert.Call{ID: c.ID, Org: c.Org, Level: c.Level, MOS: c.MOS})
	}
	return now
}
