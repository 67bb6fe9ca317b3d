package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// silentWindows are as many as calls are measured for in which nobody speaks, so that each
// has reports and checks in it.
const silentWindows = 3

// silence is what calls cost in which nobody speaks, without pings and with them.
type silence struct{ withoutPings, withPings figures }

// measureSilence measures calls of which no audio comes, and all else that callers send.
func measureSilence(ctx context.Context, o options) (s silence, err error) {
	if o.silent == 0 {
		return s, nil
	}
	o.isSilent, o.window = true, o.silentWindow()
	for _, one := range []struct {
		pings bool
		into  *figures
	}{{false, &s.withoutPings}, {true, &s.withPings}} {
		o.pings = one.pings
		if *one.into, err = measureEcho(ctx, o, parleyRole, o.silent); err != nil {
			return s, fmt.Errorf("%d silent calls: %w", o.silent, err)
		}
		fmt.Fprintf(os.Stderr, "%d silent calls, pings: %t: %.1f %% of a core\n", o.silent, one.pings, 100*one.into.busy)
	}
	return s, nil
}

func reportSilence(out io.Writer, o options, s silence) error {
	if o.silent == 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "\n%d calls in which nobody speaks, with reports and checks: %.1f %% of a core; with %d pings a second, too: %.1f %%.\n",
		o.silent, 100*s.withoutPings.busy, int64(float64(s.withPings.pongs)/o.silentWindow().Seconds()), 100*s.withPings.busy)
	return err
}

// silentWindow is the longer window of calls in which nobody speaks.
func (p plan) silentWindow() time.Duration { return silentWindows * p.window }
