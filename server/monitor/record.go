package monitor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// Recorder keeps what would be lost with memory. It is asked again for what it
// gives an error for; it is asked by one goroutine, which delays nobody.
type Recorder interface {
	// AppendQuality keeps minutes, all or none.
	AppendQuality(ctx context.Context, chunks []rest.QualityChunk) error
	AppendActivities(ctx context.Context, activities []rest.Activity) error
	AppendTurns(ctx context.Context, turns []rest.TurnRecord) error
}

// Limits of what waits for a Recorder that is away.
const (
	// maxWaitingMinutes is half an hour of 100 calls: 10 MB.
	maxWaitingMinutes = 20_000
	// maxWaitingTurns is half an hour of 100 lively calls.
	maxWaitingTurns = 50_000
	// recordBatch bounds what is unpacked at once.
	recordBatch = 256
	// recordTimeout is when one attempt is given up.
	recordTimeout = 5 * time.Second
)

// packedMinute is a packed minute on its way to the Recorder.
type packedMinute struct {
	session   string
	leg       rtcstats.Leg
	by        rtcstats.MeasuredBy
	direction quality.Direction
	start     time.Time // of the session
	packed    string
	bytes     int64 // of audio
}

func (m *packedMinute) chunk() rest.QualityChunk {
	from := minuteOf(m.packed) * blockSeconds
	c := rest.QualityChunk{
		Session: m.session, Leg: m.leg, Direction: m.direction, MeasuredBy: m.by,
		Start: m.start.Add(time.Duration(from) * time.Second).UTC(),
	}
	var over totals
	block := unpack(m.packed)
	for i := range block {
		p := &block[i]
		if !p.isMeasured() {
			continue
		}
		metrics := roundMetrics(p.metrics())
		over.addFlow(p.flow())
		over.addMetrics(metrics)
		c.Points = append(c.Points, rest.Point{At: c.Start.Add(time.Duration(i) * time.Second), Metrics: metrics})
	}
	c.Bytes = m.bytes
	c.Received, c.Lost, c.Summary = over.packetsReceived(), over.packetsLost(), over.summary()
	return c
}

// takeMinutes gives the session's minutes that were filled since the last time; with
// all, those that are open, too.
func (s *session) takeMinutes(all bool) (out []packedMinute) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeMinutesLocked(all)
}

// mu must be held.
func (s *session) takeMinutesLocked(all bool) (out []packedMinute) {
	for _, m := range s.measurers {
		if m == nil {
			continue
		}
		for _, st := range []*directionStats{m.in, m.out} {
			for _, packed := range st.history.takePacked(all) {
				out = append(out, packedMinute{s.info.ID, m.leg, m.by, st.direction, m.start, packed.packed, packed.bytes})
			}
		}
	}
	return out
}

// addTimeAtLevelLocked adds the time since the last tick to the level that the line stood at.
// mu must be held.
func (s *session) addTimeAtLevelLocked(now time.Time) {
	if !s.ratedAt.IsZero() && s.verdict.Level.Bars() > 0 {
		s.timeAtLevel[s.verdict.Level] += max(0, now.Sub(s.ratedAt))
	}
	s.ratedAt = now
}

// takeLastMinutes gives the minutes that were left when the session ended, and the time.
func (s *session) takeLastMinutes() ([]packedMinute, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addTimeAtLevelLocked(s.endSeenAt)
	return s.takeMinutesLocked(true), *s.info.EndedAt
}

// recordQualityLocked is what the whole session was like so far. The figures are
// those of both directions of the caller's leg, each by the end where the audio
// arrived, if that end ever said something. mu must be held.
func (s *session) recordQualityLocked() rest.RecordQuality {
	q := rest.RecordQuality{Level: quality.None, Seconds: make(map[quality.Level]int)}
	var longest time.Duration
	for _, l := range []quality.Level{quality.Poor, quality.Fair, quality.Good, quality.Excellent} {
		lasted := s.timeAtLevel[l]
		if lasted > longest { // of two that stood as long, the worse counts
			q.Level, longest = l, lasted
		}
		if n := int(lasted.Round(time.Second) / time.Second); n > 0 {
			q.Seconds[l] = n
		}
	}
	var over totals
	for _, st := range []*directionStats{
		firstMeasured(s.measurers[1].direction(quality.ToAgent), s.measurers[0].direction(quality.ToAgent)),
		firstMeasured(s.measurers[0].direction(quality.ToCaller), s.measurers[1].direction(quality.ToCaller)),
	} {
		if st != nil {
			over.merge(&st.total)
		}
	}
	q.Summary = over.summary()
	q.BytesReceived, q.BytesSent = s.bytesLocked()
	q.ICERestarts = s.info.ICERestarts
	q.Turns, q.PoorSeconds = s.turns.summary(), s.poorSecondsLocked()
	return q
}

// bytesLocked is what came from the caller and went to them, by the server's word. mu
// must be held.
func (s *session) bytesLocked() (received, sent int64) {
	m := s.measurers[1]
	if m == nil {
		return 0, 0
	}
	return m.in.bytes.total, m.out.bytes.total
}

// firstMeasured is the first stream that ever had figures.
func firstMeasured(streams ...*directionStats) *directionStats {
	for _, st := range streams {
		if st != nil && !st.ratedAt.IsZero() {
			return st
		}
	}
	return nil
}

