package store

import (
	"context"
	"errors"
	"time"

	"parley/server/fault"
)

// How a list is searched that an index may not serve: backwards in windows of
// time, that grow while they are cheap and shrink when they are dear.
const (
	firstWindow = time.Minute
	leastWindow = time.Second
	growth      = 4
	cheap       = 50 * time.Millisecond
	// tooDear cuts a window short: a quiet night is followed by a busy day.
	tooDear = 500 * time.Millisecond
	// searchFor ends a search that finds too little; its page has a cursor.
	searchFor = time.Second
)

// walk is page for filters that may fit few rows or none.
func (t queryTable) walk(ctx context.Context, f *filter, s timeSpan, n int, scan func(rowScanner) (int64, error)) (next string, err error) {
	if len(f.conds) == 0 {
		return t.page(ctx, f, s, n, scan)
	}
	if s, err = t.clip(ctx, s); err != nil {
		return "", err
	}
	began := time.Now()
	window, l := firstWindow, &pagedList{n: n, scan: scan}
	for s.to > s.from {
		part := timeSpan{from: max(s.from, firstID(timeOf(s.to-1).Add(-window))), to: s.to}
		whole, took, err := t.searchWindow(ctx, f, part, l, window > leastWindow)
		switch {
		case err != nil || l.next != "":
			return l.next, err
		case whole:
			s.to = part.from
		case l.count > 0 && l.last < s.to:
			s.to = l.last // all down to there was seen
		}
		if time.Since(began) > searchFor && (whole || l.count > 0) {
			return t.rest(s), nil
		}
		window = resize(window, took, whole)
	}
	return "", nil
}

func resize(window, took time.Duration, whole bool) time.Duration {
	switch {
	case !whole:
		return max(window/(growth*growth), leastWindow)
	case took < cheap:
		return window * growth
	case took > tooDear/2:
		return max(window/growth, leastWindow)
	}
	return window
}

// searchWindow searches one window, and says if it came to its end: what may be cut
// short is, when it takes too long.
func (t queryTable) searchWindow(ctx context.Context, f *filter, part timeSpan, l *pagedList, mayCut bool) (whole bool, took time.Duration, err error) {
	start, within := time.Now(), ctx
	if mayCut {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, tooDear)
		defer cancel()
	}
	err = t.fill(within, f, part, l)
	took = time.Since(start)
	if mayCut && errors.Is(err, fault.Unavailable) && took >= tooDear && ctx.Err() == nil {
		return false, took, nil
	}
	return err == nil, took, err
}

// rest is the cursor of what was not searched.
func (t queryTable) rest(s timeSpan) string {
	if s.to <= s.from {
		return ""
	}
	return cursorOf(s.to)
}

// clip narrows a span to the rows there are.
func (t queryTable) clip(ctx context.Context, s timeSpan) (timeSpan, error) {
	var oldest, newest int64
	err := t.database.queryRow(ctx, "reading the "+t.name, "SELECT coalesce((SELECT min(id) FROM "+t.name+"), 0), coalesce((SELECT max(id) FROM "+
		t.name+"), 0)", nil, &oldest, &newest)
	return timeSpan{from: max(s.from, oldest), to: min(s.to, newest+1)}, err
}
