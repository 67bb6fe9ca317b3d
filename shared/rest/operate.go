package rest

import "time"

// Privacy is GET …/privacy: what protects callers, with the evidence.
type Privacy struct {
	PrivacyMode bool       `json:"privacy_mode"`
	Protection  string     `json:"protection"` // active, or failed: then calls are refused
	CheckedAt   time.Time  `json:"checked_at"`
	Audio       AudioGuard `json:"audio"`
	Masking     []Masked   `json:"masking"` // examples of what is written instead
	Confinement string     `json:"confinement"`
	// Retention in days of what is kept.
	LogRetentionDays   int                `json:"log_retention_days"`
	AuditRetentionDays int                `json:"audit_retention_days"`
	Deletion           Deletion           `json:"deletion"`
	Blocked            []BlockedOperation `json:"blocked_operations"` // newest first, 100 at most
}

// Deletion is what went because it was too old.
type Deletion struct {
	CheckedAt time.Time `json:"checked_at,omitzero" doc:"when it was looked for last, which is each hour; missing where another server of the cluster does it"`
	Lines     int64     `json:"lines" doc:"of the access and the audit log, in the last 24 hours or since the server started"`
}

// AudioGuard counts what asked to touch audio since the server started.
type AudioGuard struct {
	Stored   int64            `json:"stored"`   // always 0
	Attempts int64            `json:"attempts"` // allowed or blocked
	Allowed  int64            `json:"allowed"`  // to hold a turn in memory, within the call
	Blocked  int64            `json:"blocked"`
	ByKind   map[string]int64 `json:"by_operation"` // blocked
	Held     int              `json:"held"`         // buffers in memory now
}

// Masked is one example of masking.
type Masked struct {
	Kind   string `json:"kind"` // ip, email, phone
	Before string `json:"before"`
	After  string `json:"after"`
}

// BlockedOperation is one would-be operation on audio that was refused.
type BlockedOperation struct {
	At        time.Time `json:"at"`
	Operation string    `json:"operation"`
	By        string    `json:"by"` // the component that asked
	Session   string    `json:"session,omitempty"`
}

// Health is GET …/health.
type Health struct {
	At            time.Time     `json:"at"`
	UptimeS       float64       `json:"uptime_s"`
	Version       string        `json:"version"`
	Routes        []RouteHealth `json:"routes"`
	Requests      RouteHealth   `json:"requests"` // all routes together
	Goroutines    int           `json:"goroutines"`
	HeapBytes     uint64        `json:"heap_bytes"`
	ResidentBytes uint64        `json:"resident_bytes"`
	DiskFreeBytes uint64        `json:"disk_free_bytes"`
	DatabaseBytes int64         `json:"database_bytes"`
	LogQueue      int           `json:"log_queue"`
	LogDropped    int64         `json:"log_dropped"`
	StreamReaders int           `json:"stream_readers"`
	// How late this machine passes callers' packets on.
	SchedulingDelayP50MS float64  `json:"scheduling_delay_p50_ms" doc:"how late this machine passes callers' packets on, from the kernel's stamp of their arrival to their sending: what 95 % of a second's packets did not exceed, in the median second of the last five minutes; 0: none came"`
	SchedulingDelayP99MS float64  `json:"scheduling_delay_p99_ms" doc:"the same in the worst second of a hundred"`
	Paused               bool     `json:"paused"`   // no new calls
	Degraded             []string `json:"degraded"` // as /readyz names them
}

// RouteHealth is how one route does over the last 5 minutes.
type RouteHealth struct {
	Route     string  `json:"route"`
	Requests  int64   `json:"requests"`
	Errors    int64   `json:"errors"` // 5xx
	ErrorRate float64 `json:"error_rate"`
	PerSecond float64 `json:"per_second"`
	P50MS     float64 `json:"p50_ms"`
	P95MS     float64 `json:"p95_ms"`
	P99MS     float64 `json:"p99_ms"`
}

