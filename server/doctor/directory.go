package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// directory is where the server keeps its files, and its secrets.
func (x *examination) directory(context.Context) []Finding {
	const check = "data directory"
	const act = "Write a directory to --data-dir that the server's user owns, such as one made by install -d -m 700 -o parley /var/lib/parley."
	info, err := os.Stat(x.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		parent, found := existing(x.DataDir)
		if !found.IsDir() || !isWritable(parent) {
			return one(check, Fault, fmt.Sprintf("%s isn't there, and this user may not make it in %s.", x.DataDir, parent), act)
		}
		return one(check, OK, fmt.Sprintf("%s isn't there yet: the server makes it.", x.DataDir), "")
	}
	switch {
	case err != nil:
		return one(check, Fault, fmt.Sprintf("%s can't be looked into: %v.", x.DataDir, withoutPath(err)), act)
	case !info.IsDir():
		return one(check, Fault, fmt.Sprintf("%s is no directory.", x.DataDir), act)
	case !isWritable(x.DataDir):
		return one(check, Fault, fmt.Sprintf("This user may not write to %s.", x.DataDir), act)
	case ownerOf(info) != os.Geteuid():
		return one(check, Warning, fmt.Sprintf("%s belongs to user %d, and this command runs as %d.", x.DataDir, ownerOf(info), os.Geteuid()),
			"Run server and command as the directory's owner: what another makes there it may not read.")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return one(check, Warning, fmt.Sprintf("Others than its owner may look into %s, which holds secrets.", x.DataDir), "chmod 700 "+x.DataDir+" (the server does it, too, when it starts).")
	}
	return one(check, OK, fmt.Sprintf("%s is this user's own, and closed to others.", x.DataDir), "")
}

// existing is the nearest folder above a path that is there.
func existing(path string) (string, fs.FileInfo) {
	for {
		path = filepath.Dir(path)
		if info, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path, info
		}
	}
}

// disk has room for what the server writes.
func (x *examination) disk(context.Context) []Finding {
	dir := x.DataDir
	if _, err := os.Stat(dir); err != nil {
		dir, _ = existing(dir)
	}
	free, all, isKnown := x.FreeSpace(dir)
	switch {
	case !isKnown:
		return one("disk", Untried, fmt.Sprintf("How much is free for %s can't be told on this system.", x.DataDir), "")
	case free < min(x.DiskReserve, all/4): // of a small disk a quarter is kept free
		return one("disk", Fault, fmt.Sprintf("%s is free for %s: less than what stays free for the audit log.", size(free), x.DataDir),
			"Make room on that disk, or name a directory on another with --data-dir.")
	case free < x.DiskReserve+x.LogMaxSize-dirSize(x.DataDir):
		return one("disk", Warning, fmt.Sprintf("%s is free for %s, and the access log may grow to %s.", size(free), x.DataDir, size(x.LogMaxSize)),
			"Make room on that disk, or write less to --log-max-size.")
	}
	return one("disk", OK, fmt.Sprintf("%s is free for %s.", size(free), x.DataDir), "")
}

// database can be reached, and be worked with.
func (x *examination) database(ctx context.Context) []Finding {
	if x.Database == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if err := x.Database(ctx); err != nil {
		return one("database", Fault, fmt.Sprintf("The record can't be kept: %v.", err), "Without it the server doesn't start: mend that first.")
	}
	return one("database", OK, "It lets this user in, and can be written.", "")
}

// dirSize is what a folder's files hold already, in bytes.
func dirSize(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // what can't be seen doesn't count
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

func size(bytes int64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}

// files are those that flags name.
func (x *examination) files(context.Context) (found []Finding) {
	for _, f := range x.Files {
		if err := f.Read(); err != nil {
			found = append(found, Finding{f.Name, Fault, fmt.Sprintf("It can't be used: %v.", err), f.Act})
			continue
		}
		found = append(found, Finding{f.Name, OK, "It can be read.", ""})
	}
	return found
}

// withoutPath leaves out what the sentence around it says already.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
