package metrics

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// Observer takes what is told when it happens. It needs nobody: those who tell
// are made after it, and Metrics, which asks them, after those.
type Observer struct {
	startedAt time.Time
	streams   atomic.Int64 // monitoring streams that are open

	requestDurations *prometheus.HistogramVec
	requestCount     *prometheus.CounterVec
	commit           *prometheus.HistogramVec
	loss             *prometheus.HistogramVec
	rtt              *prometheus.HistogramVec
	jitter           *prometheus.HistogramVec
	firstWord        *prometheus.HistogramVec
	turnPart         *prometheus.HistogramVec
	silenced         *prometheus.HistogramVec
	delay            prometheus.Histogram
	delays           *window // of the last minutes, one a second

	mu        sync.RWMutex
	routes    map[string]*route
	allRoutes *window
}

// route is one that is told apart: its series, and its last minutes.
type route struct {
	method, path string
	window       *window
}

// NewObserver makes an Observer to which nothing was told.
func NewObserver() *Observer {
	return &Observer{
		startedAt: time.Now(), routes: make(map[string]*route), allRoutes: new(window),
		requestDurations: histogram("parley_http_request_duration_seconds", "Time from a request to the end of its answer.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "method", "route"),
		requestCount: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_http_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "route", "code"}),
		commit: histogram("parley_audit_commit_duration_seconds", "Time until a line of the audit log was on the disk.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .5, 2}, "outcome"),
		loss: histogram("parley_line_loss_ratio", "Effective loss of live calls over ten seconds, one observation a second.",
			[]float64{0, .005, .01, .02, .03, .05, .1, .2, .5}, "leg", "direction"),
		rtt: histogram("parley_line_round_trip_seconds", "Round trip of live calls over ten seconds, one observation a second.",
			[]float64{.02, .05, .1, .15, .25, .4, .6, 1, 2}, "leg", "direction"),
		jitter: histogram("parley_line_jitter_seconds", "Jitter of live calls, one observation a second.",
			[]float64{.001, .0025, .005, .01, .02, .03, .05, .1, .2}, "leg", "direction"),
		firstWord: histogram("parley_first_word_seconds", "Time from the end of a caller's speech to the first of the agent's voice.",
			waits, "agent"),
		turnPart: histogram("parley_first_word_part_seconds", "What the time to first word is made of: the silence window, the network to the agent, functions, the model.",
			waits, "agent", "part"),
		silenced: histogram("parley_interruption_seconds", "Time from a caller's voice to the silence of the agent that they speak over.",
			waits, "agent"),
		delays: new(window),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_scheduling_delay_seconds", Help: "How late this machine passes callers' packets on, from the kernel's stamp of their arrival to their sending: the 95th percentile of each second.",
			Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1},
		}),
	}
}

// waits are the bounds of what callers wait for: as fine as a person notices.
var waits = []float64{.1, .2, .3, .5, .8, 1, 1.5, 2, 3, 5, 10}

func (o *Observer) collectors() []prometheus.Collector {
	return []prometheus.Collector{o.requestDurations, o.requestCount, o.commit, o.loss, o.rtt, o.jitter, o.firstWord, o.turnPart, o.silenced, o.delay}
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Observe takes one answered request. pattern is the route that matched, as
// net/http's mux writes it ("GET /path/{id}"), never what was asked for.
func (o *Observer) Observe(pattern string, status int, took time.Duration) {
	r := o.route(pattern)
	o.requestDurations.WithLabelValues(r.method, r.path).Observe(took.Seconds())
	o.requestCount.WithLabelValues(r.method, r.path, statusClass(status)).Inc()
	now := time.Since(o.startedAt)
	r.window.add(now, status, took)
	o.allRoutes.add(now, status, took)
}

func (o *Observer) route(pattern string) *route {
	o.mu.RLock()
	r := o.routes[pattern]
	o.mu.RUnlock()
	if r != nil {
		return r
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.routes[pattern]; !known && (pattern == "" || len(o.routes) >= MaxRoutes-1) {
		pattern = otherRoute
	}
	if r := o.routes[pattern]; r != nil {
		return r
	}
	r = &route{path: pattern, window: new(window)}
	if method, path, ok := strings.Cut(pattern, " "); ok {
		r.method, r.path = method, path
	}
	o.routes[pattern] = r
	return r
}

// statusClass is a status as a label: one of those HTTP has.
func statusClass(status int) string {
	if status < 100 || status > 599 {
		return otherRoute
	}
	return string([]byte{'0' + byte(status/100), '0' + byte(status/10%10), '0' + byte(status%10)})
}

// AuditCommitted takes how long a line of the audit log took, and how it went.
func (o *Observer) AuditCommitted(took time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	o.commit.WithLabelValues(outcome).Observe(took.Seconds())
}

// LineSampled takes the newest figures of one direction of a leg of a live call.
func (o *Observer) LineSampled(leg rtcstats.Leg, d quality.Direction, f rest.Metrics) {
	if f.LossRatio != nil {
		o.loss.WithLabelValues(string(leg), string(d)).Observe(*f.LossRatio)
	}
	if f.RTTMS != nil {
		o.rtt.WithLabelValues(string(leg), string(d)).Observe(*f.RTTMS / 1000)
	}
	if f.JitterMS != nil {
		o.jitter.WithLabelValues(string(leg), string(d)).Observe(*f.JitterMS / 1000)
	}
}

// TurnsMeasured takes turns of an agent's calls, and interruptions.
func (o *Observer) TurnsMeasured(agent string, turns []rest.Turn, interruptions []rest.Interruption) {
	for i := range turns {
		t := &turns[i]
		o.firstWord.WithLabelValues(agent).Observe(t.WaitMS / 1000)
		for part, ms := range map[string]float64{"silence_window": t.SilenceWindowMS, "network": t.NetworkMS, "tools": t.ToolsMS, "model": t.ModelMS} {
			o.turnPart.WithLabelValues(agent, part).Observe(ms / 1000)
		}
	}
	for i := range interruptions {
		if lasted := interruptions[i].Lasted(); lasted > 0 {
			o.silenced.WithLabelValues(agent).Observe(lasted.Seconds())
		}
	}
}

// Delayed takes how late this machine passed packets on in a second.
func (o *Observer) Delayed(by time.Duration) {
	o.delay.Observe(by.Seconds())
	o.delays.add(time.Since(o.startedAt), 0, by)
}

// CountStreams takes a monitoring stream that opens (1) or closes (-1).
func (o *Observer) CountStreams(change int) { o.streams.Add(int64(change)) }
