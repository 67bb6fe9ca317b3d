package main

import (
	"context"
	"io"
)

// logWriter is where log lines go, apart from what a command prints.
type logWriter struct{ io.Writer }

// confiner takes the right to write elsewhere from the process, for good, and
// says what is in force. nil leaves the process as it is.
type confiner func(dirs ...string) (string, error)

// run is the program: it reads args and the environment, does what they ask,
// and returns when that is done or ctx is over. Tests call it as main does, but
// for confine, which no process can undo.
func run(ctx context.Context, args []string, out, logs io.Writer, confine confiner) error {
	parsed, ok, err := parse(args, out)
	if err != nil || !ok {
		return sayWhere(err, args)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(out, (*io.Writer)(nil))
	return sayWhere(parsed.Run(logWriter{logs}, confine), args)
}
