package demodata

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// FolderName is the folder of demo data in a data directory.
const FolderName = "demo-data"

// filledName is a file that says until when the past is filled. It isn't there while
// it is being filled for the first time.
const filledName = "filled-until"

// Folder is where the record of a demo lies.
type Folder struct{ path string }

// OpenFolder makes the folder in a data directory. What a server left that was ended
// while it filled the past is begun anew.
func OpenFolder(dataDir string) (*Folder, error) {
	f := &Folder{filepath.Join(dataDir, FolderName)}
	if f.filledUntil().IsZero() {
		if err := RemoveFolder(dataDir); err != nil {
			return nil, err
		}
	}
	return f, os.MkdirAll(f.path, 0o700)
}

// RemoveFolder takes all demo data out of a data directory, if there is any.
func RemoveFolder(dataDir string) error { return os.RemoveAll(filepath.Join(dataDir, FolderName)) }

// Path is the folder's.
func (f *Folder) Path() string { return f.path }

// filledUntil is until when the past is filled; the zero time if it isn't.
func (f *Folder) filledUntil() time.Time {
	text, err := os.ReadFile(filepath.Join(f.path, filledName))
	if err != nil {
		return time.Time{}
	}
	until, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if err != nil {
		return time.Time{}
	}
	return until
}

// noteFilled notes it, so that a server that is ended meanwhile leaves the note
// before, or the new one.
func (f *Folder) noteFilled(until time.Time) error {
	path := filepath.Join(f.path, filledName)
	err := os.WriteFile(path+".new", []byte(until.UTC().Format(time.RFC3339)+"\n"), 0o600)
	return errors.Join(err, os.Rename(path+".new", path))
}

// startFilling takes the note away until the past is filled again.
func (f *Folder) startFilling() error {
	err := os.Remove(filepath.Join(f.path, filledName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
