package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A bench starts its own program again as server and as callers; here that is
// the test's.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "-role=") {
		if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestASmallComparison(t *testing.T) {
	compareSmall(t, []string{"-janus=false", "-silent=3"}, "CPU per packet", "memory per call", "set-ups per second of server CPU", "came back", "3 calls in which nobody speaks")
}

func TestASmallComparisonOfBothLegs(t *testing.T) {
	compareSmall(t, []string{"legs"}, "CPU per packet forwarded", "delay there and back, ms, p50", "of it added, p99", "came back")
}

// compareSmall runs a comparison of three calls, and holds that it tells each figure.
func compareSmall(t *testing.T, command []string, figures ...string) {
	t.Helper()
	if _, _, err := cores(); err != nil {
		t.Skip(err)
	}
	var out bytes.Buffer
	args := append(command, "-sessions=3", "-rounds=1", "-warm=200ms", "-window=300ms", "-profiles="+t.TempDir())
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := run(ctx, args, nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, figure := range figures {
		if !strings.Contains(out.String(), figure) {
			t.Errorf("no %q in\n%s", figure, &out)
		}
	}
	if strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Errorf("a figure is none:\n%s", &out)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for name, args := range map[string][]string{
		"no number of sessions": {"-sessions=x"},
		"no sessions":           {"-sessions=0"},
		"too many sessions":     {"-sessions=100000"},
		"an unknown role":       {"-role=tenor"},
		"a far end nowhere":     {"-role=relay", "-far=nowhere"},
		"no program":            {"-role=parley", "-binary=nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(context.Background(), args, strings.NewReader(""), &bytes.Buffer{}); err == nil {
				t.Error("it runs")
			}
		})
	}
}

func TestMedian(t *testing.T) {
	all := []figures{{rss: 3}, {rss: 1}, {rss: 2}}
	if got := median(all, func(f figures) float64 { return f.rss }); got != 2 {
		t.Errorf("%v, want 2", got)
	}
}

func TestASmallStore(t *testing.T) {
	var out bytes.Buffer
	args := []string{"store", "-rows=2000", "-queries=3", "-seconds=1", "-dir=" + t.TempDir()}
	if err := run(t.Context(), args, nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, figure := range []string{"rows a second and core", "user, path and status 404", "MB on the disk", "list: of a caller", "PostgreSQL: at 100 sessions", "one of 30 min", "gives back, over NATS", "while", "bytes on the disk per sample"} {
		if !strings.Contains(out.String(), figure) {
			t.Errorf("no %q in\n%s", figure, &out)
		}
	}
}
