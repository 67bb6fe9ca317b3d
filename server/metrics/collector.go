package metrics

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

// collector asks others for what they count, at the moment of a scrape.
type collector struct{ cfg Config }

// Describe sends nothing: what there is depends on the moment.
func (a *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (a *collector) Collect(to chan<- prometheus.Metric) {
	out := metricSink(to)
	out.gauge("parley_build_info", "1, with what runs.", 1,
		"version", a.cfg.Version, "commit", a.cfg.Commit, "goversion", runtime.Version())
	if a.cfg.Stats != nil {
		out.stats(a.cfg.Stats(""))
	}
	if a.cfg.LogQueued != nil {
		out.gauge("parley_log_queue_lines", "Access-log lines that wait to be written.", float64(a.cfg.LogQueued()))
	}
	if a.cfg.LogDropped != nil {
		out.counter("parley_log_dropped_total", "Access-log lines that were lost.", float64(a.cfg.LogDropped()))
	}
	if a.cfg.Privacy != nil {
		audio := a.cfg.Privacy().Audio
		out.counter("parley_privacy_attempts_allowed_total", "Times that a call was allowed to hold a turn in memory.", float64(audio.Allowed))
		for operation, n := range audio.ByKind {
			out.counter("parley_privacy_attempts_blocked_total", "Operations on audio that were refused.", float64(n), "operation", operation)
		}
	}
	out.gauge("parley_stream_readers", "Readers of the monitoring stream.", float64(a.cfg.Observer.streams.Load()))
	if a.cfg.AuditIntact != nil {
		out.gauge("parley_audit_chain_intact", "1 while the newest check of the audit chain held.", indicator(a.cfg.AuditIntact()))
	}
	if a.cfg.AlertsFiring != nil {
		out.gauge("parley_alerts_firing", "Alerts that are firing.", float64(a.cfg.AlertsFiring()))
	}
	if a.cfg.HangUpsFailed != nil {
		out.counter("parley_agent_hang_ups_failed_total", "Calls at agents' services that could not be hung up.", float64(a.cfg.HangUpsFailed()))
	}
	if a.cfg.WebhooksDropped != nil {
		out.counter("parley_webhooks_dropped_total", "Webhooks that were given up.", float64(a.cfg.WebhooksDropped()))
	}
	if a.cfg.Unrecorded != nil {
		out.counter("parley_record_dropped_total", "Minutes of quality and ends of sessions that could not be kept.", float64(a.cfg.Unrecorded()))
	}
	if a.cfg.Relayed != nil {
		out.relayed(a.cfg.Relayed())
	}
	if a.cfg.DatabaseSize != nil {
		out.gauge("parley_database_bytes", "Size of the database on the disk.", float64(a.cfg.DatabaseSize()))
	}
	if a.cfg.Totals != nil {
		out.totals(a.cfg.Totals)
	}
	if a.cfg.DiskUsed != nil {
		if used := a.cfg.DiskUsed(); used > 0 { // else nobody knows
			out.gauge("parley_disk_used_ratio", "Share of the disk below the record's files that is used, 0 to 1; absent where the record is in PostgreSQL.", used)
		}
	}
	if a.cfg.Agents != nil {
		out.agents(a.cfg.Agents())
	}
	if a.cfg.Degraded != nil {
		for part, isDegraded := range a.cfg.Degraded() {
			out.gauge("parley_degraded", "1 while a part that calls can do without isn't well.", indicator(isDegraded), "part", part)
		}
	}
	if a.cfg.LogExports != nil {
		out.logExports(a.cfg.LogExports())
	}
	if a.cfg.TelemetryDropped != nil {
		spans, records := a.cfg.TelemetryDropped()
		out.counter("parley_otlp_dropped_total", "Spans and log records that were given up.", float64(spans), "signal", "traces")
		out.counter("parley_otlp_dropped_total", "Spans and log records that were given up.", float64(records), "signal", "logs")
	}
	if a.cfg.Bus != nil {
		out.bus(a.cfg.Bus())
	}
	out.certificate(a.cfg.CertificateValidity)
}

// bus tells how the node hears the others.
func (c metricSink) bus(b Bus) {
	c.gauge("parley_bus_connected", "1 while this node of a cluster has a NATS server.", indicator(b.IsConnected))
	c.counter("parley_bus_messages_sent_total", "Messages to other nodes.", float64(b.Sent))
	c.counter("parley_bus_messages_received_total", "Messages of other nodes.", float64(b.Received))
	for reason, n := range b.Dropped {
		c.counter("parley_bus_messages_dropped_total", "Messages of other nodes that were not handled.", float64(n), "reason", reason)
	}
	c.counter("parley_bus_requests_total", "Requests to other nodes.", float64(b.Requests))
	for reason, n := range b.Failures {
		c.counter("parley_bus_request_failures_total", "Requests to other nodes that failed.", float64(n), "reason", reason)
	}
	c.counter("parley_bus_reconnects_total", "Times that a NATS server was found again.", float64(b.Reconnects))
}

func (c metricSink) logExports(all []LogExport) {
	for _, e := range all {
		c.counter("parley_log_export_sent_total", "Lines of a log that a collector took.", float64(e.Sent), "log", e.Log)
		c.counter("parley_log_export_set_aside_total", "Lines of a log that a collector refused for good, and which the record alone has.", float64(e.Aside), "log", e.Log)
		c.counter("parley_log_export_lost_total", "Lines of a log that were deleted before a collector had them.", float64(e.Lost), "log", e.Log)
		c.gauge("parley_log_export_lag_seconds", "Age of the line that waits longest for a collector; 0 if none does.", e.Lag.Seconds(), "log", e.Log)
	}
}

// totalsTimeout is how long a scrape waits for the store.
const totalsTimeout = time.Second

// totals sends nothing while the store can't be read: a counter that falls to 0 would be
// taken for a restart.
func (c metricSink) totals(of func(ctx context.Context, org string, days int) (rest.Totals, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), totalsTimeout)
	defer cancel()
	t, err := of(ctx, "", 1)
	if err != nil {
		return
	}
	c.counter("parley_calls_total", "Calls that ended, of all time: restarts don't take it back.", float64(t.Calls))
	c.counter("parley_call_seconds_total", "Seconds of calls that ended, of all time.", t.Minutes*60)
	users := int64(0)
	if len(t.Days) > 0 && t.Days[0].Day == rest.DayOf(time.Now()) {
		users = t.Days[0].Users
	}
	c.gauge("parley_users_today", "Users with a call that began today (UTC) and has ended.", float64(users))
}

