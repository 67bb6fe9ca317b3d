package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// child is this program again in another role. It is asked in JSON on its
// standard input and answers on its standard output; it ends with its input.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	enc *json.Encoder
}

// spawn starts a child on one core. A process inherits the cores of the thread
// that forks it.
func spawn(ctx context.Context, core int, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(cmd, core); err != nil {
		return nil, err
	}
	return &child{cmd: cmd, in: in, out: json.NewDecoder(bufio.NewReader(out)), enc: json.NewEncoder(in)}, nil
}

func startOn(cmd *exec.Cmd, core int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var was, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		return fmt.Errorf("read own cores: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("take core %d: %w", core, err)
	}
	defer unix.SchedSetaffinity(0, &was)
	return cmd.Start()
}

// ask sends a question and reads the answer.
func (c *child) ask(question, answer any) error {
	if err := c.enc.Encode(question); err != nil {
		return fmt.Errorf("ask %v: %w", c.cmd.Args[1:], err)
	}
	var reply struct {
		Error string
		Value json.RawMessage
	}
	if err := c.out.Decode(&reply); err != nil {
		return fmt.Errorf("answer of %v: %w", c.cmd.Args[1:], err)
	}
	if reply.Error != "" {
		return errors.New(reply.Error)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(reply.Value, answer)
}

func (c *child) close() error {
	c.in.Close()
	return c.cmd.Wait()
}

// answerQuestions answers questions until the input ends.
func answerQuestions[Q any](in io.Reader, out io.Writer, answer func(Q) (any, error)) error {
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q Q
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var reply struct {
			Error string `json:",omitempty"`
			Value any
		}
		value, err := answer(q)
		if reply.Value = value; err != nil {
			reply.Error = err.Error()
		}
		if err := answers.Encode(reply); err != nil {
			return err
		}
	}
}

// cores picks two cores that this process may use, the last ones: the first
// often has the machine's interrupts.
func cores() (server, callers int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, fmt.Errorf("read own cores: %w", err)
	}
	var may []int
	for i := range 1024 {
		if set.IsSet(i) {
			may = append(may, i)
		}
	}
	if len(may) < 2 {
		return 0, 0, errors.New("two cores are needed: one for the server, one for the callers")
	}
	return may[len(may)-1], may[len(may)-2], nil
}
