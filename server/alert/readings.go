package alert

import (
	"net/netip"
	"sort"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// Readings are what rules look at: how things stand, and what was counted since
// the server started.
type Readings struct {
	Live, Cap int // calls that are, and that may be
	Calls     []Call

	Setups          int64 // calls that began, or failed to
	SetupFailures   int64 // those of them that failed
	Answers         int64 // of agents
	SlowAnswers     int64 // those of them that took longer than monitor.SlowAnswer to begin
	StorageAttempts int64 // refused by the privacy guard
	LogFailures     int64 // access-log lines that were lost
	StreamsRefused  int64 // monitoring streams
	CapRefusals     int64 // callers who found all lines busy

	IsAuditChainBroken bool
	AreKeysStale       bool     // the issuer's
	CertificateDays    *float64 // until it ends; nil: there is none
	DiskUsed           float64  // share of the disk; 0 where it can't be asked

	Anomalies []rest.Anomaly // what is not as usual

	// In a cluster: the name of this node, for what is of it alone, how the others stand,
	// and who refused the newest of StreamsRefused. The counts are of all nodes.
	Node             string
	Others           []NodeReadings
	StreamsRefusedAt string
}

// NodeReadings is how another node of the cluster stands.
type NodeReadings struct {
	Node            string
	AreKeysStale    bool
	CertificateDays *float64
	DiskUsed        float64
}

// Call is one live call.
type Call struct {
	ID, Org string
	Level   quality.Level
	MOS     float64
}

// PoorMOS is where poor begins.
const PoorMOS = 3.1

// subject is how one thing that a rule watches stands in this second.
type subject struct {
	name        string // "" for the server as a whole
	value       float64
	limit       float64
	isOverLimit bool
	minDuration time.Duration
	unit        string
	session     string
	org         string
	detail      string
}

// subjectsLocked are what a rule watches. Those that are well may be left out. mu must
// be held.
func (a *Alerts) subjectsLocked(now time.Time, rule rest.AlertRule, r Readings) []subject {
	lasts := time.Duration(rule.ForS) * time.Second
	switch rule.Metric {
	case rest.AlertPoorCall:
		return poorSubjects(r, lasts)
	case rest.AlertRefusedSignIns:
		return a.signIns.over(now, rule)
	case rest.AlertAnomaly:
		return anomalySubjects(r, lasts)
	}
	if isOfNodes(rule.Metric) {
		return nodeSubjects(r, rule, lasts)
	}
	s := subject{limit: rule.Above, unit: metrics()[rule.Metric].unit}
	var of int // what a share is of
	switch rule.Metric {
	case rest.AlertPoorCalls:
		s.value, of, s.minDuration = ratioOf(countPoor(r), int64(r.Live)), r.Live, lasts
	case rest.AlertLiveOfCap:
		s.value, of, s.minDuration = ratioOf(int64(r.Live), int64(r.Cap)), r.Live, lasts
	case rest.AlertAuditChain:
		of = 1
		if r.IsAuditChainBroken {
			s.value = 1
		}
	default:
		s.value, of = a.tallies.sumOver(now, lasts).value(rule.Metric)
	}
	if rule.Metric == rest.AlertStreamsRefused {
		s.detail = nodeDetail(r.StreamsRefusedAt)
	}
	s.isOverLimit = metrics()[rule.Metric].exceeds(s.value, rule.Above) && of >= rule.AtLeast
	return []subject{s}
}

func ratioOf(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func countPoor(r Readings) (n int64) {
	for _, c := range r.Calls {
		if c.Level == quality.Poor {
			n++
		}
	}
	return n
}

func poorSubjects(r Readings, lasts time.Duration) (out []subject) {
	for _, c := range r.Calls {
		if c.Level == quality.Poor {
			out = append(out, subject{
				name: c.ID, session: c.ID, org: c.Org, value: c.MOS, limit: PoorMOS, unit: unitMOS, isOverLimit: true, minDuration: lasts,
			})
		}
	}
	return out
}

// isOfNodes reports whether each node of a cluster has a figure of its own, which all of
// them together have not.
func isOfNodes(metric string) bool {
	return metric == rest.AlertStaleKeys || metric == rest.AlertDiskUsed || metric == rest.AlertCertificateDays
}

// nodeDetail names a node in an alert; "" where the server is alone.
func nodeDetail(node string) string {
	if node == "" {
		return ""
	}
	return "node " + node
}

// nodeSubjects are the nodes, by their disk, keys or certificate.
func nodeSubjects(r Readings, rule rest.AlertRule, lasts time.Duration) (out []subject) {
	m := metrics()[rule.Metric]
	for _, n := range append([]NodeReadings{r.own()}, r.Others...) {
		name := nodeDetail(n.Node)
		s := subject{name: name, detail: name, limit: rule.Above, unit: m.unit, minDuration: lasts}
		switch {
		case rule.Metric == rest.AlertDiskUsed:
			s.value = n.DiskUsed
		case rule.Metric == rest.AlertStaleKeys && n.AreKeysStale:
			s.value = 1
		case rule.Metric == rest.AlertCertificateDays && n.CertificateDays == nil:
			continue
		case rule.Metric == rest.AlertCertificateDays:
			s.value = *n.CertificateDays
		}
		s.isOverLimit = m.exceeds(s.value, rule.Above)
		out = append(out, s)
	}
	return out
}

// anomalySubjects are over the limit as long as they are there: what is usual, and for how
// long it must be otherwise, was decided by who found them.
func anomalySubjects(r Readings, lasts time.Duration) (out []subject) {
	for _, a := range r.Anomalies {
		limit := a.High
		if a.Value < a.Low {
			limit = a.Low
		}
		out = append(out, subject{
			name: a.Series + " " + a.Network + a.Org, value: a.Value, limit: limit, unit: a.Unit, org: a.Org, detail: a.Text, isOverLimit: true, minDuration: lasts,
		})
	}
	return out
}

// secondCounts is what was counted until a moment.
type secondCounts struct {
	at                                             time.Time
	setups, failures, attempts, logs, stream, full int64
	answers, slow                                  int64
}

// recentCounts are the counts of the last MaxFor, one a second.
type recentCounts struct {
	before  secondCounts // the one that went last; all zero while none did
	seconds []secondCounts
}

func (t *recentCounts) add(now time.Time, r Readings) {
	t.seconds = append(t.seconds, countsOf(now, r))
	drop := sort.Search(len(t.seconds), func(i int) bool { return t.seconds[i].at.After(now.Add(-MaxFor)) })
	if drop == 0 {
		return
	}
	t.before = t.seconds[drop-1]
	t.seconds = t.seconds[drop:] // append moves them when its room is used up
}

func countsOf(now time.Time, r Readings) secondCounts {
	return secondCounts{now, r.Setups, r.SetupFailures, r.StorageAttempts, r.LogFailures, r.StreamsRefused, r.CapRefusals, r.Answers, r.SlowAnswers}
}

// sumOver is what was counted within the last while.
func (t *recentCounts) sumOver(now time.Time, while time.Duration) secondCounts {
	from := t.before
	i := sort.Search(len(t.seconds), func(i int) bool { return t.seconds[i].at.After(now.Add(-while)) })
	if i > 0 {
		from = t.seconds[i-1]
	}
	to := t.seconds[len(t.seconds)-1]
	return secondCounts{
		setups: to.setups - from.setups, failures: to.failures - from.failures, attempts: to.attempts - from.attempts,
		logs: to.logs - from.logs, stream: to.stream - from.stream, full: to.full - from.full,
		answers: to.answers - from.answers, slow: to.slow - from.slow,
	}
}

// value is a metric of what was counted, and of how many.
func (t secondCounts) value(metric string) (v float64, of int) {
	switch metric {
	case rest.AlertSetupFailures:
		return ratioOf(t.failures, t.setups), int(t.setups)
	case rest.AlertSlowAnswers:
		return ratioOf(t.slow, t.answers), int(t.answers)
	case rest.AlertStorageAttempts:
		return float64(t.attempts), int(t.attempts)
	case rest.AlertLogFailures:
		return float64(t.logs), int(t.logs)
	case rest.AlertStreamsRefused:
		return float64(t.stream), int(t.stream)
	case rest.AlertCapRefusals:
		return float64(t.full), int(t.full)
	}
	return 0, 0
}

// Limits of what is remembered of refused sign-ins. Who comes from more
// addresses than that is no matter of one address.
const (
	maxAddresses = 10_000
	// maxSignIns is the highest limit that a rule about them may have.
	maxSignIns = 100
)

// signIns are when sign-ins were refused, by address, oldest first.
type signIns map[string][]time.Time

func (s signIns) add(address string, at time.Time) {
	times, known := s[address]
	if !known && len(s) >= maxAddresses {
		return
	}
	if len(times) == maxSignIns {
		times = append(times[:0], times[1:]...)
	}
	s[address] = append(times, at)
}

func (s signIns) forget(before time.Time) {
	for address, times := range s {
		if times[len(times)-1].Before(before) {
			delete(s, address)
		}
	}
}

func (s signIns) over(now time.Time, rule rest.AlertRule) (out []subject) {
	from := now.Add(-time.Duration(rule.ForS) * time.Second)
	m := metrics()[rule.Metric]
	for address, times := range s {
		n := len(times) - sort.Search(len(times), func(i int) bool { return times[i].After(from) })
		if m.exceeds(float64(n), rule.Above) {
			out = append(out, subject{
				name: address, value: float64(n), limit: rule.Above, unit: m.unit, isOverLimit: true, detail: NetworkOf(address),
			})
		}
	}
	return out
}

// NetworkOf is what may be told of an address: alerts leave the house.
func NetworkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	bits := 48
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 24
	}
	p, _ := ip.Prefix(bits) // never fails for an address without zone
	return p.String()
}
