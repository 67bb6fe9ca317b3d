package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"parley/server/store"
	"parley/shared/quality"
	"parley/shared/rest"
)

// inStore runs a part in a store of its own, and tells what it takes on the
// disk when it is closed.
func inStore(ctx context.Context, dir string, part func(s *store.Store, c *clock) error) (bytes int64, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	c := &clock{}
	s, err := store.Open(ctx, dir, store.Options{Node: "node-1", Now: c.now})
	if err != nil {
		return 0, err
	}
	if err := errors.Join(part(s, c), s.Close()); err != nil {
		return 0, err
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			bytes += info.Size()
		}
	}
	return bytes, err
}

// benchAudit commits lines one after the other, alone and while log rows go in.
func benchAudit(ctx context.Context, p storePlan, folder string, t *results) error {
	_, err := inStore(ctx, filepath.Join(folder, "audit"), func(s *store.Store, _ *clock) error {
		bare, err := os.Create(filepath.Join(folder, "bare"))
		if err != nil {
			return err
		}
		defer bare.Close()
		idle, idleDisk, err := measureAudits(ctx, s, bare, time.Duration(p.seconds)*time.Second/3)
		if err != nil {
			return err
		}
		loading, stop := context.WithCancel(ctx)
		loaded := make(chan error, 1)
		rows := 0
		go func() {
			var err error
			rows, err = load(loading, s, p.seed)
			loaded <- err
		}()
		began := time.Now()
		busy, busyDisk, err := measureAudits(ctx, s, bare, time.Duration(p.seconds)*time.Second)
		length := time.Since(began)
		stop()
		if err := errors.Join(err, <-loaded); err != nil {
			return err
		}
		rate := float64(rows) / length.Seconds()
		row := func(name string, t durations) line {
			return line{name, fmt.Sprint(len(t)), millis(t.at(0.5)), millis(t.at(0.99)), millis(t.at(1))}
		}
		return t.table(
			line{"audit commits, one at a time", "", "p50", "p99", "max", "aim (p99)", ""},
			row("alone", idle),
			row("  a bare write and fsync of 4 KiB in between", idleDisk),
			append(row(fmt.Sprintf("while %.0f log rows a second go in", rate), busy),
				fmt.Sprintf("≤ %.0f ms", aimAuditCommit.Seconds()*1000), verdict(busy.at(0.99) <= aimAuditCommit && rate >= 0.95*auditLoad)),
			row("  a bare write and fsync of 4 KiB in between", busyDisk),
		)
	})
	return err
}

// auditPause lets an admin act a hundred times a second.
const auditPause = 10 * time.Millisecond

// measureAudits commits lines, and between them measures what the disk and the machine
// make of the least that a commit could be.
func measureAudits(ctx context.Context, s *store.Store, bare *os.File, length time.Duration) (commits, disk durations, err error) {
	seal := func(prev string, e rest.AuditEntry) string { return fmt.Sprintf("%064x", e.Seq) }
	page := make([]byte, 4096)
	tick := time.NewTicker(auditPause)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < length; <-tick.C {
		e := rest.AuditEntry{
			Actor: "admin", Remote: "192.0.2.0", Action: rest.AuditView, Outcome: "done", RequestID: "r_1",
			Details: map[string]any{"resource": "logs", "filters": map[string]string{"user": "caller-0001"}, "rows": 100},
		}
		start := time.Now()
		if _, err := s.AppendAudit(ctx, e, seal, nil); err != nil {
			return nil, nil, err
		}
		commits = append(commits, time.Since(start))
		start = time.Now()
		if _, err := bare.Write(page); err != nil {
			return nil, nil, err
		}
		if err := bare.Sync(); err != nil {
			return nil, nil, err
		}
		disk = append(disk, time.Since(start))
	}
	return commits, disk, nil
}

// load adds auditLoad rows a second, a group at a time, until ctx is done.
func load(ctx context.Context, s *store.Store, seed uint64) (rows int, err error) {
	r := rand.New(rand.NewPCG(seed, 3))
	ready := make([]rest.LogEntry, 20*groupRows)
	for i := range ready {
		ready[i] = logLine(r, time.Now(), float64(i)/float64(len(ready)))
	}
	began := time.Now()
	for ctx.Err() == nil {
		due := int(time.Since(began).Seconds() * auditLoad)
		if due-rows < groupRows {
			time.Sleep(time.Millisecond)
			continue
		}
		at := rows % (len(ready) - groupRows + 1) / groupRows * groupRows
		for i := range ready[at : at+groupRows] {
			ready[at : at+groupRows][i].ID = 0 // these are new ones
		}
		if err := s.AppendLogs(context.WithoutCancel(ctx), ready[at:at+groupRows]); err != nil {
			return rows, err
		}
		rows += groupRows
	}
	return rows, nil
}

