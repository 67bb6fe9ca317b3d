// Package rest owns the resources of Parley's HTTP interface: paths, bodies,
// stream events and problem codes, as server and client both know them. It
// makes no requests and serves none.
package rest

// Paths of the interface. {id} stands for a session id.
const (
	PathHealth      = "/healthz"
	PathReady       = "/readyz"
	PathAuthSession = "/api/v1/auth/session"
	// Of the company's accounts: a browser begins at the first and comes back by the
	// second; the identity provider itself says by the third who signed out there.
	PathProviderStart    = "/api/v1/auth/oidc/start"
	PathProviderCallback = "/api/v1/auth/oidc/callback"
	PathProviderLogout   = "/api/v1/auth/oidc/logout"
	// A demo server lets in who comes by it; no other has it.
	PathDemoSignIn = "/api/v1/auth/demo"
	PathMe         = "/api/v1/me"
	PathAdmission  = "/api/v1/realtime/admission"
	PathTicket     = "/api/v1/realtime/ticket"
	PathSocket     = "/api/v1/realtime/ws"
	PathActive     = "/api/v1/monitoring/sessions/active"
	PathStats      = "/api/v1/monitoring/sessions/stats"
	PathHistory    = "/api/v1/monitoring/sessions/history"
	PathTotals     = "/api/v1/monitoring/sessions/totals"
	PathEnd        = "/api/v1/monitoring/sessions/{id}/end"
	PathConnection = "/api/v1/monitoring/connection/{id}"
	PathStream     = "/api/v1/monitoring/stream"

	PathOwnSessions   = "/api/v1/sessions"
	PathOwnSession    = "/api/v1/sessions/{id}"
	PathEndOwn        = "/api/v1/sessions/{id}/end"
	PathRating        = "/api/v1/sessions/{id}/rating"
	PathSessions      = "/api/v1/monitoring/sessions"
	PathSession       = "/api/v1/monitoring/sessions/{id}"
	PathExtend        = "/api/v1/monitoring/sessions/{id}/extend"
	PathTimeout       = "/api/v1/monitoring/timeout"
	PathCheckTimeouts = "/api/v1/monitoring/check-timeouts"
	PathLogs          = "/api/v1/monitoring/logs"
	PathLogCounts     = "/api/v1/monitoring/logs/counts"
	PathActivities    = "/api/v1/monitoring/activities"
	PathAudit         = "/api/v1/monitoring/audit"
	PathAuditCounts   = "/api/v1/monitoring/audit/counts"
	PathPrivacy       = "/api/v1/monitoring/privacy"
	PathEnable        = "/api/v1/monitoring/enable"
	PathDisable       = "/api/v1/monitoring/disable"
	PathPause         = "/api/v1/monitoring/pause"
	PathResume        = "/api/v1/monitoring/resume"
	PathSettings      = "/api/v1/monitoring/settings"
	PathExport        = "/api/v1/monitoring/export/{what}"
	PathMonitorHealth = "/api/v1/monitoring/health"
	PathAlerts        = "/api/v1/monitoring/alerts"
	PathAcknowledge   = "/api/v1/monitoring/alerts/{id}/acknowledge"
	PathSilence       = "/api/v1/monitoring/alerts/{id}/silence"
	PathAlertRules    = "/api/v1/monitoring/alerts/rules"
	PathAlertPreview  = "/api/v1/monitoring/alerts/preview"
	PathAlertTest     = "/api/v1/monitoring/alerts/test"
	PathDeliveries    = "/api/v1/monitoring/alerts/deliveries"
	PathRevokeUser    = "/api/v1/monitoring/users/{sub}/revoke"
	PathRevokeSession = "/api/v1/monitoring/sessions/{id}/revoke"
	PathRevocations   = "/api/v1/monitoring/revocations"
	PathRevocation    = "/api/v1/monitoring/revocations/{id}"
	PathPersonData    = "/api/v1/monitoring/users/{sub}/data"
	PathReveal        = "/api/v1/monitoring/sessions/{id}/reveal"
	PathUsage         = "/api/v1/monitoring/usage"
	PathNodes         = "/api/v1/monitoring/nodes"
	PathDrainNode     = "/api/v1/monitoring/nodes/{id}/drain"
	PathUndrainNode   = "/api/v1/monitoring/nodes/{id}/undrain"
	PathEndNodeCalls  = "/api/v1/monitoring/nodes/{id}/end"
	PathAgents        = "/api/v1/monitoring/agents"
	PathAgentCheck    = "/api/v1/monitoring/agents/{name}/check"
	PathMetrics       = "/metrics"
	PathOpenAPI       = "/api/openapi.json"
	PathDocs          = "/api/docs"

	// Of the interface that OpenAI's clients speak; its {id} is a call's.
	PathSideband      = "/v1/realtime" // a WebSocket, ?call_id= names the call
	PathCalls         = "/v1/realtime/calls"
	PathCall          = "/v1/realtime/calls/{id}"
	PathHangUp        = "/v1/realtime/calls/{id}/hangup"
	PathClientSecrets = "/v1/realtime/client_secrets"
)

// Limits of the interface.
const (
	MaxBody      = 64 << 10 // bytes of a request body
	MaxBodyDepth = 32
	MaxReason    = 300 // characters of an admin's reason
	DefaultLimit = 100 // items of a list
	MaxLimit     = 500
)
