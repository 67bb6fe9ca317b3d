package health

import "sync/atomic"

// Checks tell how parts are that calls can do without. A nil one is of a part that
// this server doesn't have.
type Checks struct {
	IsStoreFailing     func() bool // by the newest look at it
	AreRecordsFailing  func() bool // of sessions, on their way to the store
	IsAccessLogFailing func() bool
	Protected          func() error // privacy's guard: what is wrong, if anything is
	AreKeysWell        func() bool  // of the tokens' issuer
	IsAuditIntact      func() bool
	IsCertificateWell  func() bool // of HTTPS: there, and valid for some time
	IsLogExportFailing func() bool // a collector takes no lines
	IsLeaseFailing     func() bool // of a node of a cluster: it can't be renewed
	IsBusFailing       func() bool // of a cluster: it is away, or a node can't be heard
}

// Readiness is how fit the server is for new calls.
type Readiness struct {
	checks     Checks
	isDraining atomic.Bool
	isClosed   atomic.Bool
}

// NewReadiness returns that of a server that takes calls.
func NewReadiness(c Checks) *Readiness { return &Readiness{checks: c} }

// StartDraining has the server say, from now on, that it takes no new calls.
func (r *Readiness) StartDraining() { r.isDraining.Store(true) }

// SetClosed has it say so for as long as it is closed to new calls.
func (r *Readiness) SetClosed(isClosed bool) { r.isClosed.Store(isClosed) }

// State tells whether the server takes no new calls any more, and the parts that
// don't work while calls do.
func (r *Readiness) State() (isDraining bool, degraded []string) {
	for _, p := range r.parts() {
		if p.isFailing {
			degraded = append(degraded, p.name)
		}
	}
	return r.isDraining.Load() || r.isClosed.Load(), degraded
}

// Degraded tells of each part whether it doesn't work while calls do.
func (r *Readiness) Degraded() map[string]bool {
	is := map[string]bool{}
	for _, p := range r.parts() {
		is[p.name] = p.isFailing
	}
	return is
}

// part is one that calls can do without.
type part struct {
	name      string
	isFailing bool
}

func (r *Readiness) parts() []part {
	c := r.checks
	return []part{
		{"store", is(c.IsStoreFailing) || is(c.AreRecordsFailing)},
		{"access_log", is(c.IsAccessLogFailing)},
		{"privacy", c.Protected != nil && c.Protected() != nil},
		{"keys", c.AreKeysWell != nil && !c.AreKeysWell()},
		{"audit_chain", c.IsAuditIntact != nil && !c.IsAuditIntact()},
		{"certificate", c.IsCertificateWell != nil && !c.IsCertificateWell()},
		{"log_export", is(c.IsLogExportFailing)},
		{"lease", is(c.IsLeaseFailing)},
		{"bus", is(c.IsBusFailing)},
	}
}

func is(check func() bool) bool { return check != nil && check() }
