package main

import (
	"context"
	"io"
)

// logWriter is where log lines go, apart from what a command prints.
type logWriter struct{ io.Writer }

// run is the program: it reads args and the environment, does what they ask,
// and returns when that is done or ctx is over. Tests call it as main does.
func run(ctx context.Context, args []string, out, logs io.Writer) error {
	parsed, ok, err := parse(args, out)
	if err != nil || !ok {
		return err
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(out, (*io.Writer)(nil))
	return parsed.Run(logWriter{logs})
}
