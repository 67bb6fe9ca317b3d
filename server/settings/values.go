package settings

import "time"

// Values are the runtime settings, as those who hold to them use them.
//
// A warning that is longer than half of the timeout it warns of is kept as it is
// and cut to that half where it is used, so that the timeout can be lowered by
// itself. Who sets the warning sets it shorter than the timeout.
type Values struct {
	IdleTimeout    time.Duration
	IdleWarning    time.Duration
	MaxDuration    time.Duration // 0 is none
	MaxSessions    int
	MaxPerUser     int
	MaxPerOrg      int    // 0 is none
	OrgCaps        string // organizations with a cap of their own; see OrgCap
	LogRetention   time.Duration
	AuditRetention time.Duration
	Privacy        bool
	Monitoring     bool
	Paused         bool // no new calls
	// AdminAllow lists the addresses and networks that admins come from, with commas
	// between; "": from anywhere. A list would make values that can't be compared.
	AdminAllow string
}

// Day is the unit of retention.
const Day = 24 * time.Hour

// Defaults are the values of a server that was told nothing.
func Defaults() Values {
	var v Values
	for _, d := range Definitions() {
		d.put(&v, d.Default)
	}
	return v
}
