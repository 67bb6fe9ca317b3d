package logexport

import (
	"context"
	"errors"
	"net/http"
)

const (
	// setAsideAfter is how often a line is sent that a collector refuses for good, before
	// the log goes on without it: some ten minutes, in which it may be mended.
	setAsideAfter = 15
	// maxAside bounds the lines in a row that are set aside: who refuses more than that
	// refuses all, which is no line's fault.
	maxAside = 10
)

// errForGood: the collector won't take these lines, however often they come.
var errForGood = errors.New("the collector refuses what is in the lines")

// isForGood reports whether an answer is about the lines that were sent (RFC 9110 §15.5.1,
// §15.5.14, §15.5.21), not about who sends them or when.
func (e *refusedError) isForGood() bool {
	return e.status == http.StatusBadRequest || e.status == http.StatusRequestEntityTooLarge || e.status == http.StatusUnprocessableEntity
}

// noteRefused counts how often the line that waits longest was refused for good.
func (s *stream) noteRefused(number int64) {
	if s.refusedLine != number {
		s.refusedLine, s.refusals = number, 0
	}
	s.refusals++
}

// setAside sends the first of lines for the last time, once it was refused often enough,
// and goes on without it and those behind it that are refused too: up to one that the
// collector takes. If it takes none, it isn't the lines, and they wait on.
func (s *stream) setAside(ctx context.Context, lines []line) (isDone bool) {
	if lines[0].number != s.refusedLine || s.refusals < setAsideAfter-1 {
		return false
	}
	for i := 0; i < len(lines) && i <= maxAside; i++ {
		err := s.to.send(ctx, lines[i:i+1])
		if errors.Is(err, errForGood) {
			continue
		}
		if err != nil || s.confirm(ctx, lines[i].number) != nil {
			return false
		}
		s.mu.Lock()
		s.sent++
		s.aside += int64(i)
		s.mu.Unlock()
		if i == 0 {
			return true // it is taken, after all
		}
		s.logger.Error("lines that the collector refuses for good are set aside; the record has them", "event", "log_export", "log", s.log,
			"lines", i, "first", lines[0].number, "last", lines[i-1].number)
		return true
	}
	return false
}
