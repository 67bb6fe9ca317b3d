package health

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"parley/server/anomaly"
	"parley/server/monitor"
	"parley/shared/rest"
)

const (
	// AnomalyInterval is how often what happened is held against what is usual.
	AnomalyInterval = time.Minute
	// saveMinutes is how often what hours came to is saved: a server that is killed
	// forgets no more.
	saveMinutes = 5
	// maxUnsavedHours bounds what waits for a store that is away: two days of all series
	// and a few organizations.
	maxUnsavedHours = 1000
	// saveTimeout is when one attempt to save is given up; it is made again.
	saveTimeout = 5 * time.Second
)

// BaselineStore keeps what hours came to beyond a restart.
type BaselineStore interface {
	Baselines(ctx context.Context, from int64) ([]anomaly.Hour, error)
	AddBaselines(ctx context.Context, hours []anomaly.Hour, forgotten []anomaly.Forgotten) error
}

// AnomalyConfig is what Anomalies look at, and whom they tell. Counted, Ratings and Store
// must be given.
type AnomalyConfig struct {
	Counted func() monitor.Counted
	Ratings func() []monitor.Rating // of the calls that live here
	Store   BaselineStore
	// IsLeader reports whether this node judges for its cluster, and Others what the other
	// nodes told last, by name; nil: the server is alone.
	IsLeader func() bool
	Others   func() map[string]Report
	// OnChange is told each minute what isn't as usual. May be nil.
	OnChange func([]rest.Anomaly)
	// Network is what may be kept and told of an address.
	Network func(address string) string
	Logger  *slog.Logger
}

// Anomalies hold each minute against what is usual at its hour. They are safe for use by
// many goroutines.
type Anomalies struct {
	cfg AnomalyConfig

	mu        sync.Mutex
	detector  *anomaly.Detector
	before    monitor.Counted
	others    map[string]Report
	signIns   map[anomaly.Origin]int // refused in this minute
	current   []rest.Anomaly
	minutes   int // since the newest save
	unsaved   []anomaly.Hour
	forgotten []anomaly.Forgotten
}

// LoadAnomalies makes Anomalies that know what the store kept of the past. Nothing is
// looked at before Run.
func LoadAnomalies(ctx context.Context, c AnomalyConfig) (*Anomalies, error) {
	past, err := c.Store.Baselines(ctx, anomaly.HourOf(time.Now().Add(-anomaly.Span)))
	if err != nil {
		return nil, err
	}
	if c.OnChange == nil {
		c.OnChange = func([]rest.Anomaly) {}
	}
	if c.Network == nil {
		c.Network = func(string) string { return "" }
	}
	if c.IsLeader == nil {
		c.IsLeader = func() bool { return true }
	}
	if c.Others == nil {
		c.Others = func() map[string]Report { return nil }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Anomalies{cfg: c, detector: anomaly.New(past), signIns: make(map[anomaly.Origin]int), current: []rest.Anomaly{}}, nil
}

// SignInsRefused counts sign-ins that were refused, at this node or another: where from, and
// whose if that is known.
func (a *Anomalies) SignInsRefused(address, org string, count int) {
	origin := anomaly.Origin{Network: a.cfg.Network(address), Org: org}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.signIns[origin]; !known && len(a.signIns) >= anomaly.MaxOrigins {
		origin = anomaly.Origin{}
	}
	a.signIns[origin] += count
}

// Current are those that stand.
func (a *Anomalies) Current() []rest.Anomaly {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current
}

// LearningHours is for how many more hours it is learned what is usual.
func (a *Anomalies) LearningHours() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.detector.LearningHours()
}

// Run looks each minute until ctx is done, and saves what was learned.
func (a *Anomalies) Run(ctx context.Context) {
	tick := time.NewTicker(AnomalyInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if a.EndMinute(time.Now()); a.cfg.IsLeader() {
				a.save(context.WithoutCancel(ctx))
			}
			return
		case now := <-tick.C:
			if a.EndMinute(now) {
				a.save(ctx)
			}
		}
	}
}

// EndMinute judges what happened on all nodes since the time before, and reports whether it
// is time to save. A node that doesn't lead learns along, so that it can lead next; it
// tells and saves nothing.
func (a *Anomalies) EndMinute(now time.Time) (isSaveDue bool) {
	m, counted, others, isLeader := anomaly.Minute{MOS: mosOf(a.cfg.Ratings())}, a.cfg.Counted(), a.cfg.Others(), a.cfg.IsLeader()
	a.mu.Lock()
	m.SignIns, a.signIns = a.signIns, make(map[anomaly.Origin]int)
	addCounted(&m, a.before, counted)
	for name, is := range others {
		addSum(&m.MOS, is.MOS)
		if was, known := a.others[name]; known { // else nobody knows what of it is new
			addCounted(&m, was.Counted, is.Counted)
		}
	}
	a.before, a.others = counted, others
	was := a.current
	if a.current = a.detector.AddMinute(now, m); !isLeader {
		a.current = []rest.Anomaly{}
		a.detector.TakeHours()
		a.detector.TakeForgotten()
	}
	current := a.current
	a.minutes++
	isSaveDue = a.minutes >= saveMinutes && isLeader
	a.mu.Unlock()
	a.logChanges(was, current)
	a.cfg.OnChange(current)
	return isSaveDue
}

// addCounted adds what was counted between two looks at a node.
func addCounted(m *anomaly.Minute, before, now monitor.Counted) {
	if now.Ended < before.Ended || now.Turns < before.Turns || now.Refused < before.Refused {
		before = monitor.Counted{} // it began anew
	}
	m.Ended += int(now.Ended - before.Ended)
	m.Failed += int(now.Faults - before.Faults)
	m.Refused += int(now.Refused - before.Refused)
	addSum(&m.Waits, anomaly.Sum{Weight: float64(now.Turns - before.Turns), Total: now.Waits - before.Waits, Squares: now.WaitSquares - before.WaitSquares})
}

func addSum(to *anomaly.Sum, of anomaly.Sum) {
	to.Weight += of.Weight
	to.Total += of.Total
	to.Squares += of.Squares
}

// logChanges writes a line for what began and what ended.
func (a *Anomalies) logChanges(was, is []rest.Anomaly) {
	log := func(event string, of, than []rest.Anomaly) {
		known := make(map[[3]string]bool)
		for _, t := range than {
			known[[3]string{t.Series, t.Network, t.Org}] = true
		}
		for _, t := range of {
			if !known[[3]string{t.Series, t.Network, t.Org}] {
				a.cfg.Logger.Info("anomaly", "event", event, "cause", t.Series, "usual", t.Usual, "value", t.Value)
			}
		}
	}
	log("began", is, was)
	log("ended", was, is)
}

// save adds what hours came to to what is kept. What a store that is away doesn't take is
// tried again.
func (a *Anomalies) save(ctx context.Context) {
	a.mu.Lock()
	hours := append(a.unsaved, a.detector.TakeHours()...)
	hours = hours[max(0, len(hours)-maxUnsavedHours):]
	forgotten := append(a.forgotten, a.detector.TakeForgotten()...)
	a.unsaved, a.forgotten, a.minutes = nil, nil, 0
	a.mu.Unlock()
	old := anomaly.Forgotten{Before: anomaly.HourOf(time.Now().Add(-anomaly.Span))}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	if err := a.cfg.Store.AddBaselines(ctx, hours, append([]anomaly.Forgotten{old}, forgotten...)); err != nil {
		a.cfg.Logger.Warn("what is usual is not saved yet", "event", "baselines", "err", err)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.unsaved, a.forgotten = hours, forgotten
	}
}
