package main

import (
	"parley/server/agent/realtime"
	"parley/server/api"
)

// describedEvents are what the interface's description tells of an agent's events: what
// passes by default, and what comes from an agent that shows all it may.
func describedEvents() api.AgentEvents {
	var may []string
	for _, grant := range realtime.DefaultGrants() {
		may = append(may, string(grant))
	}
	return api.AgentEvents{FromClient: may, FromServer: realtime.ShownEvents(realtime.Policy{Captions: true, ToolCalls: true})}
}
