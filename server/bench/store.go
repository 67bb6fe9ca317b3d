package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"parley/server/store"
)

// What the store aims at.
const (
	aimRowsWall    = 20_000 // log rows a second, durable, by the clock
	aimRowsCore    = 35_000 // by the CPU time used
	aimPage        = 10 * time.Millisecond
	aimThree       = 20 * time.Millisecond // user, path and status
	aimAuditCommit = 5 * time.Millisecond  // while log rows go in
	aimQualityCPU  = 0.05                  // of a core, for samplesPerSecond
	aimSampleBytes = 12.0
)

// What the store is loaded with.
const (
	groupRows        = 512    // log rows of one commit
	auditLoad        = 20_000 // log rows a second beside the audit
	samplesPerSecond = 10_000
)

// storePlan is what `bench store` does.
type storePlan struct {
	dir     string
	rows    int
	queries int
	seconds int
	seed    uint64
}

// benchStore measures the store: how fast it takes log rows, how long pages of
// a full log and of many sessions take, how long an audit commit takes while rows go in, what
// quality costs, and what all of it takes on the disk.
func benchStore(ctx context.Context, args []string, out io.Writer) (err error) {
	var p storePlan
	flags := flag.NewFlagSet("bench store", flag.ContinueOnError)
	flags.IntVar(&p.rows, "rows", 5_000_000, "log rows that pages are read from")
	flags.IntVar(&p.queries, "queries", 500, "pages read for each filter")
	flags.IntVar(&p.seconds, "seconds", 10, "length of each load")
	flags.Uint64Var(&p.seed, "seed", 1, "seed of what is written and asked")
	flags.StringVar(&p.dir, "dir", "", "folder to work in, on the disk to be measured; a temporary one if empty")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if p.rows < groupRows || p.queries < 1 || p.seconds < 1 {
		return fmt.Errorf("at least %d rows, a query and a second", groupRows)
	}
	folder, err := os.MkdirTemp(p.dir, "parley-bench-store-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	t := &results{out: out}
	fmt.Fprintf(out, "%s, %d log rows\n\n", store.Engine, p.rows)
	for _, part := range []func(context.Context, storePlan, string, *results) error{benchLogs, benchSessions, benchPostgres, benchAudit, benchQuality} {
		if err := part(ctx, p, folder, t); err != nil {
			return err
		}
	}
	return nil
}

// results prints tables of what was measured.
type results struct{ out io.Writer }

// line is one row of a table: what, the figures, and whether an aim holds.
type line []string

func (r *results) table(lines ...line) error {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		for i, cell := range l {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func verdict(holds bool) string {
	if holds {
		return "holds"
	}
	return "missed"
}

// spread of durations.
type durations []time.Duration

func (t durations) at(part float64) time.Duration {
	slices.Sort(t)
	return t[min(len(t)-1, int(float64(len(t))*part))]
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// meter measures time and the process's CPU.
type meter struct {
	began time.Time
	cpu   time.Duration
}

func startMeter() (meter, error) {
	c, err := cpu()
	return meter{time.Now(), c}, err
}

func (m meter) stop() (wall, used time.Duration, err error) {
	c, err := cpu()
	return time.Since(m.began), c - m.cpu, err
}

// clock is the store's: it runs as fast as rows are to be dated.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return cmp.Or(c.at, time.Now()) }
