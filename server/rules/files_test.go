package rules_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxLines is the longest file that a reader still takes in.
const maxLines = 450

// vagueNames say nothing of what a package owns.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "service", "misc"}

// eachFile calls f with each Go file of the repository, parsed.
func eachFile(t *testing.T, f func(path string, source []byte, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	files := 0
	for _, top := range []string{"app", "server", "shared", "wasm", "web"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, source, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			files++
			f(strings.TrimPrefix(filepath.ToSlash(path), root+"/"), source, file, fset)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files == 0 {
		t.Fatal("no Go files were found: these rules would hold of nothing")
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.Doc) == 0 {
			t.Errorf("%s has no doc comment", p.ImportPath)
		}
	}
}

func TestPackagesHaveTellingNames(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(vagueNames, filepath.Base(p.ImportPath)) {
			t.Errorf("%s: the name says nothing", p.ImportPath)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	eachFile(t, func(path string, source []byte, _ *ast.File, _ *token.FileSet) {
		if n := bytes.Count(source, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d", path, n, maxLines)
		}
	})
}

func TestNothingRunsBeforeMain(t *testing.T) {
	eachFile(t, func(path string, _ []byte, file *ast.File, _ *token.FileSet) {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init", path)
			}
		}
	})
}

// A test that sleeps guesses. Inside a synctest bubble a sleep is exact; outside
// of one, a sleep says in its own line what it is for.
func TestTestsWaitForConditions(t *testing.T) {
	bubbles := map[string]bool{}
	eachFile(t, func(path string, _ []byte, file *ast.File, _ *token.FileSet) {
		if imports(file, "testing/synctest") {
			bubbles[filepath.Dir(path)] = true
		}
	})
	eachFile(t, func(path string, _ []byte, file *ast.File, fset *token.FileSet) {
		if !strings.HasSuffix(path, "_test.go") || bubbles[filepath.Dir(path)] {
			return
		}
		reasons := map[int]bool{}
		for _, group := range file.Comments {
			reasons[fset.Position(group.Pos()).Line] = true
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isSelector(call.Fun, "time", "Sleep") {
				if line := fset.Position(call.Pos()).Line; !reasons[line] {
					t.Errorf("%s:%d sleeps outside a synctest bubble", path, line)
				}
			}
			return true
		})
	})
}

// Only main exits, and only main reads flags and the environment.
func TestOnlyMainExits(t *testing.T) {
	forbidden := map[string][]string{
		"os":  {"Exit", "Getenv", "LookupEnv", "Environ", "Args"},
		"log": {"Fatal", "Fatalf", "Fatalln"},
	}
	eachFile(t, func(path string, _ []byte, file *ast.File, fset *token.FileSet) {
		if file.Name.Name == "main" || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "server/e2e/") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for pkg, names := range forbidden {
				for _, name := range names {
					if sel, ok := n.(*ast.SelectorExpr); ok && isSelector(sel, pkg, name) {
						t.Errorf("%s:%d uses %s.%s outside a main package", path, fset.Position(sel.Pos()).Line, pkg, name)
					}
				}
			}
			return true
		})
	})
}

func imports(file *ast.File, path string) bool {
	return slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"`+path+`"` })
}

func isSelector(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}
