package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A stage of `make test` that fails stops no later one, in its lane or beside
// it, and the end names it.
func TestAFailedStageStopsNoOther(t *testing.T) {
	script, err := filepath.Abs("../../.ci/stages")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	makefile := "good also last:\n\t@echo did $@\nbad:\n\t@exit 3\n"
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(groups ...string) (string, error) {
		cmd := exec.Command(script, groups...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("bad", "good|bad also", "last")
	if err == nil || !strings.Contains(out, "FAILED: bad") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, stage := range []string{"good", "also", "last"} {
		if strings.Count(out, "did "+stage+"\n") != 1 {
			t.Errorf("%s did not run once:\n%s", stage, out)
		}
	}
	if out, err := run("good", "last|also"); err != nil || strings.Contains(out, "FAILED") {
		t.Errorf("all good: %v\n%s", err, out)
	}
}
