package rules_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// helpLine is a flag in kong's help: --http=":8080" or --[no-]media-private.
	helpLine = regexp.MustCompile(`(?m)^\s+(?:-\w, )?--(?:\[no-\])?([a-z-]+)(?:=(\S+))?`)
	// readmeFlag is a flag in a table's first column: | `--http` | `:8080` | …
	readmeFlag = regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\|([^|]*)\\|")
	// requirement is a direct dependency in go.mod.
	requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	// readmeModule is a module in the table of dependencies.
	readmeModule = regexp.MustCompile("(?m)^\\| `([a-z0-9.]+/[^`]+)` \\|")
)

// The README's table of settings is what `parley serve --help` says.
func TestTheReadmeNamesEveryFlag(t *testing.T) {
	help := helpFlags(t)
	told := map[string]string{}
	for _, m := range readmeFlag.FindAllStringSubmatch(readme(t), -1) {
		told[m[1]] = strings.Trim(strings.TrimSpace(m[2]), "`")
	}
	for name, value := range help {
		got, there := told[name]
		if !there {
			t.Errorf("the README has no --%s", name)
		} else if got != value {
			t.Errorf("the README gives --%s the default %q, --help %q", name, got, value)
		}
	}
	for name := range told {
		if _, there := help[name]; !there {
			t.Errorf("the README has --%s, which --help doesn't know", name)
		}
	}
}

// helpFlags are the flags of `parley serve`, with their defaults as the help
// prints them. A placeholder, which the help prints in capitals, is no default.
func helpFlags(t *testing.T) map[string]string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "parley")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, root+"/server").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), binary, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]string{}
	for _, m := range helpLine.FindAllStringSubmatch(string(out), -1) {
		value := strings.Trim(m[2], `"`)
		if m[2] == value && strings.ToUpper(value) == value && strings.ToLower(value) != value {
			value = ""
		}
		if m[1] != "help" {
			flags[m[1]] = value
		}
	}
	if len(flags) < 10 {
		t.Fatalf("only %d flags were read from:\n%s", len(flags), out)
	}
	return flags
}

// Every dependency is there for a reason, and the README says which.
func TestTheReadmeExplainsEveryDependency(t *testing.T) {
	told := map[string]bool{}
	for _, m := range readmeModule.FindAllStringSubmatch(readme(t), -1) {
		told[m[1]] = true
	}
	required := map[string]bool{}
	for _, file := range []string{"go.mod", "server/e2e/go.mod"} {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range requirement.FindAllSubmatch(content, -1) {
			if name := string(m[1]); name != module {
				required[name] = true
			}
		}
	}
	if len(required) == 0 {
		t.Fatal("no requirements were read from go.mod")
	}
	for name := range required {
		if !told[name] {
			t.Errorf("the README gives no reason for %s", name)
		}
	}
	for name := range told {
		if !required[name] {
			t.Errorf("the README explains %s, which go.mod doesn't require", name)
		}
	}
}

// The README shows a picture, and it is there.
func TestTheReadmesPicturesAreThere(t *testing.T) {
	pictures := regexp.MustCompile(`!\[[^\]]*\]\(([^)]+)\)`).FindAllStringSubmatch(readme(t), -1)
	if len(pictures) == 0 {
		t.Error("the README shows nothing")
	}
	for _, m := range pictures {
		content, err := os.ReadFile(filepath.Join(root, m[1]))
		if err != nil || !bytes.HasPrefix(content, []byte("\x89PNG")) {
			t.Errorf("%s is no picture: %v", m[1], err)
		}
	}
}

func readme(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
