package store

import (
	"context"
	"time"
)

// How a list is searched that an index may not serve: backwards in windows of
// time, that grow while they are cheap.
const (
	firstWindow = time.Minute
	growth      = 4
	cheap       = 50 * time.Millisecond
	dear        = 250 * time.Millisecond
	// searchFor ends a search that finds too little; its page has a cursor.
	searchFor = time.Second
)

// walk is page for filters that may fit few rows or none.
func (t table) walk(ctx context.Context, f *filter, s span, n int, scan func(row) (int64, error)) (next string, err error) {
	if len(f.conds) == 0 {
		return t.page(ctx, f, s, n, scan)
	}
	if s, err = t.clip(ctx, s); err != nil {
		return "", err
	}
	began := time.Now()
	window, l := firstWindow, &list{n: n, scan: scan}
	for s.to > s.from {
		part := span{from: max(s.from, firstID(timeOf(s.to-1).Add(-window))), to: s.to}
		start := time.Now()
		if err := t.fill(ctx, f, part, l); err != nil || l.next != "" {
			return l.next, err
		}
		s.to = part.from
		switch took := time.Since(start); {
		case time.Since(began) > searchFor:
			return t.rest(s), nil
		case took < cheap:
			window *= growth
		case took > dear:
			window = max(window/growth, time.Second)
		}
	}
	return "", nil
}

// rest is the cursor of what was not searched.
func (t table) rest(s span) string {
	if s.to <= s.from {
		return ""
	}
	return cursorOf(s.to)
}

// clip narrows a span to the rows there are.
func (t table) clip(ctx context.Context, s span) (span, error) {
	var oldest, newest int64
	err := t.file.one(ctx, "reading the "+t.name, "SELECT coalesce((SELECT min(id) FROM "+t.name+"), 0), coalesce((SELECT max(id) FROM "+
		t.name+"), 0)", nil, &oldest, &newest)
	return span{from: max(s.from, oldest), to: min(s.to, newest+1)}, err
}
