// Package backup owns what a backup is: a folder with a copy of a server's record,
// which is whole or says that it isn't, and the way back from it. It asks the store
// for copies of the databases, and knows nothing of what is in them; it refuses to
// write over anything.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/server/audit"
	"parley/server/store"
)

// ManifestName is the file that makes a backup of a folder: it is written last, once
// all that it names is on the disk.
const ManifestName = "backup.json"

// Manifest says what a backup holds.
type Manifest struct {
	MadeAt  time.Time        `json:"made_at"` // when the copying began
	Version string           `json:"version"` // of the program
	Schemas map[string]int64 `json:"schemas"` // of the databases
	Files   []File           `json:"files"`
}

// File is one of a backup. Its path has slashes and is below the folder.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Size is that of all files, in bytes.
func (m Manifest) Size() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// Create copies a server's data directory into dir, which must be empty or not there.
// The server may be running, in another process: what it answered before Create began
// is in the copy. After an error dir holds nothing of it.
func Create(ctx context.Context, dataDir, dir, version string) (m Manifest, err error) {
	m = Manifest{MadeAt: time.Now().UTC(), Version: version}
	isNew, err := makeEmpty(dir)
	if err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeCopies(dir, isNew))
		}
	}()
	if m.Schemas, err = copyRecord(ctx, dataDir, dir); err != nil {
		return m, err
	}
	if m.Files, err = describeFiles(ctx, dir); err != nil {
		return m, err
	}
	return m, m.write(dir)
}

// copyRecord copies in an order that makes the copies fit each other: the head of the
// audit log is no newer than the log, and the secrets and keys are those that what is
// in the databases was sealed with.
func copyRecord(ctx context.Context, dataDir, dir string) (schemas map[string]int64, err error) {
	if err := copyIfThere(filepath.Join(dataDir, audit.HeadName), filepath.Join(dir, audit.HeadName)); err != nil {
		return nil, err
	}
	snapshot, err := store.OpenSnapshot(ctx, dataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	if err := copyOthers(ctx, dataDir, dir); err != nil {
		return nil, err
	}
	return snapshot.Schemas(), snapshot.Copy(ctx, dir)
}

// leftOut are what a backup needs not: the lock is of the process, and made-up calls
// can be made up again.
var leftOut = []string{"lock", "demo-data", audit.HeadName, ManifestName}

// copyOthers copies all but the databases, so that no new file is forgotten.
func copyOthers(ctx context.Context, dataDir, dir string) error {
	return filepath.WalkDir(dataDir, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dataDir, path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && name != ".": // gone since it was listed
			return nil
		case errors.Join(err, relErr, ctx.Err()) != nil:
			return errors.Join(err, relErr, ctx.Err())
		case name == ".":
			return nil
		case slices.Contains(leftOut, name) && entry.IsDir(), isInside(path, dir):
			return fs.SkipDir
		case entry.IsDir():
			return os.Mkdir(filepath.Join(dir, name), 0o700)
		case !entry.Type().IsRegular(), slices.Contains(leftOut, name), store.IsDatabaseFile(name):
			return nil
		}
		return copyIfThere(path, filepath.Join(dir, name))
	})
}

// isInside tells a backup that is made below the data directory: no copy of itself.
func isInside(path, dir string) bool {
	full, err := filepath.Abs(path)
	other, otherErr := filepath.Abs(dir)
	return err == nil && otherErr == nil && full == other
}

// write has the manifest on the disk, as a whole, after everything else.
func (m Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := syncFolders(dir); err != nil {
		return err
	}
	partial := filepath.Join(dir, ManifestName+".partial")
	if err := writeFile(partial, strings.NewReader(string(text)+"\n")); err != nil {
		return err
	}
	if err := os.Rename(partial, filepath.Join(dir, ManifestName)); err != nil {
		return err
	}
	return syncFolders(dir)
}

// ErrNotABackup says that a folder has no manifest.
var ErrNotABackup = errors.New("no backup, or one that was broken off: it has no " + ManifestName)

// Read reads what a backup holds; it does not look at the files.
func Read(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s: %w", dir, ErrNotABackup)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil || len(m.Files) == 0 {
		return m, fmt.Errorf("%s: %s can't be read: it was damaged, or is of another program", dir, ManifestName)
	}
	return m, nil
}
