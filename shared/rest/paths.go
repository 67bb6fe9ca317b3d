// Package rest owns the resources of Parley's HTTP interface: paths, bodies,
// stream events and problem codes, as server and client both know them. It
// makes no requests and serves none.
package rest

// Paths of the interface. {id} stands for a session id.
const (
	PathHealth      = "/healthz"
	PathReady       = "/readyz"
	PathAuthSession = "/api/v1/auth/session"
	PathMe          = "/api/v1/me"
	PathAdmission   = "/api/v1/realtime/admission"
	PathSocket      = "/api/v1/realtime/ws"
	PathActive      = "/api/v1/monitoring/sessions/active"
	PathStats       = "/api/v1/monitoring/sessions/stats"
	PathEnd         = "/api/v1/monitoring/sessions/{id}/end"
	PathConnection  = "/api/v1/monitoring/connection/{id}"
	PathStream      = "/api/v1/monitoring/stream"
)

// Limits of the interface.
const (
	MaxBody      = 64 << 10 // bytes of a request body
	MaxBodyDepth = 32
	MaxReason    = 300 // characters of an admin's reason
	DefaultLimit = 100 // items of a list
	MaxLimit     = 500
)
