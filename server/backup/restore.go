package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"parley/server/store"
)

// UnfinishedName is a file that is in a data directory while a backup is put back: no
// server may start on what a crash in the middle leaves.
const UnfinishedName = "restore.unfinished"

// ErrUnfinished says that a restore into a directory was broken off.
var ErrUnfinished = errors.New("a restore into it was broken off: remove the directory and restore again")

// CheckFinished refuses a data directory that a backup was not wholly put back into.
func CheckFinished(dataDir string) error {
	if _, err := os.Lstat(filepath.Join(dataDir, UnfinishedName)); err == nil {
		return fmt.Errorf("%s: %w", dataDir, ErrUnfinished)
	}
	return nil
}

// Restore puts a backup into a data directory, which must be empty and which the
// caller holds the lock of. All of the backup is checked before anything is written.
func Restore(ctx context.Context, dir, dataDir string) (m Manifest, err error) {
	if m, err = Read(dir); err != nil {
		return m, err
	}
	if err := store.CheckSchemas(m.Schemas); err != nil {
		return m, fmt.Errorf("%s was made by version %s: %w", dir, m.Version, err)
	}
	if err := m.check(ctx, dir); err != nil {
		return m, err
	}
	if err := checkEmpty(dataDir, "lock"); err != nil {
		return m, err
	}
	mark := filepath.Join(dataDir, UnfinishedName)
	if err := writeFile(mark, nil); err != nil {
		return m, err
	}
	for _, f := range m.Files {
		if err := errors.Join(ctx.Err(), f.restore(dir, dataDir)); err != nil {
			return m, err
		}
	}
	if err := syncFolders(dataDir); err != nil {
		return m, err
	}
	return m, errors.Join(giveToOwner(dataDir), os.Remove(mark), syncFolders(dataDir))
}

// giveToOwner makes what root put back that of the user whom the directory belongs to:
// the server that starts on it is not root.
func giveToOwner(dataDir string) error {
	info, err := os.Stat(dataDir)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !known || owner.Uid == 0 {
		return nil
	}
	return filepath.WalkDir(dataDir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	})
}

func (f File) restore(dir, dataDir string) error {
	to := filepath.Join(dataDir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return copyFile(filepath.Join(dir, filepath.FromSlash(f.Path)), to)
}

// check holds every file against the manifest, and that the databases are among them.
func (m Manifest) check(ctx context.Context, dir string) error {
	for name := range m.Schemas {
		if !slices.ContainsFunc(m.Files, func(f File) bool { return f.Path == name }) {
			return fmt.Errorf("%s: %s names no %s", dir, ManifestName, name)
		}
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return fmt.Errorf("%s: %s names %q, which is outside", dir, ManifestName, f.Path)
		}
		found, err := describe(ctx, dir, f.Path)
		if err != nil {
			return err
		}
		if found != f {
			return fmt.Errorf("%s: %s is not what was copied: take another backup", dir, f.Path)
		}
	}
	return nil
}
