//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"parley/server/store"
	"parley/server/store/postgres"
	"parley/server/store/postgres/postgrestest"
	"parley/shared/rest"
)

// mostPostgresRows are enough to see what a row costs: a few partitions' indexes grow no
// dearer after.
const mostPostgresRows = 1_000_000

// benchPostgres has PostgreSQL admit callers of three nodes, and take the log rows that
// SQLite took, in the same groups, each synced; on its own defaults but for room for its
// write-ahead log.
func benchPostgres(ctx context.Context, p storePlan, _ string, t *results) (err error) {
	cluster, err := postgrestest.Start("fsync=on", "full_page_writes=on", "autovacuum=on", "shared_buffers=128MB", "max_wal_size=1GB")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	address, err := postgres.ParseAddress(cluster.Address("postgres"))
	if err != nil {
		return err
	}
	if err := benchAdmission(ctx, p, address, t); err != nil {
		return err
	}
	return benchPostgresLogs(ctx, p, cluster, address, t)
}

// benchPostgresLogs fills the log, and reads the pages of it that were read from SQLite.
func benchPostgresLogs(ctx context.Context, p storePlan, cluster *postgrestest.Cluster, address postgres.Address, t *results) (err error) {
	c := &clock{}
	s, err := store.OpenPostgres(ctx, address, store.Options{Node: "node-1", Now: c.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p.rows = min(p.rows, mostPostgresRows)
	wall, err := fillPostgres(ctx, s, c, p, p.rows)
	if err != nil {
		return err
	}
	err = t.table(
		line{"PostgreSQL: durable log rows, groups of " + fmt.Sprint(groupRows), "measured"},
		line{"rows a second by the clock", fmt.Sprintf("%.0f", float64(p.rows)/wall.Seconds())},
		line{"MB on the disk per million log rows", fmt.Sprintf("%.0f", float64(s.Size())/float64(p.rows))},
	)
	if err == nil {
		err = cluster.Do("postgres", "ANALYZE") // as it does by itself within a minute
	}
	if err != nil {
		return err
	}
	if err := benchPages(ctx, "PostgreSQL: ", p, s, c, t); err != nil {
		return err
	}
	return benchSessionPages(ctx, "PostgreSQL: ", p, s, c, t)
}

func fillPostgres(ctx context.Context, s *store.Store, c *clock, p storePlan, rows int) (wall time.Duration, err error) {
	r, end := rand.New(rand.NewPCG(p.seed, 1)), time.Now()
	step := logSpan / time.Duration(rows)
	for row := 0; row < rows; {
		group := make([]rest.LogEntry, 0, groupRows)
		for i := range min(groupRows, rows-row) {
			group = append(group, logLine(r, end.Add(-logSpan+step*time.Duration(row+i)), float64(row+i)/float64(rows)))
		}
		for i := range group {
			group[i].ID = 0 // these are new ones
		}
		row += len(group)
		c.at = group[len(group)-1].T
		began := time.Now()
		if err := s.AppendLogs(ctx, group); err != nil {
			return wall, err
		}
		wall += time.Since(began)
	}
	return wall, nil
}
