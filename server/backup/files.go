package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// makeEmpty makes a folder for its owner alone, or takes an empty one that is there.
func makeEmpty(dir string) (isNew bool, err error) {
	if err := os.Mkdir(dir, 0o700); !errors.Is(err, fs.ErrExist) {
		return err == nil, err
	}
	if err := checkEmpty(dir); err != nil {
		return false, err
	}
	return false, os.Chmod(dir, 0o700)
}

// checkEmpty refuses a folder with anything in it but what is named.
func checkEmpty(dir string, but ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch name := entry.Name(); {
		case slices.Contains(but, name):
		case name == UnfinishedName:
			return fmt.Errorf("%s: %w", dir, ErrUnfinished)
		case strings.HasSuffix(name, ".partial"):
			return fmt.Errorf("%s has %s: a backup into it was broken off; remove the directory and try again", dir, name)
		default:
			return fmt.Errorf("%s isn't empty, it has %s: move it aside (mv %[1]s %[1]s.before), or name another directory", dir, name)
		}
	}
	return nil
}

// removeCopies takes what was written out of a folder that was empty.
func removeCopies(dir string, isNew bool) error {
	if isNew {
		return os.RemoveAll(dir)
	}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

func copyIfThere(from, to string) error {
	err := copyFile(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	return writeFile(to, source)
}

// writeFile writes a new file, for its owner alone, to the disk. Without a source it
// is empty.
func writeFile(path string, source io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if source != nil {
		_, err = io.Copy(f, source)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// describeFiles describes all that is in a folder.
func describeFiles(ctx context.Context, dir string) (files []File, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f, err := describe(ctx, dir, filepath.ToSlash(name))
		files = append(files, f)
		return err
	})
	return files, err
}

// describe reads a file through.
func describe(ctx context.Context, dir, name string) (File, error) {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	return File{Path: name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, errors.Join(err, ctx.Err())
}

// syncFolders has the names in a folder, in those below and its own on the disk.
func syncFolders(dir string) error {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return syncFolder(path)
	})
	return errors.Join(err, syncFolder(filepath.Dir(filepath.Clean(dir))))
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) { // one above ours that we may not read
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
