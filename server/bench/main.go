// Command bench measures what calls cost Parley as it is by default: the whole program in
// a process of its own, called as clients call it, by a WebSocket with reports each five
// seconds and pings on a data channel; beside the same calls to bare pion reflectors, a
// plain and a tuned one, and, where it is installed, to Janus. It tells CPU per packet, the
// time there and back, memory per call, and set-ups a second, for 50, 200 and 1,000 echo
// calls, and what 1,200 calls cost in which nobody speaks. Server and callers are on cores
// of their own; all traffic stays on loopback.
//
// With the argument legs it measures calls of both legs, from a caller through Parley's relay
// to a double of a realtime voice service, beside the same calls through a bare forwarder.
//
// With the argument store it measures the store instead: log rows, pages, audit
// commits, quality, and what they take on the disk.
//
// It prints what it measured and which aims hold; it never fails for a figure.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// bound ends a run of calls that hangs: a full one takes about ten minutes, of both legs
// about three.
const bound = 25 * time.Minute

// maxCalls is more than one core carries.
const maxCalls = 2000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	plan
	role     string
	server   string
	far      string
	janus    bool
	profiles string
	silent   int    // calls in which nobody speaks; 0: none
	binary   string // of Parley
	samples  string // a file of what a browser's getStats say
	dialed   string // the role of the server that is called
	pings    bool
}

// The roles of a process.
const (
	parleyRole    = "parley"
	relayRole     = "relay"
	reflectorRole = "reflector"
	tunedRole     = "tuned"
	janusRole     = "janus"
	forwarderRole = "forwarder"
	farRole       = "far"
	callersRole   = "callers"
)

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 && args[0] == "store" {
		return benchStore(ctx, args[1:], out)
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	compare := compare
	if len(args) > 0 && args[0] == "legs" {
		compare, args = compareLegs, args[1:]
	}
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("sessions", "50,200,1000", "how many calls at once, one run after the other")
	flags.DurationVar(&o.warm, "warm", 2*time.Second, "traffic before each measured window")
	flags.DurationVar(&o.window, "window", 4*time.Second, "measured window")
	flags.IntVar(&o.rounds, "rounds", 3, "runs of each kind and size; the median counts")
	flags.StringVar(&o.profiles, "profiles", "", "folder for CPU and heap profiles of the servers")
	flags.StringVar(&o.role, "role", "", "what this process is; set by bench itself")
	flags.StringVar(&o.server, "server", "", "where the server listens; set by bench itself")
	flags.BoolVar(&o.janus, "janus", hasJanus(), "compare with Janus, too")
	flags.IntVar(&o.silent, "silent", 1200, "calls in which nobody speaks; 0: none")
	flags.StringVar(&o.binary, "binary", "", "Parley's program; empty: it is built")
	flags.StringVar(&o.samples, "samples", "", "a file of a browser's getStats; set by bench itself")
	flags.StringVar(&o.dialed, "dialed", "", "the role of the server; set by bench itself")
	flags.BoolVar(&o.pings, "pings", true, "callers ping by the data channel")
	flags.StringVar(&o.far, "far", "", "where the far end listens; set by bench itself")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxCalls {
			return fmt.Errorf("sessions %q: want numbers from 1 to %d", s, maxCalls)
		}
		o.sizes = append(o.sizes, n)
	}
	switch o.role {
	case "":
		return compare(ctx, o, out)
	case callersRole:
		return callers(ctx, o, in, out)
	}
	return serve(ctx, o, in, out)
}
