package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"parley/server/backup"
)

// backupCommand copies the record of a server that may be running.
type backupCommand struct {
	Dir     string `arg:"" type:"path" help:"Directory to copy to: empty, or not there yet."`
	DataDir string `default:"./parley-data" type:"path" help:"The server's data directory; the server may be running."`
}

// Run says what was copied, and what lies elsewhere.
func (c *backupCommand) Run(ctx context.Context, out io.Writer) error {
	if err := checkInFiles(c.DataDir); err != nil {
		return err
	}
	m, err := backup.Create(ctx, c.DataDir, c.Dir, version)
	if err != nil {
		return fmt.Errorf("backup of %s: %w", c.DataDir, err)
	}
	_, err = fmt.Fprintf(out, "The record of %s as of %s is in %s: %d files, %.1f MB. It holds secrets and what is kept of people.\n"+
		"What flags name outside the data directory, such as --jwt-secret-file or --agents, is not in it.\n",
		c.DataDir, m.MadeAt.Format("2006-01-02 15:04:05 MST"), c.Dir, len(m.Files), float64(m.Size())/1e6)
	return err
}

// restoreCommand puts a backup into a data directory of its own.
type restoreCommand struct {
	Dir     string `arg:"" type:"path" help:"Directory that parley backup wrote."`
	DataDir string `default:"./parley-data" type:"path" help:"Data directory to put it into: empty, or not there yet."`
}

// Run holds the directory's lock, so that no server starts on half of it.
func (c *restoreCommand) Run(ctx context.Context, out io.Writer) (err error) {
	if _, err := backup.Read(c.Dir); err != nil {
		return err
	}
	_, statErr := os.Lstat(c.DataDir)
	dir, err := lockDataDir(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	m, err := backup.Restore(ctx, c.Dir, dir.path)
	if err != nil {
		if errors.Is(statErr, fs.ErrNotExist) && backup.CheckFinished(c.DataDir) == nil {
			err = errors.Join(err, os.RemoveAll(c.DataDir)) // nothing was put into what is ours
		}
		return fmt.Errorf("restoring into %s: %w", c.DataDir, err)
	}
	_, err = fmt.Fprintf(out, "The record as of %s, of version %s, is in %s: start the server on it.\n",
		m.MadeAt.Format("2006-01-02 15:04:05 MST"), m.Version, c.DataDir)
	return err
}
