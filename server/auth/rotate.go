package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// SecretFile is where the secret of a data directory is kept.
func SecretFile(dir string) string { return filepath.Join(dir, secretFileName) }

// PreviousSecretFile is where the secret before the one in a file is kept: beside it.
func PreviousSecretFile(path string) string { return path + ".previous" }

// ErrNoSecretFile says that there is nothing to take the place of.
var ErrNoSecretFile = errors.New("there is no secret yet: the first start of a server makes one")

// ReadSecrets reads the secret of a file and, if there is one, the secret before.
func ReadSecrets(path string) (current, previous []byte, err error) {
	if current, err = ReadSecret(path); err != nil {
		return nil, nil, err
	}
	previous, err = ReadSecret(PreviousSecretFile(path))
	if errors.Is(err, fs.ErrNotExist) {
		return current, nil, nil
	}
	return current, previous, err
}

// RotateSecret writes a new secret in the place of the one in a file, and that one in
// the place of the one before, which is dropped. Each is replaced as a whole and is on
// the disk before the next: a crash between leaves the same secret in both, and nobody
// is thrown out who would not have been.
func RotateSecret(path string) error {
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock()
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNoSecretFile
	case err != nil:
		return err
	case !info.Mode().IsRegular(): // what a link leads to is somebody else's to change
		return fmt.Errorf("%s is a link or no file: name the file itself, or change it where it comes from", path)
	}
	current, err := ReadSecret(path)
	if err == nil {
		err = CheckSecret(current)
	}
	if err == nil {
		err = replaceSecret(PreviousSecretFile(path), current, info)
	}
	if err != nil {
		return err
	}
	return replaceSecret(path, newSecret(), info)
}

// lockFolder keeps a second rotation out, which would lose what the first one made. A
// lock on the folder leaves no file behind.
func lockFolder(dir string) (unlock func(), err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), folder.Close())
	}
	return func() { folder.Close() }, nil
}

// newSecret is random and can be written in a line.
func newSecret() []byte {
	raw := make([]byte, MinSecret)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	return []byte(base64.RawURLEncoding.EncodeToString(raw))
}

// replaceSecret writes aside and renames: a reader finds the one or the other. Who
// owned the file before owns the new one, too: root may rotate for a server that
// isn't.
func replaceSecret(path string, secret []byte, like fs.FileInfo) error {
	tmp, err := writeAside(path, secret)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if owner, known := like.Sys().(*syscall.Stat_t); known {
		if err := os.Chown(tmp, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// writeAside writes a secret to the disk, in a file beside path.
func writeAside(path string, secret []byte) (name string, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // 0600
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(append(bytes.Clone(secret), '\n'))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

// syncFolder has the names in a folder on the disk.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
