package backup_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/server/backup"
	"parley/server/store"
)

// dataDirectory is one that a server made and left.
func dataDirectory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir, store.Options{})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"jwt-secret": "secret\n", "user-key": "key", "audit.head": `{"seq":0,"hash":""}`,
		"certificates/acme/key": "private", "demo-data/control.db": "made up", "lock": "",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// paths lists the files of a folder with their modes; folders end in a slash.
func paths(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := make(map[string]fs.FileMode)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		name := strings.TrimPrefix(strings.TrimPrefix(path, dir), "/")
		if entry.IsDir() {
			name += "/"
		}
		found[name] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// made is a backup of a data directory.
func made(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backup")
	if _, err := backup.Create(t.Context(), dataDirectory(t), dir, "1.0"); err != nil {
		t.Fatal(err)
	}
	return dir
}

var copied = []string{"audit.head", "certificates/acme/key", "control.db", "jwt-secret", "telemetry.db", "user-key"}

func TestABackupHasWhatBelongsToTheRecordForItsOwnerAlone(t *testing.T) {
	dir := made(t)
	found := paths(t, dir)
	for name, mode := range found {
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[strings.HasSuffix(name, "/")]; mode != want {
			t.Errorf("%s has mode %o", name, mode)
		}
	}
	want := append([]string{"/", "backup.json", "certificates/", "certificates/acme/"}, copied...)
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("it has %q, want %q", got, want)
	}
	m, err := backup.Read(dir)
	if err != nil || m.Version != "1.0" || len(m.Files) != len(copied) || m.Schemas["control.db"] == 0 || m.Schemas["telemetry.db"] == 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestARestoreGivesEveryFileBack(t *testing.T) {
	dir, data := made(t), t.TempDir()
	write(t, filepath.Join(data, "lock"), "")
	if _, err := backup.Restore(t.Context(), dir, data); err != nil {
		t.Fatal(err)
	}
	for _, name := range copied {
		before, err := os.ReadFile(filepath.Join(dir, name))
		after, err2 := os.ReadFile(filepath.Join(data, name))
		if err != nil || err2 != nil || string(before) != string(after) {
			t.Errorf("%s: %v, %v", name, err, err2)
		}
	}
	if err := backup.CheckFinished(data); err != nil {
		t.Error(err)
	}
	s, err := store.Open(t.Context(), data, store.Options{})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

func TestABackupWritesOverNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mine"), "text")
	_, err := backup.Create(t.Context(), dataDirectory(t), dir, "1.0")
	if err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("%v", err)
	}
	if found := paths(t, dir); len(found) != 2 {
		t.Errorf("it has %v", found)
	}
}

// TestAFailedBackupLeavesNothing, in a folder that was there and in one that wasn't.
func TestAFailedBackupLeavesNothing(t *testing.T) {
	there := t.TempDir()
	for name, dir := range map[string]string{"there": there, "new": filepath.Join(t.TempDir(), "new")} {
		if _, err := backup.Create(t.Context(), t.TempDir(), dir, "1.0"); !errors.Is(err, fs.ErrNotExist) && err == nil {
			t.Errorf("%s: of a folder without a record: %v", name, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Create(canceled, dataDirectory(t), there, "1.0"); err == nil {
		t.Error("made though it was called off")
	}
	if found := paths(t, there); len(found) != 1 {
		t.Errorf("it has %v", found)
	}
}

func TestWhatIsNoWholeBackupIsNotRestored(t *testing.T) {
	for name, test := range map[string]struct {
		harm func(t *testing.T, dir string)
		says string
	}{
		"no manifest":         {func(t *testing.T, dir string) { remove(t, dir, "backup.json") }, "broken off"},
		"half a manifest":     {func(t *testing.T, dir string) { write(t, filepath.Join(dir, "backup.json"), `{"files":[`) }, "damaged"},
		"a file is gone":      {func(t *testing.T, dir string) { remove(t, dir, "user-key") }, "user-key"},
		"a file has changed":  {func(t *testing.T, dir string) { write(t, filepath.Join(dir, "user-key"), "kex") }, "user-key is not what was copied"},
		"a database is short": {func(t *testing.T, dir string) { write(t, filepath.Join(dir, "control.db"), "") }, "control.db is not what was copied"},
		"a path leads out":    {func(t *testing.T, dir string) { replace(t, dir, `"user-key"`, `"../user-key"`) }, "outside"},
		"a newer schema":      {func(t *testing.T, dir string) { replace(t, dir, `"telemetry.db": `, `"telemetry.db": 9`) }, "install the newer version"},
		"no database":         {func(t *testing.T, dir string) { replace(t, dir, `"path": "control.db"`, `"path": "jwt-secret"`) }, "names no control.db"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, data := made(t), t.TempDir()
			test.harm(t, dir)
			if _, err := backup.Restore(t.Context(), dir, data); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v: want %q", err, test.says)
			}
			if found := paths(t, data); len(found) != 1 {
				t.Errorf("the data directory has %v", found)
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, dir, old, young string) {
	t.Helper()
	path := filepath.Join(dir, backup.ManifestName)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%v: %s has no %s", err, text, old)
	}
	write(t, path, strings.Replace(string(text), old, young, 1))
}

// TestADataDirectoryInUseIsLeftAlone, and so is one that a restore died over.
func TestADataDirectoryInUseIsLeftAlone(t *testing.T) {
	dir := made(t)
	for name, says := range map[string]string{"control.db": "mv ", backup.UnfinishedName: "restore again"} {
		data := t.TempDir()
		write(t, filepath.Join(data, name), "")
		if _, err := backup.Restore(t.Context(), dir, data); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("with %s: %v", name, err)
		}
		if err := backup.CheckFinished(data); (err != nil) != (name == backup.UnfinishedName) {
			t.Errorf("with %s: %v", name, err)
		}
	}
}

// TestABackupBelowTheDataDirectoryHasNoCopyOfItself.
func TestABackupBelowTheDataDirectoryHasNoCopyOfItself(t *testing.T) {
	data := dataDirectory(t)
	if _, err := backup.Create(t.Context(), data, filepath.Join(data, "backup"), "1.0"); err != nil {
		t.Fatal(err)
	}
	m, err := backup.Read(filepath.Join(data, "backup"))
	if err != nil || len(m.Files) != len(copied) {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestWhatRootRestoresIsTheServersOwn: it is seldom root who runs the server.
func TestWhatRootRestoresIsTheServersOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const user = 65534
	dir, data := made(t), t.TempDir()
	write(t, filepath.Join(data, "lock"), "")
	if err := os.Chown(data, user, user); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), dir, data); err != nil {
		t.Fatal(err)
	}
	for name := range paths(t, data) {
		info, err := os.Lstat(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != user || owner.Gid != user {
			t.Errorf("%q belongs to %d:%d", name, owner.Uid, owner.Gid)
		}
	}
}
