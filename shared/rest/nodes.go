package rest

import "time"

// Node is one server of a cluster, in a Page of GET …/nodes. A server that is alone is the
// only one there, without a lease.
type Node struct {
	Name      string    `json:"name"`
	Address   string    `json:"address" doc:"URL under which callers reach it"`
	Version   string    `json:"version"`
	State     string    `json:"state" doc:"live; lapsed: its lease ran out, it admits nobody; lost: taken for dead, its calls were ended; left: it ended in order"`
	StartedAt time.Time `json:"started_at"`
	RenewedAt time.Time `json:"renewed_at,omitzero" doc:"when it renewed its lease last; missing where the server is alone"`
	LeaseBy   time.Time `json:"lease_by,omitzero" doc:"until when that lasts; missing where the server is alone"`
	Calls     int       `json:"calls"`
	Cap       int       `json:"cap" doc:"calls that may be on at the same time, on all servers of the cluster together"`
	// Media and TURN are missing where nobody knows.
	Media string    `json:"media_address,omitempty" doc:"the address and port that callers' media comes to, by UDP and by TCP"`
	TURN  TURNState `json:"turn,omitempty" enum:"reachable,unreachable,off" doc:"whether it reaches its own TURN server at the address that callers are told"`
	// DelayMS says how busy its machine is.
	DelayMS float64 `json:"scheduling_delay_p50_ms" doc:"how late its machine passes callers' packets on, as in …/health; 0: none came, or it is not heard"`
	MachineUsage
	// ClockSkewMS and HeartbeatAgeS are missing where nobody knows.
	ClockSkewMS   *float64 `json:"clock_skew_ms,omitempty" doc:"how far its clock is ahead of the database's, negative: behind"`
	HeartbeatAgeS *float64 `json:"heartbeat_age_s,omitempty" doc:"how long ago the one that answers heard it"`
	Heartbeats    string   `json:"heartbeats,omitempty" doc:"its last 60 seconds as the one that answers heard them, the newest last: 1 for one that it was heard in, 0 for one that it was not; missing where the server is alone"`
	Draining      bool     `json:"draining"`
	Leader        bool     `json:"leader" doc:"it does what one of the cluster does for all: alerts, retention"`
	Self          bool     `json:"self" doc:"it answers this"`
	Reachable     bool     `json:"reachable" doc:"the one that answers hears it"`
}

// TURNState is how a server finds its own TURN server.
type TURNState string

// The states of a TURN server. One that is not reached may be: not every router leads a
// machine back to itself.
const (
	TURNReachable   TURNState = "reachable"
	TURNUnreachable TURNState = "unreachable"
	TURNOff         TURNState = "off"
)

// MachineUsage is what a server takes of its machine; zero where nobody knows.
type MachineUsage struct {
	CPU           float64 `json:"cpu_ratio" doc:"share of the machine's processors that it had over the last seconds, 0 to 1"`
	ResidentBytes uint64  `json:"resident_bytes" doc:"memory that it holds"`
	UDPErrors     int64   `json:"udp_receive_errors" doc:"datagrams that came to its machine, or container, and were not received, since it started"`
}

// NodeCallsEnded is the answer of POST …/nodes/{id}/end.
type NodeCallsEnded struct {
	Ended int `json:"ended"`
}
