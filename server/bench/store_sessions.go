package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"parley/server/store"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// What the pages of sessions are read from.
const (
	rowsPerSession = 100 // log rows of the same time for each session
	detailMinutes  = 30  // of the call whose detail is read
	detailTurns    = 120
	detailStep     = 5 * time.Second // of its charts, as the page asks
	detailSession  = "the-detail"
)

// benchSessions reads what the pages of ended sessions and of one show, from SQLite.
func benchSessions(ctx context.Context, p storePlan, folder string, t *results) error {
	_, err := inStore(ctx, filepath.Join(folder, "sessions"), func(s *store.Store, c *clock) error {
		return benchSessionPages(ctx, "", p, s, c, t)
	})
	return err
}

// benchSessionPages fills the record with sessions, and reads lists of them and one in
// detail.
func benchSessionPages(ctx context.Context, engine string, p storePlan, s *store.Store, c *clock, t *results) error {
	sessions := max(rest.DefaultLimit, min(p.rows/rowsPerSession, sessionCount))
	if err := fillSessions(ctx, p, s, c, sessions); err != nil {
		return err
	}
	lines := []line{{fmt.Sprintf("%sat %d sessions", engine, sessions), "p50", "p99", "max", "aim (p99)", ""}}
	for _, of := range sessionCases(sessions) {
		r := rand.New(rand.NewPCG(p.seed, 7))
		var times durations
		for range p.queries {
			began := time.Now()
			if err := of.read(ctx, s, r); err != nil {
				return fmt.Errorf("%s: %w", of.name, err)
			}
			times = append(times, time.Since(began))
		}
		p99 := times.at(.99)
		lines = append(lines, line{of.name, millis(times.at(.5)), millis(p99), millis(times.at(1)), fmt.Sprintf("≤ %.0f ms", of.aim.Seconds()*1000), verdict(p99 <= of.aim)})
	}
	return t.table(lines...)
}

// aimDetail is of all that the page of one session asks for, one after the other.
const aimDetail = 50 * time.Millisecond

// sessionCase is something that a page reads.
type sessionCase struct {
	name string
	aim  time.Duration // of the p99
	read func(ctx context.Context, s *store.Store, r *rand.Rand) error
}

func sessionCases(sessions int) []sessionCase {
	list := func(ask func(r *rand.Rand) rest.SessionQuery) func(context.Context, *store.Store, *rand.Rand) error {
		return func(ctx context.Context, s *store.Store, r *rand.Rand) error {
			found, _, err := s.Sessions(ctx, ask(r))
			if err == nil && len(found) == 0 {
				err = fmt.Errorf("an empty page")
			}
			return err
		}
	}
	return []sessionCase{
		{"list: newest", aimPage, list(func(*rand.Rand) rest.SessionQuery { return rest.SessionQuery{Ended: true} })},
		{"list: of a caller", aimPage, list(func(r *rand.Rand) (q rest.SessionQuery) {
			_, q.UserKey = userOf(r.IntN(min(sessions, callerCount)))
			return q
		})},
		{"list: by cause", aimPage, list(func(*rand.Rand) rest.SessionQuery { return rest.SessionQuery{Cause: string(wire.MediaFailed)} })},
		{"one, without its figures", aimPage, func(ctx context.Context, s *store.Store, r *rand.Rand) error {
			_, err := s.Session(ctx, sessionOf(r.IntN(sessions)))
			return err
		}},
		{fmt.Sprintf("one of %d min, with %d streams and %d turns", detailMinutes, streamsPerCall, detailTurns), aimDetail, readDetail},
	}
}

// readDetail asks for what the page of a session does.
func readDetail(ctx context.Context, s *store.Store, _ *rand.Rand) error {
	if _, err := s.Session(ctx, detailSession); err != nil {
		return err
	}
	streams, err := s.Streams(ctx, detailSession, time.Time{}, time.Time{}, detailStep)
	if err != nil {
		return err
	}
	turns, _, err := s.Turns(ctx, detailSession)
	if err != nil {
		return err
	}
	if len(streams) != streamsPerCall || len(turns) != detailTurns {
		return fmt.Errorf("%d streams and %d turns", len(streams), len(turns))
	}
	_, err = s.ToolUses(ctx, detailSession)
	return err
}

// fillSessions keeps sessions over the span of the log, and one with all that there is of
// it.
func fillSessions(ctx context.Context, p storePlan, s *store.Store, c *clock, sessions int) error {
	r, end := rand.New(rand.NewPCG(p.seed, 6)), time.Now().Add(-time.Hour)
	step := logSpan / time.Duration(sessions)
	for i := range sessions {
		c.at = end.Add(-logSpan + step*time.Duration(i))
		of := recordOf(r, sessionOf(i), i%callerCount, c.at)
		if err := s.SessionEnded(ctx, of); err != nil {
			return err
		}
	}
	c.at = time.Time{}
	return fillDetail(ctx, r, s, end)
}

// recordOf is an ended session of some minutes; one in ten ended as its media failed.
func recordOf(r *rand.Rand, id string, caller int, at time.Time) rest.SessionRecord {
	over := at.Add(time.Duration(60+r.IntN(600)) * time.Second)
	of := rest.SessionRecord{
		ID: id, Agent: "parrot", Node: "node-1", Remote: "192.0.2.0", State: wire.StateEnded, StartedAt: at, EndedAt: &over, EndCause: wire.CallerLeft,
		DurationS: over.Sub(at).Seconds(),
	}
	if of.User, of.UserKey = userOf(caller); r.IntN(10) == 0 {
		of.EndCause = wire.MediaFailed
	}
	return of
}

func fillDetail(ctx context.Context, r *rand.Rand, s *store.Store, at time.Time) error {
	if err := s.SessionEnded(ctx, recordOf(r, detailSession, 0, at)); err != nil {
		return err
	}
	for minute := range detailMinutes {
		chunks := make([]rest.QualityChunk, 0, streamsPerCall)
		for i := range streamsPerCall {
			of := noisyMinute(r, detailSession, at.Add(time.Duration(minute)*time.Minute))
			of.Leg, of.MeasuredBy, of.Direction = rtcstats.LegCaller, rtcstats.ByServer, quality.ToAgent
			if i%2 == 1 {
				of.Direction = quality.ToCaller
			}
			switch i / 2 {
			case 1:
				of.MeasuredBy = rtcstats.ByClient
			case 2:
				of.Leg = rtcstats.LegAgent
			}
			chunks = append(chunks, of)
		}
		if err := s.AppendQuality(ctx, chunks); err != nil {
			return err
		}
	}
	turns := make([]rest.TurnRecord, detailTurns)
	for i := range turns {
		turns[i] = rest.TurnRecord{Session: detailSession, Turn: &rest.Turn{Number: i + 1, EndOfSpeech: at.Add(time.Duration(i) * 15 * time.Second), WaitMS: 800, SilenceWindowMS: 500, NetworkMS: 40, ModelMS: 260}}
	}
	return s.AppendTurns(ctx, turns)
}
