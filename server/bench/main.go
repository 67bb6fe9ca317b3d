// Command bench measures what a call costs Parley's relay, beside the same call
// through bare pion reflectors, a plain and a tuned one, and, where it is
// installed, through Janus: CPU per packet, memory per session, and
// sessions set up per second, for 50 and for 200 echo calls. Server and callers
// are processes of their own on different cores; all traffic stays on loopback.
//
// With the argument legs it measures calls of both legs, from a caller through Parley to a
// double of a realtime voice service, beside the same calls through a bare forwarder.
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

// bound ends a run of calls that hangs: a full one takes about two minutes, of both legs
// about three.
const bound = 6 * time.Minute

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
	anywhere bool
	janus    bool
	profiles string
}

// The roles of a process.
const (
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
	sizes := flags.String("sessions", "50,200", "how many calls at once, one run after the other")
	flags.DurationVar(&o.warm, "warm", 2*time.Second, "traffic before each measured window")
	flags.DurationVar(&o.window, "window", 4*time.Second, "measured window")
	flags.IntVar(&o.rounds, "rounds", 3, "runs of each kind and size; the median counts")
	flags.StringVar(&o.profiles, "profiles", "", "folder for CPU and heap profiles of the servers")
	flags.StringVar(&o.role, "role", "", "what this process is; set by bench itself")
	flags.StringVar(&o.server, "server", "", "where the server listens; set by bench itself")
	flags.BoolVar(&o.janus, "janus", hasJanus(), "compare with Janus, too")
	flags.BoolVar(&o.anywhere, "anywhere", false, "callers are at the machine's own addresses, too; set by bench itself")
	flags.StringVar(&o.far, "far", "", "where the far end listens; set by bench itself")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1000 {
			return fmt.Errorf("sessions %q: want numbers from 1 to 1000", s)
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