// Alert is one raised alert.
type Alert struct {
	ID             string     `json:"id"`
	Rule           string     `json:"rule"`
	Title          string     `json:"title"`
	Detail         string     `json:"detail,omitempty"` // what it is about: the network of an address
	State          string     `json:"state"`            // AlertFiring, AlertResolved
	Value          float64    `json:"value"`
	Limit          float64    `json:"limit"`
	Unit           string     `json:"unit,omitempty"`
	Session        string     `json:"session,omitempty"`
	Org            string     `json:"org,omitempty"` // of the session
	RaisedAt       time.Time  `json:"raised_at"`
	ResolvedAt     *time.Time `json:"resolved_at,omitempty"`
	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
	AcknowledgedBy string     `json:"acknowledged_by,omitempty"`
	SilencedUntil  *time.Time `json:"silenced_until,omitempty"`
	// Trend is the value of the last minute, a second each, the newest last. Only the
	// list has it, of what fires.
	Trend []float64 `json:"trend,omitempty" doc:"of a firing alert, in the list alone: its value of the last minute, one a second, the newest last"`
}

// States of an alert.
const (
	AlertFiring   = "firing"
	AlertResolved = "resolved"
)

// AlertRule says when an alert is raised.
type AlertRule struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Metric string  `json:"metric"` // AlertPoorCalls and the like
	Above  float64 `json:"above" doc:"the limit; of certificate_days the value fires below it"`
	// ForS is how long a state must last, or the time over which events count.
	ForS     int  `json:"for_s"`
	AtLeast  int  `json:"at_least,omitempty"` // calls, live or begun, below which the rule is quiet
	Enabled  bool `json:"enabled"`
	Webhooks bool `json:"webhooks"`
}

// PreviewQuery asks what a rule would have fired, in the words of AlertRule.
type PreviewQuery struct {
	Metric  string  `query:"metric" required:"true" maxLength:"64" doc:"a rule's metric"`
	Above   float64 `query:"above" minimum:"0" doc:"its limit"`
	ForS    int     `query:"for_s" minimum:"0" maximum:"3600"`
	AtLeast int     `query:"at_least" minimum:"0" maximum:"10000"`
}

// AlertPreview is what a rule would have fired, in GET …/alerts/preview: the server
// judges by it, anew, each second of the last day, or of as much of it as it has run.
type AlertPreview struct {
	From   time.Time        `json:"from"`
	To     time.Time        `json:"to"`
	Fired  int              `json:"fired"`
	Alerts []PreviewedAlert `json:"alerts"` // the newest, the last raised first; 20 at most
}

// PreviewedAlert is one alert that would have been. It names no session and no address.
type PreviewedAlert struct {
	RaisedAt   time.Time  `json:"raised_at"`
	ResolvedAt *time.Time `json:"resolved_at,omitempty"` // missing where it would fire still
	Value      float64    `json:"value"`
	Unit       string     `json:"unit"`
}

// The metrics that rules are about. Shares are of 1.
const (
	AlertPoorCalls       = "poor_calls"         // share of live calls that are poor
	AlertPoorCall        = "poor_call"          // one call that is poor; an alert of its own each, above is 0
	AlertLiveOfCap       = "live_of_cap"        // share of the cap that is taken; the limit counts
	AlertSetupFailures   = "setup_failures"     // share of calls that failed before they began
	AlertRefusedSignIns  = "refused_sign_ins"   // from one address; an alert of its own each; the limit counts
	AlertStorageAttempts = "storage_attempts"   // that the privacy guard refused; the limit counts
	AlertLogFailures     = "log_write_failures" // access-log lines that were lost; the limit counts
	AlertStreamsRefused  = "streams_refused"    // admin streams that were refused; the limit counts
	AlertAuditChain      = "audit_chain_broken" // 1 while the audit log is not what was written; the limit counts
	AlertCertificateDays = "certificate_days"   // that the certificate is still good for: below the limit, not above
	AlertDiskUsed        = "disk_used"          // share of the data directory's disk; the limit counts
	AlertCapRefusals     = "cap_refusals"       // callers who found all lines busy; the limit counts
	AlertStaleKeys       = "stale_keys"         // 1 while the issuer's keys can't be fetched or read; the limit counts
	AlertSlowAnswers     = "slow_answers"       // share of answers whose first word took more than 2 s
	AlertAnomaly         = "anomaly"            // a figure that is worse than usual at this hour; an alert of its own each, above is 0
)

