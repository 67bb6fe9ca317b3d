// Command parley is the gateway: it holds realtime voice calls between a
// caller's browser and an agent. This package is the wiring: flags, commands,
// signals, and the parts put together, each after those that it needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"parley/server/privacy"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who asks a second time is not made to wait
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, privacy.ConfineWrites)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "parley: "+err.Error())
	}
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

// A usageError is a command line or configuration that can't be served.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