// Quality gives what a session in the picture was like, until now or its end.
func (m *Monitor) Quality(id string) (rest.RecordQuality, bool) {
	m.mu.Lock()
	s := m.sessions[id]
	m.mu.Unlock()
	if s == nil {
		return rest.RecordQuality{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.endSeenAt.IsZero() {
		s.addTimeAtLevelLocked(time.Now())
	}
	return s.recordQualityLocked(), true
}

// writeQueue is where things wait for the Recorder.
type writeQueue struct {
	recorder Recorder // nil: nothing waits
	log      *slog.Logger

	mu         sync.Mutex
	minutes    []packedMinute
	activities []rest.Activity
	turns      []rest.TurnRecord
	lost       int64
	failing    bool
}

// Unrecorded is how many minutes of quality were lost because the Recorder was
// away for too long.
func (m *Monitor) Unrecorded() int64 {
	m.queue.mu.Lock()
	defer m.queue.mu.Unlock()
	return m.queue.lost
}

func (s *writeQueue) addMinutes(minutes []packedMinute) {
	if s.recorder == nil || len(minutes) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minutes = append(s.minutes, minutes...)
	s.dropOldestLocked()
}

func (s *writeQueue) addActivities(activities []rest.Activity) {
	if s.recorder == nil || len(activities) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activities = append(s.activities, activities...)
	s.dropOldestLocked()
}

func (s *writeQueue) addTurns(turns []rest.TurnRecord) {
	if s.recorder == nil || len(turns) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns = append(s.turns, turns...)
	s.dropOldestLocked()
}

// dropOldestLocked lets the oldest go where too much waits. mu must be held.
func (s *writeQueue) dropOldestLocked() {
	if extra := len(s.minutes) - maxWaitingMinutes; extra > 0 {
		s.minutes = append([]packedMinute(nil), s.minutes[extra:]...)
		s.lost += int64(extra)
	}
	if extra := len(s.activities) - MaxActivities; extra > 0 {
		s.activities = append([]rest.Activity(nil), s.activities[extra:]...)
	}
	if extra := len(s.turns) - maxWaitingTurns; extra > 0 {
		s.turns = append([]rest.TurnRecord(nil), s.turns[extra:]...)
	}
}

// run hands over once a second, until ctx is done.
func (s *writeQueue) run(ctx context.Context) {
	if s.recorder == nil {
		return
	}
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.flush(ctx)
		}
	}
}

// close hands over what is left.
func (s *writeQueue) close(ctx context.Context, left []packedMinute) {
	s.addMinutes(left)
	if s.recorder != nil {
		s.flush(context.WithoutCancel(ctx))
	}
}

// flush hands everything over that waits. What the Recorder doesn't take goes
// on waiting.
func (s *writeQueue) flush(ctx context.Context) {
	err := s.writeAll(ctx)
	if errors.Is(err, context.Canceled) {
		return
	}
	s.mu.Lock()
	was := s.failing
	s.failing = err != nil
	s.mu.Unlock()
	switch {
	case err != nil && !was:
		s.log.Error("the record can't be kept; it waits in memory", "event", "record", "err", err)
	case err == nil && was:
		s.log.Info("the record is kept again", "event", "record")
	}
}

func (s *writeQueue) writeAll(ctx context.Context) error {
	for _, hand := range []func(context.Context) (bool, error){s.writeMinutes, s.writeActivities, s.writeTurns} {
		for more := true; more; {
			try, cancel := context.WithTimeout(ctx, recordTimeout)
			var err error
			more, err = hand(try)
			cancel()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// writeMinutes hands one batch over. Only this goroutine takes from the front.
func (s *writeQueue) writeMinutes(ctx context.Context) (more bool, err error) {
	s.mu.Lock()
	batch := s.minutes[:min(len(s.minutes), recordBatch)]
	s.minutes = s.minutes[len(batch):]
	s.mu.Unlock()
	if len(batch) == 0 {
		return false, nil
	}
	chunks := make([]rest.QualityChunk, len(batch))
	for i := range batch {
		chunks[i] = batch[i].chunk()
	}
	if err := s.recorder.AppendQuality(ctx, chunks); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.minutes = append(append([]packedMinute(nil), batch...), s.minutes...)
		s.dropOldestLocked()
		return false, err
	}
	return true, nil
}

func (s *writeQueue) writeActivities(ctx context.Context) (more bool, err error) {
	s.mu.Lock()
	batch := s.activities
	s.activities = nil
	s.mu.Unlock()
	if len(batch) == 0 {
		return false, nil
	}
	if err := s.recorder.AppendActivities(ctx, batch); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.activities = append(batch, s.activities...)
		s.dropOldestLocked()
		return false, err
	}
	return false, nil
}

func (s *writeQueue) writeTurns(ctx context.Context) (more bool, err error) {
	s.mu.Lock()
	batch := s.turns
	s.turns = nil
	s.mu.Unlock()
	if len(batch) == 0 {
		return false, nil
	}
	if err := s.recorder.AppendTurns(ctx, batch); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.turns = append(batch, s.turns...)
		s.dropOldestLocked()
		return false, err
	}
	return false, nil
}
