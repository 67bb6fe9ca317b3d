package privacy_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/privacy"
	"parley/shared/rest"
)

func TestEveryOperationOnAudioIsRefused(t *testing.T) {
	for _, on := range []bool{true, false} {
		var told []rest.BlockedOperation
		p, err := privacy.New(privacy.Config{On: on, OnBlocked: func(b rest.BlockedOperation) { told = append(told, b) }})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range privacy.Operations() {
			if err := p.Ask(op, "agent", "sess_1"); !errors.Is(err, privacy.ErrRefused) {
				t.Errorf("%s with privacy %v: %v, want a refusal", op, on, err)
			}
		}
		if err := p.Ask("anything else", "agent", ""); !errors.Is(err, privacy.ErrRefused) {
			t.Errorf("an operation that nobody named: %v", err)
		}
		want := len(privacy.Operations()) + 1
		status := p.Status()
		if len(told) != want || int(status.Audio.Blocked) != want || int(status.Audio.Attempts) != want || status.Audio.Stored != 0 {
			t.Errorf("told %d, counted %+v, want %d blocked and none stored", len(told), status.Audio, want)
		}
		if status.Blocked[0].Operation != "anything else" {
			t.Errorf("the newest blocked operation is %+v", status.Blocked[0])
		}
	}
}

func TestOnlySoManyBlockedOperationsAreRemembered(t *testing.T) {
	p := newPrivacy(t, true)
	for range privacy.MaxBlocked + 1 {
		_ = p.Ask(privacy.Record, "test", "")
	}
	if status := p.Status(); len(status.Blocked) != privacy.MaxBlocked || status.Audio.Attempts != privacy.MaxBlocked+1 {
		t.Errorf("%d remembered of %d", len(status.Blocked), status.Audio.Attempts)
	}
}

func TestAudioInTheDataDirectoryEndsProtection(t *testing.T) {
	dir := t.TempDir()
	p, err := privacy.New(privacy.Config{On: true, Evidence: func() error { return privacy.NoAudioBelow(dir) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Protected(); err != nil {
		t.Fatalf("an empty directory: %v", err)
	}
	file := filepath.Join(dir, "sub", "call.bin")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("OggS\x00\x02 and more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); !errors.Is(err, privacy.ErrUnprotected) || p.Protected() == nil || p.Status().Protection != "failed" {
		t.Errorf("an Ogg file in the directory: %v", err)
	}
	if err := os.WriteFile(file, []byte("SQLite format 3\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil || p.Status().Protection != "active" {
		t.Errorf("without it: %v", err)
	}
}

func TestShortKeyIsRefused(t *testing.T) {
	if _, err := privacy.New(privacy.Config{Key: make([]byte, privacy.MinKey-1)}); err == nil {
		t.Error("a key of 31 bytes is taken")
	}
	if _, err := privacy.New(privacy.Config{Key: make([]byte, privacy.MinKey)}); err != nil {
		t.Errorf("a key of 32 bytes: %v", err)
	}
}

// confined tells a copy of this binary which directory to confine itself to.
const confined = "PARLEY_TEST_CONFINED"

func TestMain(m *testing.M) {
	dir := os.Getenv(confined)
	if dir == "" {
		os.Exit(m.Run())
	}
	says, err := privacy.Confine(filepath.Join(dir, "data"))
	if err != nil {
		says = err.Error()
	}
	os.Stdout.WriteString(says + "\n")
	for _, name := range []string{"data/inside", "outside"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err == nil {
			os.Stdout.WriteString("wrote " + name + "\n")
		}
	}
	os.Exit(0)
}

func TestConfinedProcessWritesOnlyBelowItsDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), confined+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	says := string(out)
	if !strings.Contains(says, "wrote data/inside") {
		t.Errorf("it can't write inside:\n%s", says)
	}
	switch {
	case strings.Contains(says, "not offered by this kernel"):
		t.Log("this kernel offers no Landlock: that the process says so is all there is to see")
	case strings.Contains(says, "wrote outside"):
		t.Errorf("confined, it writes outside:\n%s", says)
	}
}
