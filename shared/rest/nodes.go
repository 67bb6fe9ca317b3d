package rest

import "time"

// Node is one server of a cluster, in a Page of GET …/nodes, which is empty where the server
// is alone.
type Node struct {
	Name      string    `json:"name"`
	Address   string    `json:"address" doc:"URL under which callers and the other nodes reach it"`
	Version   string    `json:"version"`
	State     string    `json:"state" doc:"live; lapsed: its lease ran out, it admits nobody; lost: taken for dead, its calls were ended; left: it ended in order"`
	StartedAt time.Time `json:"started_at"`
	RenewedAt time.Time `json:"renewed_at" doc:"when it renewed its lease last"`
	LeaseBy   time.Time `json:"lease_by" doc:"until when that lasts"`
	Calls     int       `json:"calls"`
	// DelayMS says how busy its machine is.
	DelayMS   float64 `json:"scheduling_delay_p50_ms" doc:"how late its machine passes callers' packets on, as in …/health; 0: none came, or it is not heard"`
	Draining  bool    `json:"draining"`
	Leader    bool    `json:"leader" doc:"it does what one of the cluster does for all: alerts, retention"`
	Self      bool    `json:"self" doc:"it answers this"`
	Reachable bool    `json:"reachable" doc:"the one that answers hears it"`
}

// NodeCallsEnded is the answer of POST …/nodes/{id}/end.
type NodeCallsEnded struct {
	Ended int `json:"ended"`
}
