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
	// tableFlag is a flag in a table's first column: | `--http` | `:8080` | …
	tableFlag = regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\|([^|]*)\\|")
	// requirement is a direct dependency in go.mod.
	requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	// tableModule is a module in the table of dependencies.
	tableModule = regexp.MustCompile("(?m)^\\| `([a-z0-9.]+/[^`]+)` \\|")
	// link is a link or, behind an exclamation mark, a picture.
	link = regexp.MustCompile(`(!?)\[[^\]]*\]\(([^)\s]+)\)`)
)

// The table of settings is what `parley serve --help` says.
func TestInstallNamesEveryFlag(t *testing.T) {
	help := helpFlags(t)
	told := map[string]string{}
	for _, m := range tableFlag.FindAllStringSubmatch(document(t, "server/INSTALL.md"), -1) {
		told[m[1]] = strings.Trim(strings.TrimSpace(m[2]), "`")
	}
	for name, value := range help {
		got, there := told[name]
		if !there {
			t.Errorf("INSTALL.md has no --%s", name)
		} else if got != value {
			t.Errorf("INSTALL.md gives --%s the default %q, --help %q", name, got, value)
		}
	}
	for name := range told {
		if _, there := help[name]; !there {
			t.Errorf("INSTALL.md has --%s, which --help doesn't know", name)
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

// Every dependency is there for a reason, which DEPENDENCIES.md gives.
func TestEveryDependencyHasAReason(t *testing.T) {
	told := map[string]bool{}
	for _, m := range tableModule.FindAllStringSubmatch(document(t, "server/rules/DEPENDENCIES.md"), -1) {
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
			t.Errorf("DEPENDENCIES.md gives no reason for %s", name)
		}
	}
	for name := range told {
		if !required[name] {
			t.Errorf("DEPENDENCIES.md explains %s, which go.mod doesn't require", name)
		}
	}
}

// The README shows a picture, and every file that a document points at is there.
func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	pictures := 0
	for _, name := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			target, _, _ := strings.Cut(m[2], "#")
			if strings.Contains(m[2], "://") || target == "" {
				continue
			}
			content, err := os.ReadFile(filepath.Join(root, filepath.Dir(name), target))
			if err != nil {
				t.Errorf("%s points at %s: %v", name, m[2], err)
			}
			if m[1] == "!" {
				pictures++
				if !bytes.HasPrefix(content, []byte("\x89PNG")) {
					t.Errorf("%s shows %s, which is no picture", name, m[2])
				}
			}
		}
	}
	if pictures == 0 {
		t.Error("no document shows a picture")
	}
}

// maxReadme keeps the README what a newcomer reads to the end.
const maxReadme = 80

func TestTheReadmeIsShort(t *testing.T) {
	if n := strings.Count(document(t, "README.md"), "\n"); n > maxReadme {
		t.Errorf("README.md has %d lines, at most %d: move what is deeper next to the code that it explains", n, maxReadme)
	}
}

// documents are the Markdown files of the repository, seen from its root.
func documents(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	if len(names) < 2 {
		t.Fatalf("only %v were found", names)
	}
	return names
}

func document(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
