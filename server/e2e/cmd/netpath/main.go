// Command netpath joins two network namespaces by a path of known delay,
// jitter, loss and rate, and tells what the path really did, so that anyone
// can hold Parley's figures against a network they know.
//
//	netpath -delay 40ms -loss 0.03
//
// The namespaces are parley-a (10.77.0.1) and parley-b (10.77.0.2); run a
// program in one with `ip netns exec parley-b …`. Standard input takes, a line
// each:
//
//	set ab|ba|both delay=80ms jitter=5ms loss=0.05 rate=64000 burst=200ms/2s
//	cut | heal
//	truth    print what was done, as one line of JSON
//	reset    count from zero
//	quit
//
// It needs root, and removes the namespaces at its end.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parley/server/e2e/netpath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "netpath:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	flags := flag.NewFlagSet("netpath", flag.ContinueOnError)
	var c netpath.Conditions
	name := flags.String("name", "parley", "what the names of the namespaces begin with")
	flags.DurationVar(&c.Delay, "delay", 0, "one-way delay, both directions")
	flags.DurationVar(&c.Jitter, "jitter", 0, "standard deviation of the delay")
	flags.Float64Var(&c.Loss, "loss", 0, "share of packets lost, 0 to 1")
	flags.Float64Var(&c.Rate, "rate", 0, "bits per second, 0 for no limit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	path, err := netpath.Open(*name)
	if err != nil {
		return err
	}
	defer func() {
		if e := path.Close(); err == nil {
			err = e
		}
	}()
	path.Set(c)
	path.Start()
	fmt.Fprintf(out, "ready: %s is %s, %s is %s\n", path.A.Name, path.A.Addr, path.B.Name, path.B.Addr)
	desk := &desk{path: path, out: out, ab: c, ba: c}
	return desk.serve(ctx, in)
}

// A desk carries out commands.
type desk struct {
	path   *netpath.Path
	out    io.Writer
	ab, ba netpath.Conditions
}

// serve reads commands until quit or the end of ctx. The end of the input is
// not the end: the path stays until a signal.
func (d *desk) serve(ctx context.Context, in io.Reader) error {
	lines := make(chan string)
	go func() {
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			if words[0] == "quit" {
				return nil
			}
			if err := d.do(words); err != nil {
				fmt.Fprintln(d.out, "error:", err)
			}
		}
	}
}

func (d *desk) do(words []string) error {
	switch words[0] {
	case "cut":
		d.path.Cut()
	case "heal":
		d.path.Heal()
	case "reset":
		d.path.Reset()
	case "truth":
		ab, ba := d.path.Truth()
		return json.NewEncoder(d.out).Encode(map[string]netpath.Truth{"ab": ab, "ba": ba})
	case "set":
		return d.set(words[1:])
	default:
		return fmt.Errorf("unknown command %q", words[0])
	}
	return nil
}

func (d *desk) set(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("set ab|ba|both key=value…")
	}
	if words[0] != "ab" && words[0] != "ba" && words[0] != "both" {
		return fmt.Errorf("unknown direction %q", words[0])
	}
	ab, ba := d.ab, d.ba
	for _, word := range words[1:] {
		for _, c := range []*netpath.Conditions{&ab, &ba} {
			if err := assign(c, word); err != nil {
				return err
			}
		}
	}
	if words[0] != "ba" {
		d.ab = ab
		d.path.SetAB(ab)
	}
	if words[0] != "ab" {
		d.ba = ba
		d.path.SetBA(ba)
	}
	return nil
}

func assign(c *netpath.Conditions, word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "delay":
		c.Delay, err = time.ParseDuration(value)
	case "jitter":
		c.Jitter, err = time.ParseDuration(value)
	case "loss":
		c.Loss, err = strconv.ParseFloat(value, 64)
	case "rate":
		c.Rate, err = strconv.ParseFloat(value, 64)
	case "burst":
		c.Bursts, err = parseBursts(value)
	default:
		err = fmt.Errorf("unknown condition %q", key)
	}
	return err
}

// parseBursts reads a length and how often: 200ms/2s.
func parseBursts(text string) (b netpath.Bursts, err error) {
	length, each, _ := strings.Cut(text, "/")
	if b.Length, err = time.ParseDuration(length); err != nil {
		return b, err
	}
	b.Each, err = time.ParseDuration(each)
	return b, err
}
