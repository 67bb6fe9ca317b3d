package rest

import "time"

// Anomaly is a figure that is not as it usually is at this hour, and worse: what the
// server learned of its own past weeks says so. It names no person and no address.
type Anomaly struct {
	Series string  `json:"series"` // AnomalyFailureRate and the like
	Text   string  `json:"text" doc:"what is not as usual, in a sentence, with the usual value beside the present one"`
	Value  float64 `json:"value"`
	Usual  float64 `json:"usual"`
	Low    float64 `json:"low" doc:"from low to high is usual"`
	High   float64 `json:"high"`
	Unit   string  `json:"unit"`  // ratio, s, mos, per_hour, count
	Basis  string  `json:"basis"` // AnomalyHourOfWeek and the like: what usual was learned of
	// Org and Network are of refused sign-ins: whose they were, and where they came from.
	Org     string    `json:"org,omitempty"`
	Network string    `json:"network,omitempty" doc:"of the address: the first 24 bits of an IPv4 address, 48 of an IPv6 one"`
	Since   time.Time `json:"since"`
}

// The series that have a usual value.
const (
	AnomalyFailureRate    = "failure_rate"     // share of calls that a fault ended or kept from beginning
	AnomalyFirstWord      = "first_word"       // seconds to the agent's first word
	AnomalyMOS            = "mos"              // of live calls
	AnomalyRefusals       = "refusals"         // calls that were not let in, an hour
	AnomalySignIns        = "sign_ins"         // sign-ins that were refused, an hour
	AnomalySignInsNetwork = "sign_ins_network" // of one network, within a quarter of an hour
	AnomalySignInsOrg     = "sign_ins_org"     // of one organization, an hour
)

// AnomalySeries are all of them.
func AnomalySeries() []string {
	return []string{
		AnomalyFailureRate, AnomalyFirstWord, AnomalyMOS, AnomalyRefusals, AnomalySignIns, AnomalySignInsNetwork, AnomalySignInsOrg,
	}
}

// What a usual value was learned of, the best first.
const (
	AnomalyHourOfWeek = "hour_of_week" // the same hour (UTC) of the same day of past weeks
	AnomalyHourOfDay  = "hour_of_day"  // the same hour of past days
	AnomalyAllHours   = "all_hours"    // all hours there are
)
