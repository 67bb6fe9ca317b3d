package privacy_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

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
	p, err := privacy.New(privacy.Config{On: true, Evidence: func() error { return privacy.CheckNoAudio(dir) }})
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
		goleak.VerifyTestMain(m)
		return
	}
	says, err := privacy.ConfineWrites(filepath.Join(dir, "data"))
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

// What stays within a call is allowed, to the nanosecond; what doesn't is refused
// and counted for its session while that lives.
func TestHoldingATurn(t *testing.T) {
	p := newPrivacy(t, true)
	if err := p.Hold("agent", "s1", privacy.MaxHold); err != nil {
		t.Error(err)
	}
	if err := p.Hold("agent", "s1", privacy.MaxHold+1); !errors.Is(err, privacy.ErrRefused) {
		t.Errorf("more than a turn: %v", err)
	}
	if err := p.Ask(privacy.Record, "agent", "s1"); !errors.Is(err, privacy.ErrRefused) {
		t.Errorf("a recording: %v", err)
	}
	_ = p.Ask(privacy.Tap, "agent", "s2")
	_ = p.Ask(privacy.Tap, "agent", "")
	a := p.Status().Audio
	if a.Attempts != 5 || a.Allowed != 1 || a.Blocked != 4 || a.Held != 1 || p.Refused() != 4 {
		t.Errorf("%+v", a)
	}
	if a.ByKind["buffer"] != 1 || a.ByKind["record"] != 1 || a.ByKind["tap"] != 2 {
		t.Errorf("%v", a.ByKind)
	}
	for session, want := range map[string]int64{"s1": 2, "s2": 1, "s3": 0, "": 0} {
		if n := p.StorageAttempts(session); n != want {
			t.Errorf("%q: %d", session, n)
		}
	}
	p.Release("agent", "s1")
	p.EndCall("s1")
	if p.StorageAttempts("s1") != 0 || p.Status().Audio.Held != 0 || p.Protected() != nil || p.Refused() != 4 {
		t.Errorf("after the call: %+v, %v", p.Status().Audio, p.Protected())
	}
}

// Audio that is held once its call is over was kept: it is told, and no call may
// start until it is gone.
func TestAudioThatOutlivesItsCallEndsProtection(t *testing.T) {
	var told []rest.BlockedOperation
	p, err := privacy.New(privacy.Config{OnBlocked: func(b rest.BlockedOperation) { told = append(told, b) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"s1", "s2"} {
		if err := p.Hold("hoarder", s, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	p.EndCall("s1")
	if !errors.Is(p.Protected(), privacy.ErrUnprotected) || p.Status().Protection != "failed" {
		t.Errorf("%v", p.Protected())
	}
	if len(told) != 1 || told[0].Operation != "persist" || told[0].By != "hoarder" || told[0].Session != "s1" || p.Status().Audio.Blocked != 1 {
		t.Errorf("told %+v", told)
	}
	if err := p.Validate(); !errors.Is(err, privacy.ErrUnprotected) {
		t.Errorf("it is still there: %v", err)
	}
	p.Release("hoarder", "s1")
	if err := p.Validate(); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	if p.Status().Audio.Held != 1 || len(told) != 1 {
		t.Error("the call that goes on is touched")
	}
}

// Words that nobody keeps are allowed, and stand on the receipt of the call alone.
func TestWordsWithinACall(t *testing.T) {
	var told []rest.BlockedOperation
	p, err := privacy.New(privacy.Config{On: true, OnBlocked: func(b rest.BlockedOperation) { told = append(told, b) }})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(p.Caption("openai", "s1"), p.Transcribe("openai", "s1", true), p.Hold("parrot", "s1", privacy.MaxHold)); err != nil {
			t.Error(err)
		}
	}
	if got := p.Uses("s1"); !slices.Equal(got, []string{"buffer", "caption", "transcribe_in_call"}) {
		t.Errorf("used for %v", got)
	}
	if got := p.Uses("s2"); len(got) != 0 || p.StorageAttempts("s1") != 0 || len(told) != 0 {
		t.Errorf("another call: %v; told %v", got, told)
	}
	for _, ask := range []func() error{
		func() error { return p.Transcribe("openai", "s1", false) },
		func() error { return p.Tap("openai", "s1") },
	} {
		if err := ask(); !errors.Is(err, privacy.ErrRefused) {
			t.Errorf("answered %v", err)
		}
	}
	if p.StorageAttempts("s1") != 2 || len(told) != 2 || told[0].Operation != "transcribe" || told[1].Operation != "tap" || told[0].By != "openai" {
		t.Errorf("%d refused, told %+v", p.StorageAttempts("s1"), told)
	}
	p.Release("parrot", "s1")
	p.EndCall("s1")
	if got := p.Uses("s1"); len(got) != 0 {
		t.Errorf("after the call: %v", got)
	}
}
