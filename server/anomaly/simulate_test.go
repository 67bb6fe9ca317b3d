package anomaly_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"parley/server/anomaly"
	"parley/shared/rest"
)

// traffic is a server that is made up: a day and a week that rise and fall, days that
// differ, hours that are better or worse than others for no reason.
type traffic struct {
	seed      uint64
	peak      float64 // calls an hour at the busiest
	level     hourLevel
	hour      int64
	rng       *rand.Rand
	calls     []simulatedCall
	isShifted bool // clocks were put forward
}

type simulatedCall struct {
	mos  float64
	ends time.Time
}

// hourLevel is how an hour is: drawn once, so that its minutes have it in common.
type hourLevel struct {
	calls, failures, wait, mos, refusals, signIns float64
}

// fault is what is wrong while it is.
type fault struct {
	name, series                     string
	failures, wait, refusals, mosOff float64
	stuffing, spread                 int // refused sign-ins a minute, of one network, or of one organization
	// Of eight at all hours, with so many calls an hour at noon, so many may be missed,
	// and half of those that are found are within so many minutes.
	peak            float64
	mayMiss, within int
}

func noFault() fault { return fault{failures: 1, wait: 1, refusals: 1} }

// faults are those that are put in.
func faults() []fault {
	make := func(name, series string, change func(*fault)) fault {
		f := noFault()
		f.name, f.series = name, series
		change(&f)
		return f
	}
	return []fault{
		make("failure rate × 5", rest.AnomalyFailureRate, func(f *fault) { f.failures = 5; f.peak, f.mayMiss, f.within = 300, 4, 180 }),
		make("first word × 2", rest.AnomalyFirstWord, func(f *fault) { f.wait = 2; f.peak, f.mayMiss, f.within = 300, 0, 20 }),
		make("MOS − 0.7", rest.AnomalyMOS, func(f *fault) { f.mosOff = .7; f.peak, f.mayMiss, f.within = 300, 0, 20 }),
		make("refusals × 10", rest.AnomalyRefusals, func(f *fault) { f.refusals = 10; f.peak, f.mayMiss, f.within = 3000, 4, 120 }),
		make("stuffing from one network, 8 a minute", rest.AnomalySignInsNetwork, func(f *fault) { f.stuffing = 8; f.peak, f.mayMiss, f.within = 300, 0, 10 }),
		make("stuffing spread over an organization, 2 a minute", rest.AnomalySignInsOrg, func(f *fault) { f.spread = 2; f.peak, f.mayMiss, f.within = 300, 0, 20 }),
	}
}

// What the made-up server is like.
const (
	callMinutes = 8.0
	turnsOfCall = 6
	usualWait   = .8
	usualMOS    = 4.2
	usualFaults = .02
	orgs        = 5
	networks    = 400
)

func newTraffic(seed uint64, peak float64) *traffic {
	return &traffic{seed: seed, peak: peak, hour: -1, rng: rand.New(rand.NewPCG(seed, 1))}
}

// levelOf is how an hour is.
func (s *traffic) levelOf(hour int64) hourLevel {
	at := time.Unix(hour*3600, 0).UTC()
	local := at
	if s.isShifted {
		local = at.Add(time.Hour)
	}
	day := rand.New(rand.NewPCG(s.seed, uint64(hour/24)<<8|2))
	of := rand.New(rand.NewPCG(s.seed, uint64(hour)<<8|3))
	busy := .08 + .92*math.Pow(math.Max(0, math.Sin(math.Pi*(float64(local.Hour())-6)/16)), 1.5)
	if wd := local.Weekday(); wd == time.Saturday || wd == time.Sunday {
		busy *= .4
	}
	noisy := func(r *rand.Rand, spread float64) float64 { return math.Exp(r.NormFloat64() * spread) }
	volume := noisy(day, .1) * noisy(of, .1)
	if day.Float64() < .03 { // a holiday
		volume *= .4
	}
	return hourLevel{
		calls:    s.peak * busy * volume,
		failures: usualFaults * noisy(day, .15) * noisy(of, .25),
		wait:     usualWait * (1 + .15*busy) * noisy(day, .03) * noisy(of, .04),
		mos:      usualMOS - .1*busy + .03*day.NormFloat64() + .05*of.NormFloat64(),
		refusals: s.peak / 300 * busy * busy * noisy(of, .4), // bursts an hour
		signIns:  (.3 + s.peak/100*busy) * noisy(of, .3),     // people who mistype, an hour
	}
}

func poisson(r *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, p := 0, r.Float64()
	for limit := math.Exp(-mean); p > limit; n++ {
		p *= r.Float64()
	}
	return n
}

// minute makes the minute before a time up.
func (s *traffic) minute(until time.Time, f fault) anomaly.Minute {
	if hour := anomaly.HourOf(until.Add(-time.Second)); hour != s.hour {
		s.hour, s.level = hour, s.levelOf(hour)
	}
	var m anomaly.Minute
	r, l := s.rng, s.level
	for range poisson(r, l.calls/60) {
		length := time.Duration(r.ExpFloat64() * callMinutes * float64(time.Minute))
		s.calls = append(s.calls, simulatedCall{l.mos + .25*r.NormFloat64(), until.Add(length)})
	}
	living := s.calls[:0]
	for _, c := range s.calls {
		if c.ends.After(until) {
			m.MOS.Add(math.Max(1, c.mos-f.mosOff+.05*r.NormFloat64()))
			living = append(living, c)
			continue
		}
		m.Ended++
		pace := l.wait * f.wait * math.Exp(.15*r.NormFloat64())
		for range poisson(r, turnsOfCall) {
			m.Waits.Add(math.Min(10, pace*math.Exp(.35*r.NormFloat64())))
		}
	}
	s.calls = living
	m.Failed = min(m.Ended, poisson(r, float64(m.Ended)*l.failures*f.failures))
	for range poisson(r, l.refusals*f.refusals/60) {
		m.Refused += 1 + poisson(r, 1.5) // a page tries again
	}
	m.SignIns = s.signIns(poisson(r, l.signIns/60), f)
	return m
}

