package main

import (
	"context"
	"time"

	"parley/server/agent/double"
)

// farKey is the key that the far end takes.
const farKey = "bench"

// farEnd is a double of a realtime voice service that sends back what it hears: the agent
// behind both legs.
type farEnd struct{ service *double.Server }

func newFarEnd() (*farEnd, error) {
	s, err := double.New(double.Config{Dialect: double.RawSDP, Key: farKey, IsEcho: true})
	return &farEnd{s}, err
}

// answer is the service's own.
func (*farEnd) answer(context.Context, string) (string, error) { panic("the service answers") }

// hangUp does nothing: its calls end with their connections.
func (*farEnd) hangUp() {}

func (f *farEnd) packets() (n int64) {
	for _, c := range f.service.Calls() {
		heard, _ := c.Heard()
		n += heard
	}
	return n
}

func (f *farEnd) Close() error { return f.service.Close() }

// noLedger has no disk: what a bench that is cut off leaves at its far end ends with it.
type noLedger struct{}

func (noLedger) PutUpstreamCall(context.Context, string, string, string, time.Time) error { return nil }
func (noLedger) DeleteUpstreamCall(context.Context, string) error                         { return nil }
func (noLedger) UpstreamCalls(context.Context, func(string, string, string, time.Time)) error {
	return nil
}
