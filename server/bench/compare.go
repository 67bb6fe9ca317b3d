package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// What the server aims at, as parts of the plain reflector's figures and of Janus's.
const (
	aimCPU      = 0.35
	aimCPUJanus = 0.30
	aimMemory   = 0.7
	aimSetUp    = 2.0
)

// warmCalls are set up and hung up before anything is measured.
const warmCalls = 16

// plan is what is run.
type plan struct {
	sizes        []int
	rounds       int
	warm, window time.Duration
	isSilent     bool // nobody speaks
}

// figures are those of one run.
type figures struct {
	perPacket  time.Duration // CPU
	rss        float64       // bytes a session
	busy       float64       // part of a core
	pongs      int64         // pings that came back
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
	all := []string{parleyRole, reflectorRole, tunedRole}
	if o.janus {
		all = append(all, janusRole)
	}
	return all
}

func compare(ctx context.Context, o options, out io.Writer) error {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	module, err := moduleFolder(ctx)
	if err != nil {
		return err
	}
	o.samples = filepath.Join(module, "shared/rtcstats/testdata/chromium-3.json")
	if o.binary, err = buildParley(ctx, o.binary, module, folder); err != nil {
		return err
	}
	all, err := measureAll(o, o.rivals(), func(role string, n int) (figures, error) {
		return measureEcho(ctx, o, role, n)
	})
	if err != nil {
		return err
	}
	silent, err := measureSilence(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(report(out, o, all), reportSilence(out, o, silent))
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
	server, where, err := spawnServer(ctx, serverCore, "-role="+role, "-profiles="+o.profiles, "-binary="+o.binary)
	if err != nil {
		return f, err
	}
	defer func() { err = cmp.Or(err, server.close()) }()
	o.dialed = role
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
	callers, err := spawn(ctx, callersCore, "-role=callers", "-server="+where, "-dialed="+o.dialed, "-samples="+o.samples, fmt.Sprintf("-pings=%t", o.pings))
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

func (r *benchRun) measureServer() (u Usage) {
	if r.err == nil {
		r.err = r.server.ask(serverQuestion{"usage"}, &u)
	}
	return u
}

// hangUp ends all calls.
func (r *benchRun) hangUp() {
	r.askCallers("hangup", 0, nil)
	if r.err == nil {
		r.err = r.server.ask(serverQuestion{"hangup"}, nil)
	}
}

func (r *benchRun) figures(p plan, n int) (f figures, err error) {
	empty := r.measureServer()
	r.askCallers("prepare", warmCalls, nil)
	r.askCallers("call", 0, nil)
	r.hangUp()

	r.askCallers("prepare", n, nil)
	before := r.measureServer()
	var took time.Duration
	r.askCallers("call", 0, &took)
	after := r.measureServer()
	f.setUpCPU = (after.CPU - before.CPU) / time.Duration(n)
	f.setUpRate = float64(n) / took.Seconds()

	if !p.isSilent {
		r.askCallers("talk", 0, nil)
		r.waitForAudio()
	}
	time.Sleep(p.warm)
	r.measureTalk(p, &f)
	f.rss = float64(r.measureServer().RSS-empty.RSS) / float64(n)
	r.hangUp()
	if r.err == nil && f.packetRate == 0 && !p.isSilent {
		r.err = errNoAudio
	}
	return f, r.err
}

var errNoAudio = errors.New("no packet came through")

// audioWithin is how long the first packet may take to come back: behind a server there may
// be another connection to be made.
const audioWithin = time.Minute

func (r *benchRun) waitForAudio() {
	each := time.NewTicker(50 * time.Millisecond)
	defer each.Stop()
	var before, now Talk
	r.askCallers("talked", 0, &before)
	for begin := time.Now(); r.err == nil && now.Heard <= before.Heard; <-each.C {
		if time.Since(begin) > audioWithin {
			r.err = errNoAudio
		}
		r.askCallers("talked", 0, &now)
	}
}

// measureTalk measures what is going on for the window.
func (r *benchRun) measureTalk(p plan, f *figures) {
	var sent, heard Talk
	r.askCallers("talked", 0, &sent)
	before := r.measureServer()
	begin := time.Now()
	time.Sleep(p.window)
	after := r.measureServer()
	took := time.Since(begin)
	r.askCallers("talked", 0, &heard)
	if r.err == nil && heard.Fault != "" {
		r.err = errors.New(heard.Fault)
	}
	f.busy = float64(after.CPU-before.CPU) / float64(took)
	f.pongs = heard.Pongs - sent.Pongs
	packets := after.Packets - before.Packets
	if after.Packets == uncounted {
		packets = heard.Heard - sent.Heard
	}
	if r.err != nil || packets == 0 {
		return
	}
	f.perPacket = (after.CPU - before.CPU) / time.Duration(packets)
	f.packetRate = float64(packets) / took.Seconds()
	f.p50, f.p99 = heard.P50, heard.P99
	f.cameBack = float64(heard.Heard-sent.Heard) / float64(heard.Sent-sent.Sent)
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