// indicator is how Prometheus writes a bool.
func indicator(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// agents tells how those do that callers may choose.
func (c metricSink) agents(all []rest.AgentStatus) {
	for i := range all {
		c.gauge("parley_agent_calls", "Live calls of an agent.", float64(all[i].Calls), "agent", all[i].Name)
		c.gauge("parley_agent_failures", "Calls that an agent did not take or broke off within the last hour, 20 at most.", float64(len(all[i].Failures)), "agent", all[i].Name)
	}
}

// certificate sends nothing where there is none.
func (c metricSink) certificate(validity func() (from, to time.Time)) {
	if validity == nil {
		return
	}
	if _, to := validity(); !to.IsZero() {
		c.gauge("parley_certificate_expiry_timestamp_seconds", "When the certificate of HTTPS ends to be valid, in seconds since 1970.", float64(to.Unix()))
	}
}

// metricSink is where metrics of one scrape go.
type metricSink chan<- prometheus.Metric

func (c metricSink) stats(st rest.Stats) {
	// All states, levels, causes and the usual codes are told, also those that
	// nobody is in: a series that comes and goes can't be added up, and of one that
	// begins at 5 Prometheus sees no increase.
	for _, state := range []wire.SessionState{wire.StateConnecting, wire.StateActive, wire.StateReconnecting} {
		c.gauge("parley_sessions", "Live sessions.", float64(st.ByState[state]), "state", string(state))
	}
	for _, level := range []quality.Level{quality.None, quality.Poor, quality.Fair, quality.Good, quality.Excellent} {
		c.gauge("parley_sessions_by_quality", "Live sessions by the level of their line.", float64(st.Quality[level]), "level", string(level))
	}
	for _, owner := range quality.Owners {
		c.counter("parley_poor_seconds_total", "Seconds in which calls were poor, by who has to be asked about it.", float64(st.PoorSeconds[owner]), "owner", string(owner))
	}
	c.gauge("parley_sessions_limit", "Sessions that may be live at once.", float64(st.Cap))
	c.counter("parley_sessions_started_total", "Sessions that were started.", float64(st.Started))
	for _, cause := range wire.EndCauses() {
		c.counter("parley_sessions_ended_total", "Sessions that ended.", float64(st.EndCauses[cause]), "cause", string(cause))
	}
	for _, code := range usualRefusals {
		c.refused(string(code), st.Refused[string(code)])
	}
	anomalies := make(map[string]int)
	for _, a := range st.Anomalies {
		anomalies[a.Series]++
	}
	for _, series := range rest.AnomalySeries() {
		c.gauge("parley_anomalies", "Figures that are worse than usual at this hour.", float64(anomalies[series]), "series", series)
	}
	for code, n := range st.Refused {
		if !slices.Contains(usualRefusals, rest.ProblemCode(code)) {
			c.refused(code, n)
		}
	}
}

// usualRefusals are those that say something of the server, not of who calls.
var usualRefusals = []rest.ProblemCode{
	rest.CodeCapReached, rest.CodeUserCap, rest.CodeOrgCap, rest.CodeBudgetSpent, rest.CodeDraining, rest.CodePaused,
	rest.CodePrivacyBlock, rest.CodeAgentUnavailable, rest.CodeServerError,
}

func (c metricSink) refused(code string, n int64) {
	c.counter("parley_admission_refused_total", "Calls that were not let in.", float64(n), "code", code)
}

func (c metricSink) relayed(r *Relayed) {
	if r == nil {
		return
	}
	c.gauge("parley_turn_allocations", "Relayed addresses that callers hold.", float64(r.Allocations))
	for transport, n := range r.Opened {
		c.counter("parley_turn_allocations_total", "Relayed addresses that callers got.", float64(n), "transport", transport)
	}
	for reason, n := range r.Refused {
		c.counter("parley_turn_refused_total", "What the TURN server refused.", float64(n), "reason", reason)
	}
	c.counter("parley_turn_bytes_total", "Bytes that were relayed.", float64(r.Received), "direction", "to_agent")
	c.counter("parley_turn_bytes_total", "Bytes that were relayed.", float64(r.Sent), "direction", "to_caller")
	c.counter("parley_turn_dropped_total", "Packets over a session's rate.", float64(r.Dropped))
}

// gauge and counter send one figure; labels are names and values by turns.
func (c metricSink) gauge(name, help string, v float64, labels ...string) {
	c.send(prometheus.GaugeValue, name, help, v, labels)
}

func (c metricSink) counter(name, help string, v float64, labels ...string) {
	c.send(prometheus.CounterValue, name, help, v, labels)
}

func (c metricSink) send(kind prometheus.ValueType, name, help string, v float64, labels []string) {
	var names, values []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	c <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, v, values...)
}