func (s *traffic) signIns(people int, f fault) map[anomaly.Origin]int {
	refused := make(map[anomaly.Origin]int)
	r := s.rng
	for range people {
		refused[anomaly.Origin{Network: network(r.IntN(networks)), Org: org(r.IntN(orgs))}] += 1 + poisson(r, .7)
	}
	for range poisson(r, float64(f.stuffing)) {
		refused[anomaly.Origin{Network: "203.0.113.0/24", Org: org(r.IntN(orgs))}]++
	}
	for range poisson(r, float64(f.spread)) {
		refused[anomaly.Origin{Network: network(networks + r.IntN(5000)), Org: org(0)}]++
	}
	return refused
}

func network(i int) string { return fmt.Sprintf("10.%d.%d.0/24", i/256, i%256) }
func org(i int) string     { return fmt.Sprintf("org-%d", i) }

// past makes up what the hours before a time came to, without their minutes.
func (s *traffic) past(until time.Time, hours int) (out []anomaly.Hour) {
	end := anomaly.HourOf(until)
	r := rand.New(rand.NewPCG(s.seed, 4))
	for hour := end - int64(hours); hour < end; hour++ {
		l := s.levelOf(hour)
		add := func(series, org string, weight, total, squares float64) {
			if weight > 0 {
				out = append(out, anomaly.Hour{Hour: hour, Series: series, Org: org, Sum: anomaly.Sum{Weight: weight, Total: total, Squares: squares}})
			}
		}
		calls := poisson(r, l.calls)
		add(rest.AnomalyFailureRate, "", float64(calls), float64(poisson(r, float64(calls)*l.failures)), 0)
		means := func(series string, n, mean, between, each, perCall float64) {
			mean += r.NormFloat64() * math.Sqrt((between*between*perCall+each*each)/math.Max(n, 1))
			add(series, "", n, n*mean, n*(mean*mean+between*between+each*each))
		}
		means(rest.AnomalyFirstWord, float64(poisson(r, float64(calls*turnsOfCall))), l.wait*1.07, .15*l.wait, .37*l.wait, turnsOfCall)
		means(rest.AnomalyMOS, float64(calls)*callMinutes, l.mos, .25, .05, callMinutes)
		refused := 0
		for range poisson(r, l.refusals) {
			refused += 1 + poisson(r, 1.5)
		}
		add(rest.AnomalyRefusals, "", 1, float64(refused), 0)
		s.pastSignIns(r, l, add)
	}
	return out
}

func (s *traffic) pastSignIns(r *rand.Rand, l hourLevel, add func(series, org string, weight, total, squares float64)) {
	byOrg, all, maxNetwork, maxOrg := make(map[string]int), 0, 0, 0
	for range 4 {
		quarter, busiest := make(map[string]int), 0
		for range poisson(r, l.signIns/4) {
			n := 1 + poisson(r, .7)
			quarter[org(r.IntN(orgs))] += n
			busiest = max(busiest, n)
			all += n
		}
		most := 0
		for name, n := range quarter {
			byOrg[name] += n
			most = max(most, n)
		}
		maxNetwork, maxOrg = maxNetwork+busiest, maxOrg+most
	}
	add(rest.AnomalySignIns, "", 1, float64(all), 0)
	add(rest.AnomalySignInsNetwork, "", 4, float64(maxNetwork), 0)
	add(rest.AnomalySignInsOrg, "", 4, float64(maxOrg), 0)
	for name, n := range byOrg {
		add(rest.AnomalySignInsOrg, name, 1, float64(n), 0)
	}
}

// monday is when what is replayed begins.
func monday() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }

// falseAlarms replays quiet weeks and counts what was told by series.
func falseAlarms(s *traffic, d *anomaly.Detector, weeks int) map[string]int {
	told := make(map[string]int)
	standing := make(map[string]bool)
	at := monday()
	for range weeks * 7 * 24 * 60 {
		at = at.Add(time.Minute)
		s.isShifted = at.Sub(monday()) > 13*24*time.Hour // the second Sunday
		now := make(map[string]bool)
		for _, a := range d.AddMinute(at, s.minute(at, noFault())) {
			key := a.Series + a.Network + a.Org
			now[key] = true
			if !standing[key] {
				told[a.Series]++
			}
		}
		standing = now
	}
	return told
}

// faultLasts is how long a fault is there to be found.
const faultLasts = 6 * 60

// detect puts a fault in at an hour of the week, and returns the minutes until it is told;
// false: it never was.
func detect(s *traffic, d *anomaly.Detector, hour int, f fault) (minutes int, isFound bool) {
	at := monday().Add(time.Duration(hour)*time.Hour - 90*time.Minute)
	for range 90 {
		at = at.Add(time.Minute)
		d.AddMinute(at, s.minute(at, noFault()))
	}
	for i := range faultLasts {
		at = at.Add(time.Minute)
		for _, a := range d.AddMinute(at, s.minute(at, f)) {
			if a.Series == f.series {
				return i + 1, true
			}
		}
	}
	return 0, false
}
