package api

import (
	"context"
	"time"

	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

type historyInput struct{ rest.HistoryQuery }

type historyOutput struct{ Body rest.History }

// usualHistory is the time of a history where nobody says which.
const usualHistory = 24 * time.Hour

// history is how calls were over some time, the live ones as they are.
func (a *API) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	q, now := in.HistoryQuery, time.Now()
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-usualHistory)
	}
	if err := checkSpan(q.From, q.To); err != nil {
		return nil, err
	}
	if !q.From.Before(q.To) || q.To.Sub(q.From) > rest.MaxHistory {
		return nil, &fault.BadField{Field: "from", Detail: "before to, and at most 31 days"}
	}
	q.Org = caller(ctx).scope.Org
	h, err := a.CallHistory.History(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, s := range a.Monitor.Active(q.Org) {
		if s.StartedAt.Before(q.To) && now.After(q.From) {
			h.Add(liveCall(s))
		}
	}
	return &historyOutput{h.History}, nil
}

func liveCall(s rest.Session) rest.HistoryCall {
	c := rest.HistoryCall{StartedAt: s.StartedAt, Level: s.Quality.Level, Agent: s.Agent}
	if c.Level == "" {
		c.Level = quality.None
	}
	if s.FirstWord != nil {
		c.FirstWord = *s.FirstWord
	}
	return c
}
