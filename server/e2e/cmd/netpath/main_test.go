package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"parley/server/e2e/netpath"
)

func TestAConditionIsAssigned(t *testing.T) {
	for word, want := range map[string]netpath.Conditions{
		"delay=80ms":     {Delay: 80 * time.Millisecond},
		"jitter=5ms":     {Jitter: 5 * time.Millisecond},
		"loss=0.05":      {Loss: 0.05},
		"rate=64000":     {Rate: 64000},
		"burst=200ms/2s": {Bursts: netpath.Bursts{Length: 200 * time.Millisecond, Each: 2 * time.Second}},
	} {
		t.Run(word, func(t *testing.T) {
			var got netpath.Conditions
			if err := assign(&got, word); err != nil || got != want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	for _, word := range []string{"", "delay", "delay=fast", "loss=much", "colour=red", "burst=200ms", "burst=2s/often"} {
		if err := assign(new(netpath.Conditions), word); err == nil {
			t.Errorf("%q was taken", word)
		}
	}
}

func TestCommandsAreCarriedOut(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader("set ab delay=1ms\nset sideways delay=1ms\ncut\nheal\nreset\ntruth\nquit\n")
	err := run(t.Context(), []string{"-name", fmt.Sprintf("parley-%d-cmd", os.Getpid())}, in, &out)
	if errors.Is(err, netpath.ErrNotAllowed) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "ready: ") || !strings.Contains(lines[1], "sideways") {
		t.Fatalf("printed %q", lines)
	}
	var truth map[string]netpath.Truth
	if err := json.Unmarshal([]byte(lines[2]), &truth); err != nil || len(truth) != 2 {
		t.Errorf("truth %q: %v", lines[2], err)
	}
}
