package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// directRole is no server at all: the callers call the far end themselves. What they
// wait then is their own time and the far end's.
const directRole = "direct"

// compareLegs measures calls of both legs: each packet of a caller crosses the server
// twice, to the agent and back.
func compareLegs(ctx context.Context, o options, out io.Writer) error {
	all, err := measureAll(o, []string{relayRole, forwarderRole, directRole}, func(role string, n int) (figures, error) {
		return measureLegs(ctx, o, role, n)
	})
	if err != nil {
		return err
	}
	return reportLegs(out, o.plan, all)
}

// measureLegs is one run: a fresh server on one core; on another the far end and callers.
func measureLegs(ctx context.Context, o options, role string, n int) (f figures, err error) {
	serverCore, callersCore, err := cores()
	if err != nil {
		return f, err
	}
	far, farWhere, err := spawnServer(ctx, callersCore, "-role="+farRole)
	if err != nil {
		return f, err
	}
	defer func() { err = cmp.Or(err, far.close()) }()
	if role == directRole {
		return measureCalls(ctx, o, far, farWhere, callersCore, n)
	}
	server, where, err := spawnServer(ctx, serverCore, "-role="+role, "-far="+farWhere, "-profiles="+o.profiles)
	if err != nil {
		return f, err
	}
	defer func() { err = cmp.Or(err, server.close()) }()
	return measureCalls(ctx, o, server, where, callersCore, n)
}

func reportLegs(out io.Writer, p plan, all callFigures) error {
	fmt.Fprintf(out, "\nBoth legs: callers, Parley's relay, a double of a realtime voice service that sends back what it hears; beside a\n"+
		"bare forwarder (two pion connections a call without interceptors: read RTP, write RTP), and callers who call the double directly.\n"+
		"One core for the server, one for callers and double; %d rounds of each in turn, medians; 50 packets a second a call and direction.\n"+
		"Delays are from a caller to the double and back; added is what is left without those of the direct calls.\n\n", p.rounds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "sessions\tfigure\trelay\tforwarder\tratio\tdirect\t")
	for _, n := range p.sizes {
		legsRows(w, n, all[relayRole][n], all[forwarderRole][n], all[directRole][n])
	}
	return w.Flush()
}

func legsRows(w io.Writer, n int, relay, forwarder, direct []figures) {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	row := func(name, format string, of func(figures) float64, beside string) {
		x, y := median(relay, of), median(forwarder, of)
		fmt.Fprintf(w, "%d\t%s\t"+format+"\t"+format+"\t%.2f\t%s\t\n", n, name, x, y, x/y, beside)
	}
	delay := func(name string, of func(figures) float64) {
		base := median(direct, of)
		row("delay there and back, ms, "+name, "%.2f", of, fmt.Sprintf("%.2f", base))
		fmt.Fprintf(w, "%d\t  of it added, %s\t%.2f\t%.2f\t\t\t\n", n, name, median(relay, of)-base, median(forwarder, of)-base)
	}
	percent := func(f figures) float64 { return 100 * f.cameBack }
	row("CPU per packet forwarded, µs", "%.1f", func(f figures) float64 { return float64(f.perPacket) / float64(time.Microsecond) }, "")
	delay("p50", func(f figures) float64 { return ms(f.p50) })
	delay("p99", func(f figures) float64 { return ms(f.p99) })
	row("packets forwarded a second", "%.0f", func(f figures) float64 { return f.packetRate }, "")
	row("came back, %", "%.2f", percent, fmt.Sprintf("%.2f", median(direct, percent)))
}
