package reload_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/reload"
)

func TestATokenIsLongEnough(t *testing.T) {
	least := strings.Repeat("a", reload.MinToken)
	for value, want := range map[string]string{least: least, " " + least + "\n": least, least[1:]: "", least[1:] + " ": "", "": ""} {
		token, err := reload.FixedToken("PARLEY_TOKEN", value)
		if (err == nil) != (want != "") || token.Value() != want {
			t.Errorf("%q: %q, %v", value, token.Value(), err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "PARLEY_TOKEN has ") {
			t.Errorf("%q: %v", value, err)
		}
	}
	if got := reload.NoToken().Value(); got != "" {
		t.Errorf("no token is %q", got)
	}
}

// TestATokenFollowsItsFile, and stays what it was while the file has none.
func TestATokenFollowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := reload.LoadToken("--token-file", path); err == nil || !strings.HasPrefix(err.Error(), "--token-file: ") {
		t.Errorf("no file: %v", err)
	}
	const first, second = "0123456789abcdef", "fedcba9876543210"
	write(first+"\n", 0o600)
	token, err := reload.LoadToken("--token-file", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		text      string
		mode      os.FileMode
		isChanged bool
		fault     string
		want      string
	}{
		{first, 0o600, false, "", first},
		{"short", 0o600, false, "5 characters", first},
		{second, 0o644, false, "chmod 600", first},
		{second, 0o600, true, "", second},
		{"", 0o600, false, "0 characters", second},
	} {
		write(step.text, step.mode)
		changed, err := token.Reload()
		if changed != step.isChanged || token.Value() != step.want || (err == nil) != (step.fault == "") || err != nil && !strings.Contains(err.Error(), step.fault) {
			t.Errorf("%q with mode %o: changed %v, %v, the token %q", step.text, step.mode, changed, err, token.Value())
		}
	}
}
