package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

func report(out io.Writer, o options, all callFigures) error {
	fmt.Fprintf(out, "\nParley as it is by default, with its echo agent: signaling, reports, pings, record and stream. Beside it bare pion\n"+
		"reflectors, a plain one (pion's defaults: read RTP, write RTP) and a tuned one (one socket, ICE-lite, no interceptors), which\n"+
		"answer pings, and do nothing else; and Janus with its echo test, where it is installed.\n"+
		"One core for the server, one for the callers; %d rounds of each in turn, medians; 50 packets a second a call, %d bytes of payload.\n"+
		"There and back is from a caller's send to the kernel's stamp of what came back. Memory is resident, with its garbage.\n\n",
		o.rounds, payloadSize)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "calls\tfigure\tparley\t")
	kinds := o.rivals()[1:]
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\tratio\t", k)
	}
	fmt.Fprintln(w, "aim\t\t")
	for _, n := range o.sizes {
		t := table{out: w, calls: n, own: all[parleyRole][n], rivals: map[string][]figures{}, order: kinds}
		for _, k := range kinds {
			t.rivals[k] = all[k][n]
		}
		t.rows()
	}
	return w.Flush()
}

// table is the figures of so many calls: Parley's, and those of its rivals.
type table struct {
	out    io.Writer
	calls  int
	own    []figures
	rivals map[string][]figures
	order  []string
}

// An aim bounds the ratio to a rival's figure.
type aim struct {
	rival     string
	ratio     float64
	isAtLeast bool
}

// text says what the aim is and whether it is met; "" where there is no such rival.
func (a aim) text(ratio float64) string {
	sign, isMet := "≤", ratio <= a.ratio
	if a.isAtLeast {
		sign, isMet = "≥", ratio >= a.ratio
	}
	verdict := "not met"
	if isMet {
		verdict = "met"
	}
	return fmt.Sprintf("÷ %s %s %.2f %s", a.rival, sign, a.ratio, verdict)
}

// row writes a figure of all.
func (t table) row(name, format string, of func(figures) float64, aims ...aim) {
	own := median(t.own, of)
	fmt.Fprintf(t.out, "%d\t%s\t"+format+"\t", t.calls, name, own)
	for _, k := range t.order {
		if other := median(t.rivals[k], of); other != 0 {
			fmt.Fprintf(t.out, format+"\t%.2f\t", other, own/other)
		} else {
			fmt.Fprint(t.out, "–\t\t")
		}
	}
	verdicts := ""
	for _, a := range aims {
		if rival := t.rivals[a.rival]; rival != nil {
			verdicts += a.text(own/median(rival, of)) + "  "
		}
	}
	fmt.Fprintf(t.out, "%s\t\t\n", verdicts)
}

func (t table) rows() {
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	t.row("CPU per packet, µs", "%.1f", func(f figures) float64 { return us(f.perPacket) },
		aim{rival: reflectorRole, ratio: aimCPU}, aim{rival: janusRole, ratio: aimCPUJanus})
	t.row("there and back, µs, p50", "%.0f", func(f figures) float64 { return us(f.p50) })
	t.row("there and back, µs, p99", "%.0f", func(f figures) float64 { return us(f.p99) })
	t.row("memory per call, KiB", "%.0f", func(f figures) float64 { return f.rss / 1024 }, aim{rival: janusRole, ratio: aimMemory})
	t.row("set-ups per second of server CPU", "%.0f", func(f figures) float64 { return 1 / f.setUpCPU.Seconds() },
		aim{rival: janusRole, ratio: aimSetUp, isAtLeast: true})
	t.row("CPU of a set-up, ms", "%.2f", func(f figures) float64 { return us(f.setUpCPU) / 1e3 })
	t.row("set-ups per second by the clock", "%.0f", func(f figures) float64 { return f.setUpRate })
	t.row("packets per second through the server", "%.0f", func(f figures) float64 { return f.packetRate })
	t.row("came back, %", "%.2f", func(f figures) float64 { return 100 * f.cameBack })
	t.row("of a core, %", "%.1f", func(f figures) float64 { return 100 * f.busy })
}
