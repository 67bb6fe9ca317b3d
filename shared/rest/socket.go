package rest

import "net/url"

// SocketQuery is what a caller asks for with PathSocket.
type SocketQuery struct {
	// Agent is one of those that Admission lists; "" is the server's default.
	Agent string
	// Takeover ends the oldest of the caller's own sessions when all their places
	// are taken.
	Takeover bool
}

// Path is PathSocket with the query.
func (q SocketQuery) Path() string {
	values := url.Values{}
	if q.Agent != "" {
		values.Set("agent", q.Agent)
	}
	if q.Takeover {
		values.Set("takeover", "1")
	}
	if len(values) == 0 {
		return PathSocket
	}
	return PathSocket + "?" + values.Encode()
}
