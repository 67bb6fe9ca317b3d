package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// What the relay aims at, as parts of the reflector's figure or by itself.
const (
	aimCPU    = 0.35
	aimMemory = 256 << 10 // bytes a session
	aimSetUp  = 1.5
)

// warmCalls are set up and hung up before anything is measured.
const warmCalls = 16

// plan is what is run.
type plan struct {
	sizes        []int
	rounds       int
	warm, window time.Duration
}

// figures are those of one run.
type figures struct {
	perPacket  time.Duration // CPU
	rss, live  float64       // bytes a session
	setUpCPU   time.Duration // CPU of one
	setUpRate  float64       // a second, by the clock
	cameBack   float64       // part of the packets sent
	p50, p99   time.Duration // from a caller and back
	packetRate float64       // a second
}

// callFigures are those of each round, by kind and number of sessions.
type callFigures map[string]map[int][]figures

// rivals are the servers that are compared: the first with each other one.
func (o options) rivals() []string {
	all := []string{relayRole, reflectorRole, tunedRole}
	if o.janus {
		all = append(all, janusRole)
	}
	return all
}

func compare(ctx context.Context, o options, out io.Writer) error {
	all, err := measureAll(o, o.rivals(), func(role string, n int) (figures, error) {
		return measureEcho(ctx, o, role, n)
	})
	if err != nil {
		return err
	}
	return report(out, o, all)
}

// measureAll runs each kind in turn, so that what else the machine does meets all of them.
func measureAll(o options, kinds []string, measure func(role string, n int) (figures, error)) (callFigures, error) {
	all := callFigures{}
	for _, k := range kinds {
		all[k] = map[int][]figures{}
	}
	for _, n := range o.sizes {
		for round := range o.rounds {
			for _, k := range kinds {
				f, err := measure(k, n)
				if err != nil {
					return nil, fmt.Errorf("%s with %d sessions: %w", k, n, err)
				}
				all[k][n] = append(all[k][n], f)
				fmt.Fprintf(os.Stderr, "%d sessions, round %d, %s: %v a packet\n", n, round+1, k, f.perPacket)
			}
		}
	}
	return all, nil
}

// measureEcho is one run: a fresh server on one core, fresh callers on another.
func measureEcho(ctx context.Context, o options, role string, n int) (f figures, err error) {
	serverCore, callersCore, err := cores()
	if err != nil {
		return f, err
	}
	server, where, err := spawnServer(ctx, serverCore, "-role="+role, "-profiles="+o.profiles)
	if err != nil {
		return f, err
	}
	defer func() { err = cmp.Or(err, server.close()) }()
	o.anywhere = role == janusRole
	return measureCalls(ctx, o, server, where, callersCore, n)
}

// spawnServer starts a child that takes calls, and tells where.
func spawnServer(ctx context.Context, core int, args ...string) (server *child, where string, err error) {
	if server, err = spawn(ctx, core, args...); err != nil {
		return nil, "", err
	}
	if err = server.ask(serverQuestion{"where"}, &where); err != nil {
		return nil, "", cmp.Or(err, server.close())
	}
	return server, where, nil
}

// measureCalls has fresh callers call a server.
func measureCalls(ctx context.Context, o options, server *child, where string, callersCore, n int) (f figures, err error) {
	callers, err := spawn(ctx, callersCore, "-role=callers", "-server="+where, fmt.Sprintf("-anywhere=%t", o.anywhere))
	if err != nil {
		return f, err
	}
	defer func() { err = cmp.Or(err, callers.close()) }()
	r := &benchRun{server: server, callers: callers}
	return r.figures(o.plan, n)
}

// benchRun is a run under way. Its first error stays and ends it.
type benchRun struct {
	server, callers *child
	err             error
}

func (r *benchRun) askCallers(what string, n int, answer any) {
	if r.err == nil {
		r.err = r.callers.ask(callersQuestion{what, n}, answer)
	}
}

func (r *benchRun) measureServer(what string) (u Usage) {
	if r.err == nil {
		r.err = r.server.ask(serverQuestion{what}, &u)
	}
	return u
}

