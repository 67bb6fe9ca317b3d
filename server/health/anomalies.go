package health

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"parley/server/anomaly"
	"parley/server/monitor"
	"parley/shared/quality"
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
	Ratings func() []monitor.Rating // of the calls that live
	Store   BaselineStore
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
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Anomalies{cfg: c, detector: anomaly.New(past), signIns: make(map[anomaly.Origin]int), current: []rest.Anomaly{}}, nil
}

// SignInRefused counts a sign-in that was refused: where from, and whose if that is known.
func (a *Anomalies) SignInRefused(address, org string) {
	origin := anomaly.Origin{Network: a.cfg.Network(address), Org: org}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.signIns[origin]; !known && len(a.signIns) >= anomaly.MaxOrigins {
		origin = anomaly.Origin{}
	}
	a.signIns[origin]++
}

// Current are those that stand.
func (a *Anomalies) Current() []rest.Anomaly {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current
}

// Run looks each minute until ctx is done, and saves what was learned.
func (a *Anomalies) Run(ctx context.Context) {
	tick := time.NewTicker(AnomalyInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.EndMinute(time.Now())
			a.save(context.WithoutCancel(ctx))
			return
		case now := <-tick.C:
			if a.EndMinute(now) {
				a.save(ctx)
			}
		}
	}
}

// EndMinute judges what happened since the time before, and reports whether it is time to
// save.
func (a *Anomalies) EndMinute(now time.Time) (isSaveDue bool) {
	m, counted := a.minute()
	a.mu.Lock()
	m.SignIns, a.signIns = a.signIns, make(map[anomaly.Origin]int)
	subtractCounted(&m, a.before, counted)
	a.before = counted
	was := a.current
	a.current = a.detector.AddMinute(now, m)
	current := a.current
	a.minutes++
	isSaveDue = a.minutes >= saveMinutes
	a.mu.Unlock()
	a.logChanges(was, current)
	a.cfg.OnChange(current)
	return isSaveDue
}

// minute is what is seen of the calls that live.
func (a *Anomalies) minute() (m anomaly.Minute, counted monitor.Counted) {
	for _, r := range a.cfg.Ratings() {
		if r.Level != quality.None {
			m.MOS.Add(r.MOS)
		}
	}
	return m, a.cfg.Counted()
}

func subtractCounted(m *anomaly.Minute, before, now monitor.Counted) {
	m.Ended, m.Failed = int(now.Ended-before.Ended), int(now.Faults-before.Faults)
	m.Refused = int(now.Refused - before.Refused)
	m.Waits = anomaly.Sum{
		Weight: float64(now.Turns - before.Turns), Total: now.Waits - before.Waits, Squares: now.WaitSquares - before.WaitSquares,
	}
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
