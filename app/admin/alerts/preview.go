package alerts

import (
	"context"
	"slices"
	"strconv"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

const (
	// previewSpan is how far back a rule is tried on the calls that were.
	previewSpan = 7 * 24 * time.Hour
	// previewPages bounds the calls that it is tried on: 5,000.
	previewPages = 10
)

// CallReader gives the calls that were. *client.Client is one.
type CallReader interface {
	Sessions(ctx context.Context, q rest.SessionQuery) (rest.Page[rest.SessionRecord], error)
	Stats(ctx context.Context) (rest.Stats, error)
}

// history is the calls of the last days, as far as they were read.
type history struct {
	calls  []rest.SessionRecord
	limit  int // calls at the same time, now
	isPart bool
}

func readHistory(ctx context.Context, from CallReader, now time.Time) (h history, err error) {
	stats, err := from.Stats(ctx)
	if err != nil {
		return h, err
	}
	h.limit = stats.Cap
	q := rest.SessionQuery{From: now.Add(-previewSpan), Limit: rest.MaxLimit}
	for range previewPages {
		page, err := from.Sessions(ctx, q)
		if err != nil {
			return h, err
		}
		h.calls = append(h.calls, page.Items...)
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			return h, nil
		}
	}
	h.isPart = true
	return h, nil
}

// preview says how often a rule would have fired.
func (h history) preview(r rest.AlertRule) string {
	n, isKnown := h.countFired(r)
	switch {
	case !isKnown:
		return "No history is kept of this, so there is no preview."
	case n == 0 && !h.isPart:
		return "Would not have fired in the last 7 days."
	}
	words := "Would have fired "
	if h.isPart {
		words += "at least "
	}
	if n == 1 {
		return words + "once in the last 7 days."
	}
	return words + strconv.Itoa(n) + " times in the last 7 days."
}

// countFired tries a rule on the calls; not of all measures a history is kept.
func (h history) countFired(r rest.AlertRule) (n int, isKnown bool) {
	switch r.Metric {
	case rest.AlertPoorCall:
		for _, c := range h.calls {
			if c.Quality.Seconds[quality.Poor] > r.ForS {
				n++
			}
		}
		return n, true
	case rest.AlertLiveOfCap:
		return h.countFull(r), true
	case rest.AlertSetupFailures:
		return h.countFailures(r), true
	}
	return 0, false
}

// change is that a call began or ended.
type change struct {
	at time.Time
	by int
}

// countFull counts how often so many lines were in use for so long.
func (h history) countFull(r rest.AlertRule) (n int) {
	var changes []change
	for _, c := range h.calls {
		changes = append(changes, change{c.StartedAt, 1}, change{c.StartedAt.Add(time.Duration(c.DurationS * float64(time.Second))), -1})
	}
	slices.SortFunc(changes, func(a, b change) int {
		if d := a.at.Compare(b.at); d != 0 {
			return d
		}
		return a.by - b.by
	})
	live, since := 0, time.Time{}
	for _, c := range changes {
		live += c.by
		isOver := h.limit > 0 && float64(live) >= r.Above*float64(h.limit) && live >= max(r.AtLeast, 1)
		switch {
		case isOver && since.IsZero():
			since = c.at
		case !isOver && !since.IsZero():
			if c.at.Sub(since) >= time.Duration(r.ForS)*time.Second {
				n++
			}
			since = time.Time{}
		}
	}
	return n
}

// countFailures counts how often the share of calls that failed to start came to be
// over the limit within the rule's time.
func (h history) countFailures(r rest.AlertRule) (n int) {
	calls := slices.Clone(h.calls)
	slices.SortFunc(calls, func(a, b rest.SessionRecord) int { return a.StartedAt.Compare(b.StartedAt) })
	first, failed, wasOver := 0, 0, false
	for i, c := range calls {
		failed += setupFailure(c)
		for calls[first].StartedAt.Before(c.StartedAt.Add(-time.Duration(r.ForS) * time.Second)) {
			failed -= setupFailure(calls[first])
			first++
		}
		all := i - first + 1
		isOver := all >= r.AtLeast && float64(failed) > r.Above*float64(all)
		if isOver && !wasOver {
			n++
		}
		wasOver = isOver
	}
	return n
}

// setupFailure is 1 for a call that failed before it began.
func setupFailure(c rest.SessionRecord) int {
	if c.EndCause == wire.MediaFailed || c.EndCause == wire.AgentUnavailable {
		return 1
	}
	return 0
}
