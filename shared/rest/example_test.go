package rest_test

import (
	"encoding/json"
	"fmt"

	"parley/shared/rest"
)

// How a page of another origin opens its socket.
func ExampleTicket() {
	var ticket rest.Ticket
	err := json.Unmarshal([]byte(`{"ticket":"b7xK","expires_at":"2026-03-01T09:00:30.000Z"}`), &ticket)
	fmt.Println("https://parley.example"+rest.SocketQuery{Agent: "echo"}.Path(), ticket.Subprotocol(), err)
	// Output:
	// https://parley.example/api/v1/realtime/ws?agent=echo parley.ticket.b7xK <nil>
}

// What the server refuses has a stable code.
func ExampleProblem() {
	var refused rest.Problem
	err := json.Unmarshal([]byte(`{"title":"All lines are in use","status":503,"code":"cap_reached","retry_after_s":5}`), &refused)
	fmt.Println(refused.Code == rest.CodeCapReached, refused.RetryAfterS, err)
	// Output:
	// true 5 <nil>
}
