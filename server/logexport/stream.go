package logexport

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"parley/server/metrics"
)

// stream hands on one log, batch by batch.
type stream struct {
	log       string
	most      int // lines at a time
	interval  time.Duration
	to        sender
	read      func(context.Context) ([]line, error)
	confirm   func(ctx context.Context, last int64) error
	lostLines func(context.Context) (int64, error)
	logger    *slog.Logger

	// Of the line that waits longest, if it was refused for good; run's alone.
	refusedLine int64
	refusals    int

	mu           sync.Mutex
	sent         int64
	aside        int64     // set aside, since the start
	lost         int64     // of all times
	isCounted    bool      // lost was asked for
	oldest       time.Time // of the line that waits longest; zero: none does
	failingSince time.Time // zero: the newest batch was taken
}

// run sends until ctx is done.
func (s *stream) run(ctx context.Context) {
	retry := s.interval
	for ctx.Err() == nil {
		isMore, err := s.sendBatch(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := s.interval
		if isMore {
			pause = 0
		}
		if err != nil {
			s.failed(err)
			pause = pauseAfter(err, retry)
			retry = min(2*retry, maxRetry)
		} else {
			s.recovered()
			retry = s.interval
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// sendBatch sends the oldest lines that wait, and reports whether there are more.
func (s *stream) sendBatch(ctx context.Context) (isMore bool, err error) {
	if err := s.countLost(ctx); err != nil {
		return false, err
	}
	lines, err := s.read(ctx)
	if err != nil {
		return false, err
	}
	if len(lines) == 0 {
		s.setOldest(time.Time{})
		return false, nil
	}
	s.setOldest(lines[0].at)
	if s.setAside(ctx, lines) {
		return true, nil
	}
	isMore = len(lines) >= s.most
	for len(lines) > 0 {
		batch := fittingBatch(lines)
		if err := s.sendOrSplit(ctx, batch); err != nil {
			return false, err
		}
		lines = lines[len(batch):]
	}
	if !isMore {
		s.setOldest(time.Time{})
	}
	return isMore, nil
}

// fittingBatch are the first of lines that have maxBatch bytes together, at least one.
func fittingBatch(lines []line) []line {
	size := 0
	for i := range lines {
		if size += len(lines[i].body); size > maxBatch && i > 0 {
			return lines[:i]
		}
	}
	return lines
}

// sendOrSplit sends a batch, half of it at a time where a collector takes less, or refuses
// one of the lines: the others don't wait for that one.
func (s *stream) sendOrSplit(ctx context.Context, batch []line) error {
	err := s.to.send(ctx, batch)
	if len(batch) > 1 && (errors.Is(err, errTooLarge) || errors.Is(err, errForGood)) {
		half := len(batch) / 2
		if err := s.sendOrSplit(ctx, batch[:half]); err != nil {
			return err
		}
		return s.sendOrSplit(ctx, batch[half:])
	}
	if errors.Is(err, errForGood) {
		s.noteRefused(batch[0].number)
	}
	if err != nil {
		return err
	}
	if err := s.confirm(ctx, batch[len(batch)-1].number); err != nil {
		return err // they are sent once more
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += int64(len(batch))
	return nil
}

// pauseAfter is how long a collector is left alone: as long as it asks for, or retry,
// give or take a quarter, so that many servers don't come back at once.
func pauseAfter(err error, retry time.Duration) time.Duration {
	var r *refusedError
	if errors.As(err, &r) && r.retryAfter > 0 {
		return min(r.retryAfter, maxRetryAfter)
	}
	return retry*3/4 + rand.N(retry/2)
}

// countLost takes up what retention deleted before it was sent.
func (s *stream) countLost(ctx context.Context) error {
	lost, err := s.lostLines(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	before, wasAsked := s.lost, s.isCounted
	s.lost, s.isCounted = lost, true
	s.mu.Unlock()
	if wasAsked && lost > before {
		s.logger.Error("lines were deleted before a collector had them", "event", "log_export", "log", s.log, "lines", lost-before)
	}
	return nil
}

// failed notes that nothing was taken, and logs it once an outage.
func (s *stream) failed(err error) {
	s.mu.Lock()
	isFirst := s.failingSince.IsZero()
	if isFirst {
		s.failingSince = time.Now()
	}
	s.mu.Unlock()
	if isFirst {
		s.logger.Warn("log lines can't be handed on; they wait in the record", "event", "log_export", "log", s.log, "err", err)
	}
}

func (s *stream) recovered() {
	s.mu.Lock()
	since := s.failingSince
	s.failingSince = time.Time{}
	s.mu.Unlock()
	if !since.IsZero() {
		s.logger.Info("log lines are handed on again", "event", "log_export", "log", s.log, "took", time.Since(since))
	}
}

func (s *stream) setOldest(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest = at
}

func (s *stream) isFailing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.failingSince.IsZero() && time.Since(s.failingSince) >= failingAfter
}

func (s *stream) figures() metrics.LogExport {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := metrics.LogExport{Log: s.log, Sent: s.sent, Aside: s.aside, Lost: s.lost}
	if !s.oldest.IsZero() {
		f.Lag = max(0, time.Since(s.oldest))
	}
	return f
}
