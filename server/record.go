package main

import (
	"context"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// record answers the HTTP interface from the store, in its words.
type record struct{ store *store.Store }

// Sessions implements api.Record.
func (r record) Sessions(ctx context.Context, q rest.SessionQuery) ([]rest.SessionRecord, string, error) {
	items, next, err := r.store.Sessions(ctx, q)
	return items, next, err
}

// Session implements api.Record.
func (r record) Session(ctx context.Context, id string) (rest.SessionRecord, error) {
	item, err := r.store.Session(ctx, id)
	return item, err
}

// Streams implements api.Record.
func (r record) Streams(ctx context.Context, session string, from, to time.Time, step time.Duration) ([]rest.StreamQuality, error) {
	streams, err := r.store.Streams(ctx, session, from, to, step)
	return streams, err
}

// Logs implements api.Lines.
func (r record) Logs(ctx context.Context, q rest.LogQuery) ([]rest.LogEntry, string, error) {
	items, next, err := r.store.Logs(ctx, q)
	return items, next, err
}

// Activities implements api.Lines.
func (r record) Activities(ctx context.Context, q rest.ActivityQuery) ([]rest.Activity, string, error) {
	items, next, err := r.store.Activities(ctx, q)
	return items, next, err
}
