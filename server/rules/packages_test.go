package rules_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the name in go.mod.
const module = "parley"

// root is the repository, seen from this package.
const root = "../.."

// A listed package is what `go list -json` says of it for one target.
type listed struct {
	ImportPath, Doc, Dir string
	Imports, GoFiles     []string

	target string
}

// local is the path below the module's root; the root of the module itself
// has no package.
func (p listed) local() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// packages lists all of ours, for the server's target and for the browser's.
func packages(t *testing.T) []listed {
	t.Helper()
	browser := []string{"./app/...", "./shared/...", "./wasm/..."}
	var all []listed
	all = append(all, list(t, root, "linux", "amd64", "./...")...)
	all = append(all, list(t, root, "js", "wasm", browser...)...)
	return append(all, list(t, filepath.Join(root, "server/e2e"), "linux", "amd64", "./...")...)
}

func list(t *testing.T, dir, goos, goarch string, patterns ...string) []listed {
	t.Helper()
	out := goList(t, dir, goos, goarch, append([]string{"-json=ImportPath,Doc,Dir,Imports,GoFiles"}, patterns...)...)
	var found []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := listed{target: goos}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 || p.Doc != "" {
			found = append(found, p)
		}
	}
}

func dependencies(t *testing.T, goos, goarch, pattern string) []string {
	t.Helper()
	return strings.Fields(string(goList(t, root, goos, goarch, "-deps", pattern)))
}

func goList(t *testing.T, dir, goos, goarch string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}
