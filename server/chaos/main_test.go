//go:build linux

package chaos_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The environment by which a copy of this binary is told what to be.
const (
	asked    = "PARLEY_CHAOS"        // the tests run at all
	inside   = "PARLEY_CHAOS_INSIDE" // name of the namespace that this copy is in
	natsPort = "PARLEY_CHAOS_NATS"   // this copy is the message bus, at this address
)

// TestMain runs the tests in a network namespace of their own, so that no packet and no
// address of theirs is the machine's.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(natsPort) != "":
		os.Exit(serveBus(os.Getenv(natsPort)))
	case os.Getenv(inside) != "":
		os.Exit(m.Run())
	case os.Getenv(asked) == "":
		fmt.Println("these tests take minutes: make chaos")
		os.Exit(0)
	}
	os.Exit(runInside(fmt.Sprintf("parley-chaos-%d", os.Getpid())))
}

// runInside runs a copy of this binary in a new namespace, and takes away what is left of it.
func runInside(name string) int {
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		fmt.Printf("a network namespace is needed, and root makes it: %v: %s", err, out)
		return 1
	}
	defer func() { _ = exec.Command("ip", "netns", "del", name).Run() }()
	cmd := exec.Command("ip", append([]string{"netns", "exec", name, os.Args[0]}, os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), inside+"="+name)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		return failed.ExitCode()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
