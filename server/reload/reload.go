// Package reload keeps what was read from files up to date while the server runs:
// it reads them again in a steady rhythm and when it is asked. It knows what a
// certificate is; every other file it leaves to who gave it. A file that can't be
// used changes nothing.
package reload

import (
	"context"
	"log/slog"
	"os"
	"time"
)

// Interval is how often files that may have changed are to be read again: what was
// renewed holds within a minute, without anyone's word.
const Interval = 30 * time.Second

// File is one that may change.
type File struct {
	// Name is what the log calls it.
	Name string
	// Reload takes up the file as it is now and reports whether it has changed.
	// After an error what was in use before stays in use.
	Reload func() (changed bool, err error)
}

// Reloader reads files again.
type Reloader struct {
	files     []File
	interval  time.Duration
	onRequest func(context.Context) (onRead func())
	log       *slog.Logger
	faults    map[string]string // the newest of each file, to be logged once
}

// New returns a Reloader of files that reads them each interval. onRequest is called when somebody asks, for
// what has a rhythm of its own; what it returns is called once the files were read.
func New(files []File, interval time.Duration, onRequest func(context.Context) (onRead func()), log *slog.Logger) *Reloader {
	return &Reloader{files: files, interval: interval, onRequest: onRequest, log: log, faults: make(map[string]string)}
}

// Run reads the files again each interval, and at once for a signal from
// requests, until ctx is done.
func (r *Reloader) Run(ctx context.Context, requests <-chan os.Signal) {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		onRead := func() {}
		select {
		case <-tick.C:
		case <-requests:
			r.log.Info("files are read again", "event", "reload")
			onRead = r.onRequest(ctx)
		case <-ctx.Done():
			return
		}
		for _, f := range r.files {
			r.reload(f)
		}
		onRead()
	}
}

// reload logs a change, and a fault once.
func (r *Reloader) reload(f File) {
	changed, err := f.Reload()
	switch {
	case err != nil && r.faults[f.Name] != err.Error():
		r.log.Error("a changed file can't be used; the one before stays", "event", "reload", "file", f.Name, "err", err)
	case changed:
		r.log.Info("a changed file is in use", "event", "reload", "file", f.Name)
	}
	if delete(r.faults, f.Name); err != nil {
		r.faults[f.Name] = err.Error()
	}
}