func (r *benchRun) figures(p plan, n int) (f figures, err error) {
	r.askCallers("prepare", warmCalls, nil)
	r.askCallers("call", 0, nil)
	r.askCallers("hangup", 0, nil)
	r.measureServer("hangup")
	empty := r.measureServer("memory")

	r.askCallers("prepare", n, nil)
	before := r.measureServer("usage")
	var took time.Duration
	r.askCallers("call", 0, &took)
	after := r.measureServer("usage")
	f.setUpCPU = (after.CPU - before.CPU) / time.Duration(n)
	f.setUpRate = float64(n) / took.Seconds()

	r.askCallers("talk", 0, nil)
	time.Sleep(p.warm)
	var sent, heard Talk
	r.askCallers("talked", 0, &sent)
	before = r.measureServer("usage")
	begin := time.Now()
	time.Sleep(p.window)
	after = r.measureServer("usage")
	seconds := time.Since(begin).Seconds()
	r.askCallers("talked", 0, &heard)
	if r.err != nil {
		return f, r.err
	}
	packets := after.Packets - before.Packets
	if after.Packets == uncounted {
		packets = heard.Heard - sent.Heard
	}
	if packets == 0 {
		return f, fmt.Errorf("no packet came through")
	}
	f.perPacket = (after.CPU - before.CPU) / time.Duration(packets)
	f.packetRate = float64(packets) / seconds
	f.p50, f.p99 = heard.P50, heard.P99
	f.cameBack = float64(heard.Heard-sent.Heard) / float64(heard.Sent-sent.Sent)

	full := r.measureServer("memory")
	f.rss = float64(full.RSS-empty.RSS) / float64(n)
	f.live = float64(full.Live-empty.Live) / float64(n)
	r.askCallers("hangup", 0, nil)
	return f, r.err
}

// median of one figure over the rounds.
func median[T cmp.Ordered](all []figures, of func(figures) T) T {
	values := make([]T, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func report(out io.Writer, o options, all callFigures) error {
	fmt.Fprintf(out, "\nParley's relay with its echo agent, beside a bare pion reflector (pion's defaults: read RTP, write RTP) and a tuned one (one socket, ICE-lite, no interceptors); and Janus with its echo test, where it is installed.\n"+
		"One core for the server, one for the callers; %d rounds of each in turn, medians; 50 packets a second a call, %d bytes of payload.\n\n",
		o.rounds, payloadSize)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "sessions\tfigure\trelay\t")
	kinds := o.rivals()[1:]
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\tratio\t", k)
	}
	fmt.Fprintln(w, "aim\t\t")
	for _, n := range o.sizes {
		var others [][]figures
		for _, k := range kinds {
			others = append(others, all[k][n])
		}
		row(w, n, all[relayRole][n], others)
	}
	return w.Flush()
}

// row writes the figures of so many sessions. Aims are of the ratio to the first of the
// others, the plain reflector.
func row(w io.Writer, n int, relay []figures, others [][]figures) {
	line := func(name, format string, of func(figures) float64, aim string, met func(relay, ratio float64) bool) {
		x := median(relay, of)
		fmt.Fprintf(w, "%d\t%s\t"+format+"\t", n, name, x)
		for _, o := range others {
			if y := median(o, of); y != 0 {
				fmt.Fprintf(w, format+"\t%.2f\t", y, x/y)
			} else {
				fmt.Fprint(w, "–\t\t")
			}
		}
		verdict := ""
		if met != nil {
			verdict = "not met"
			if met(x, x/median(others[0], of)) {
				verdict = "met"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t\n", aim, verdict)
	}
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	line("CPU per packet, µs", "%.1f", func(f figures) float64 { return us(f.perPacket) },
		fmt.Sprintf("ratio ≤ %.2f", aimCPU), func(_, ratio float64) bool { return ratio <= aimCPU })
	line("there and back, µs, p50", "%.0f", func(f figures) float64 { return us(f.p50) }, "", nil)
	line("there and back, µs, p99", "%.0f", func(f figures) float64 { return us(f.p99) }, "", nil)
	line("memory per session (RSS), KiB", "%.0f", func(f figures) float64 { return f.rss / 1024 },
		fmt.Sprintf("≤ %d KiB", aimMemory>>10), func(x, _ float64) bool { return x*1024 <= aimMemory })
	line("  of it heap and stacks, KiB", "%.0f", func(f figures) float64 { return f.live / 1024 }, "", nil)
	line("set-ups per second of server CPU", "%.0f", func(f figures) float64 { return 1 / f.setUpCPU.Seconds() },
		fmt.Sprintf("ratio ≥ %.1f", aimSetUp), func(_, ratio float64) bool { return ratio >= aimSetUp })
	line("set-ups per second by the clock", "%.0f", func(f figures) float64 { return f.setUpRate }, "", nil)
	line("packets per second through the server", "%.0f", func(f figures) float64 { return f.packetRate }, "", nil)
	line("came back, %", "%.2f", func(f figures) float64 { return 100 * f.cameBack }, "", nil)
}
