package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// sessionsCommand lists the calls of a running server.
type sessionsCommand struct {
	remoteFlags

	JSON bool `name:"json" help:"Print JSON, in the form of GET /api/v1/monitoring/sessions/active."`
}

// Run prints a line for each live session, the longest first.
func (c *sessionsCommand) Run(ctx context.Context, out io.Writer) error {
	server, err := c.client()
	if err != nil {
		return err
	}
	live, err := server.Active(ctx)
	if err != nil {
		return c.explain(err)
	}
	if c.JSON {
		return printJSON(out, rest.Page[rest.Session]{Items: live})
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SESSION\tUSER\tAGENT\tSTATE\tSTARTED\tLASTS\tQUALITY") // a tabwriter's errors come by Flush
	now := time.Now()
	for _, s := range live {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.User, s.Agent, s.State,
			s.StartedAt.Local().Format(time.DateTime), now.Sub(s.StartedAt).Round(time.Second), verdictText(s.Quality))
	}
	return table.Flush()
}

func verdictText(v quality.Verdict) string {
	if v.MOS == 0 {
		return string(v.Level)
	}
	return fmt.Sprintf("%s (MOS %.1f)", v.Level, v.MOS)
}

// endCommand ends calls of a running server.
type endCommand struct {
	remoteFlags

	ID     []string `arg:"" name:"id" help:"Sessions to end, as parley sessions lists them."`
	Reason string   `required:"" help:"Why: the caller sees it, and the audit log keeps it (300 characters at most)."`
}

// Run ends one session after the other: what it prints has ended, on record. It stops at
// the first that can't be ended.
func (c *endCommand) Run(ctx context.Context, out io.Writer) error {
	server, err := c.client()
	if err != nil {
		return err
	}
	for _, id := range c.ID {
		if err := server.EndSession(ctx, id, c.Reason); err != nil {
			return fmt.Errorf("session %s: %w", id, c.explain(err))
		}
		if _, err := fmt.Fprintln(out, "ended "+id); err != nil {
			return err
		}
	}
	return nil
}

// statsCommand tells what a running server counts.
type statsCommand struct {
	remoteFlags

	JSON bool `name:"json" help:"Print JSON, in the form of GET /api/v1/monitoring/sessions/stats, with totals as those of GET …/sessions/totals."`
}

// Run prints a line for each count.
func (c *statsCommand) Run(ctx context.Context, out io.Writer) error {
	server, err := c.client()
	if err != nil {
		return err
	}
	stats, err := server.Stats(ctx)
	if err != nil {
		return c.explain(err)
	}
	totals, err := server.Totals(ctx, rest.TotalsQuery{Days: 7})
	if err != nil {
		return c.explain(err)
	}
	if c.JSON {
		return printJSON(out, struct {
			rest.Stats

			Totals rest.Totals `json:"totals"`
		}{stats, totals})
	}
	return printStats(out, stats, totals)
}

func printStats(out io.Writer, s rest.Stats, totals rest.Totals) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range []struct{ name, value string }{
		{"live", fmt.Sprintf("%d of %d, %d a user at most", s.Live, s.Cap, s.PerUserCap)},
		{"states", counts(s.ByState)},
		{"quality", counts(s.Quality)},
		{"new calls", map[bool]string{true: "paused", false: "let in"}[s.Paused]},
		{"started", fmt.Sprintf("%d since the server started", s.Started)},
		{"ended", fmt.Sprintf("%d, %.1f %% by a fault", s.Ended, 100*s.ErrorRate)},
		{"causes", counts(s.EndCauses)},
		{"lasted", fmt.Sprintf("%.0f s on average, %.0f s to %.0f s", s.Durations.AvgS, s.Durations.MinS, s.Durations.MaxS)},
		{"refused", counts(s.Refused)},
	} {
		fmt.Fprintf(table, "%s\t%s\n", line.name, line.value) // a tabwriter's errors come by Flush
	}
	if totals.Calls > 0 {
		fmt.Fprintf(table, "of all time\t%d calls, %.0f minutes, since %s\n", totals.Calls, totals.Minutes, totals.Since)
	}
	for _, day := range totals.Days {
		fmt.Fprintf(table, "%s\t%d calls, %.0f minutes, %d users\n", day.Day, day.Calls, day.Minutes, day.Users)
	}
	return table.Flush()
}

// counts are in the order of their names, and without those that are 0.
func counts[K ~string, N int | int64](of map[K]N) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if of[name] != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", of[name], name))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