// line noise: what a good line's figures look like from second to second.
func noisyMinute(r *rand.Rand, session string, start time.Time) rest.QualityChunk {
	c := rest.QualityChunk{Session: session, Leg: "caller", Direction: quality.ToAgent, MeasuredBy: "server", Start: start, Received: 2990, Lost: 10}
	step := func(v *float64, by, low float64) *float64 {
		*v = max(low, *v+by*r.NormFloat64())
		return new(math.Round(*v*10) / 10)
	}
	rtt, jitter, buffer, delay, rate, rating := 80.0, 4.0, 60.0, 160.0, 320.0, 85.0
	for i := range store.ChunkSeconds {
		loss := 0.0
		if r.IntN(10) == 0 {
			loss = math.Round(r.Float64()*200) / 1e4
		}
		m := rest.Metrics{
			LossRatio: &loss, JitterMS: step(&jitter, 0.3, 0), RTTMS: step(&rtt, 2, 1), BufferMS: step(&buffer, 1, 20),
			DelayMS: step(&delay, 2, 20), ConcealedRatio: new(loss / 2), BitrateBPS: new(100 * math.Round(*step(&rate, 5, 60))), R: step(&rating, 0.5, 20),
		}
		m.MOS = new(quality.MOS(*m.R))
		c.Points = append(c.Points, rest.Point{At: start.Add(time.Duration(i) * time.Second), Metrics: m})
	}
	return c
}

// streamsPerCall: the caller's leg by both ends and the agent's by one, each in
// both directions.
const streamsPerCall = 6

// benchQuality keeps the seconds of many calls and reads an hour of one.
func benchQuality(ctx context.Context, p storePlan, folder string, t *results) error {
	dir := filepath.Join(folder, "quality")
	var used time.Duration
	var chart durations
	empty, err := inStore(ctx, dir, func(*store.Store, *clock) error { return nil })
	if err != nil {
		return err
	}
	full, err := inStore(ctx, dir, func(s *store.Store, _ *clock) (err error) {
		used, err = writeQuality(ctx, p, s)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := inStore(ctx, dir, func(s *store.Store, _ *clock) (err error) {
		chart, err = measureCharts(ctx, p, s)
		return err
	}); err != nil {
		return err
	}
	part := used.Seconds() / float64(p.seconds)
	bytes := float64(full-empty) / float64(p.seconds*chunksPerSecond*store.ChunkSeconds)
	return t.table(
		line{"quality by the second", "measured", "aim", ""},
		line{fmt.Sprintf("CPU for %d samples a second", samplesPerSecond), fmt.Sprintf("%.1f %% of a core", 100*part),
			fmt.Sprintf("≤ %.0f %%", 100*aimQualityCPU), verdict(part <= aimQualityCPU)},
		line{"bytes on the disk per sample", fmt.Sprintf("%.1f", bytes), fmt.Sprintf("≤ %.0f", aimSampleBytes), verdict(bytes <= aimSampleBytes)},
		line{fmt.Sprintf("KB per call hour, %d streams", streamsPerCall), fmt.Sprintf("%.0f", bytes*3600*streamsPerCall/1000), "", ""},
		line{"an hour of one stream, 3,600 points, p50", millis(chart.at(0.5)), "", ""},
		line{"an hour of one stream, 3,600 points, p99", millis(chart.at(0.99)), "≤ 10 ms", verdict(chart.at(0.99) <= aimPage)},
	)
}

// chunksPerSecond are the minutes that end each second.
const chunksPerSecond = (samplesPerSecond + store.ChunkSeconds - 1) / store.ChunkSeconds

// writeQuality keeps as many minutes as calls with samplesPerSecond amount to, a
// transaction a second. What the figures cost to make is not counted.
func writeQuality(ctx context.Context, p storePlan, s *store.Store) (used time.Duration, err error) {
	r := rand.New(rand.NewPCG(p.seed, 4))
	start := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	for second := range p.seconds {
		chunks := make([]rest.QualityChunk, chunksPerSecond)
		for i := range chunks {
			chunks[i] = noisyMinute(r, sessionOf(i), start.Add(time.Duration(second)*time.Minute))
		}
		m, err := startMeter()
		if err != nil {
			return 0, err
		}
		if err := s.AppendQuality(ctx, chunks); err != nil {
			return 0, err
		}
		_, u, err := m.stop()
		if err != nil {
			return 0, err
		}
		used += u
	}
	return used, nil
}

func measureCharts(ctx context.Context, p storePlan, s *store.Store) (times durations, err error) {
	r := rand.New(rand.NewPCG(p.seed, 5))
	start := time.Now().Add(-2 * time.Hour).Truncate(time.Second)
	for minute := range 60 {
		if err := s.AppendQuality(ctx, []rest.QualityChunk{noisyMinute(r, "the-hour", start.Add(time.Duration(minute)*time.Minute))}); err != nil {
			return nil, err
		}
	}
	for range p.queries {
		began := time.Now()
		streams, err := s.Streams(ctx, "the-hour", time.Time{}, time.Time{}, time.Second)
		if err != nil {
			return nil, err
		}
		times = append(times, time.Since(began))
		if len(streams) != 1 || len(streams[0].Series) != 3600 {
			return nil, fmt.Errorf("the hour came back as %d streams", len(streams))
		}
	}
	return times, nil
}