// AlertRules is GET and PUT …/alerts/rules. Version is the ETag, too.
type AlertRules struct {
	Version  int64       `json:"version" required:"false"`
	Rules    []AlertRule `json:"rules" maxItems:"100"`
	Webhooks []Webhook   `json:"webhooks" maxItems:"10"`
	// What is told of the rules, and ignored where they are put.
	Fired         []RuleFired `json:"fired,omitempty" readOnly:"true" doc:"how often rules fired in the last 7 days; those that did"`
	FiredSince    time.Time   `json:"fired_since,omitzero" readOnly:"true" doc:"since when that is known"`
	LearningHours int         `json:"learning_hours,omitempty" readOnly:"true" doc:"for how many more hours it is learned what is usual; until then an anomaly isn't looked for"`
	// Edition is AlertRulesEdition of the release in which they were put; it stays
	// in the record.
	Edition int `json:"-"`
}

// RuleFired is how often a rule fired.
type RuleFired struct {
	Rule   string    `json:"rule"`
	Count  int       `json:"count"`
	LastAt time.Time `json:"last_at"`
}

// AlertRulesEdition counts the releases that added rules to those of a server
// where nobody set any.
const AlertRulesEdition = 5

// Webhook is told of alerts. Its secret is taken and never given back.
type Webhook struct {
	URL       string `json:"url" minLength:"1" maxLength:"2048"`
	Secret    string `json:"secret,omitempty" maxLength:"512"`
	HasSecret bool   `json:"has_secret" required:"false"`
	// Format is the shape of what is sent: Parley's own where it is empty.
	Format string `json:"format,omitempty" enum:"slack" doc:"slack: a message as Slack's incoming webhooks (and Mattermost's, Rocket.Chat's) take it; left out: the alert as JSON"`
}

// WebhookSlack is the Format of Slack's incoming webhooks.
const WebhookSlack = "slack"

// WebhookDelivery is one delivery of late, in POST …/alerts/test and GET
// …/alerts/deliveries. It holds no key and names no person.
type WebhookDelivery struct {
	ID       string    `json:"id"`              // the receiver's Idempotency-Key
	At       time.Time `json:"at"`              // of the newest attempt
	Event    string    `json:"event"`           // alert.firing, alert.resolved, alert.test
	Alert    string    `json:"alert,omitempty"` // its id
	Webhook  string    `json:"webhook"`         // scheme and host alone
	State    string    `json:"state"`           // DeliveryWaiting and the like
	Attempts int       `json:"attempts"`
	Status   int       `json:"status,omitempty"` // of the newest answer, if one came
	TookMS   float64   `json:"took_ms"`
	Error    string    `json:"error,omitempty"` // DeliveryTimeout and the like
}

// States of a delivery.
const (
	DeliveryWaiting   = "waiting"   // for its first attempt
	DeliveryRetrying  = "retrying"  // the newest attempt failed, another comes
	DeliveryDelivered = "delivered" // the receiver answered 2xx
	DeliveryFailed    = "failed"    // given up
)

// What went wrong with the newest attempt of a delivery.
const (
	DeliveryUnresolved  = "unresolved"        // the host has no address
	DeliveryForbidden   = "forbidden_address" // the host leads where webhooks may not go
	DeliveryUnreachable = "unreachable"       // nobody listens there
	DeliveryTLS         = "tls"               // no certificate that holds, or no TLS at all
	DeliveryTimeout     = "timeout"
	DeliveryRedirect    = "redirect" // answered 3xx: redirects are not followed
	DeliveryStatus      = "status"   // answered 4xx or 5xx
	DeliveryBroken      = "broken"   // the connection ended before an answer, or it is no HTTP
	DeliveryQueueFull   = "queue_full"
	// Of mail; the mail server's reply (RFC 5321) is the status.
	DeliveryNoMailServer = "no_mail_server" // the server was started without --smtp-server
	DeliveryCredentials  = "credentials"    // the mail server doesn't take the user and password
	DeliveryRecipient    = "recipient"      // the mail server takes no mail for this address
)

// SilenceRequest is the body of POST …/alerts/{id}/silence.
type SilenceRequest struct {
	Minutes int `json:"minutes" minimum:"1" maximum:"1440"`
}
