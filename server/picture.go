package main

import (
	"context"
	"encoding/json"
	"time"

	"parley/server/api"
	"parley/server/monitor"
	"parley/server/session"
	"parley/shared/rest"
)

// scene is the current picture: all of it, or one organization's.
type scene interface {
	Active() []rest.Session
	Stats() rest.Stats
	Snapshot() rest.Snapshot
	Owner(id string) (shown, org string, ok bool)
	Connection(id string, from, to time.Time, step time.Duration) (rest.Connection, bool)
}

// picture shows a scene to the HTTP interface. People in it are masked; only
// the sessions themselves know whose they are.
type picture struct {
	scene
	sessions *session.Sessions
}

// Owner implements api.Monitor.
func (p picture) Owner(id string) (user, org string, ok bool) {
	if _, org, ok = p.scene.Owner(id); !ok {
		return "", "", false
	}
	c, _ := p.sessions.Owner(id) // nobody, once it has ended
	return c.User, org, true
}

// feed hands the monitor's frames to the HTTP interface, each encoded once for
// all who read of the same organizations.
type feed struct {
	scene
	monitor *monitor.Monitor
	org     string
	encode  monitor.Encode
}

// Next implements api.Feed.
func (f feed) Next(ctx context.Context, cursor uint64) ([]api.Frame, uint64, error) {
	events, next, err := f.monitor.Follow(ctx, cursor, f.org, f.encode)
	frames := make([]api.Frame, len(events))
	for i, e := range events {
		frames[i] = api.Frame{Seq: e.Seq, Event: e.Event, Data: json.RawMessage(e.JSON)}
	}
	return frames, next, err
}
