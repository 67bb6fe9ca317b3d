package rules_test

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// public are the packages that developers of clients import.
var public = []string{"shared/quality", "shared/rest", "shared/rtcstats", "shared/wire", "wasm/browser", "wasm/peer", "wasm/peer/native"}

// spoken are those of them whose fields have no meaning outside of Parley: the others'
// are W3C's, or told by the interface's description.
var spoken = []string{"wasm/browser", "wasm/peer"}

// What developers of clients call is told by `go doc`: each name, and each field where
// nothing else tells it.
func TestPublicNamesAreDocumented(t *testing.T) {
	looked := 0
	eachFile(t, func(file string, _ []byte, parsed *ast.File, fset *token.FileSet) {
		if !slices.Contains(public, path.Dir(file)) || strings.HasSuffix(file, "_test.go") {
			return
		}
		looked++
		for name, pos := range undocumented(parsed, slices.Contains(spoken, path.Dir(file))) {
			t.Errorf("%s:%d: nothing is said of %s", file, fset.Position(pos).Line, name)
		}
	})
	if looked < 20 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// undocumented are a file's exported names without a comment, and where they are.
func undocumented(file *ast.File, withFields bool) map[string]token.Pos {
	found := map[string]token.Pos{}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil {
				found[d.Name.Name] = d.Pos()
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				addUndocumented(found, spec, d.Doc != nil, withFields)
			}
		}
	}
	return found
}

func addUndocumented(found map[string]token.Pos, spec ast.Spec, isGroupTold, withFields bool) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && !isGroupTold && s.Doc == nil && s.Comment == nil {
				found[name.Name] = name.Pos()
			}
		}
	case *ast.TypeSpec:
		if s.Name.IsExported() && !isGroupTold && s.Doc == nil {
			found[s.Name.Name] = s.Pos()
		}
		fields, isStruct := s.Type.(*ast.StructType)
		if !isStruct || !withFields || !s.Name.IsExported() {
			return
		}
		for _, field := range fields.Fields.List {
			for _, name := range field.Names {
				if name.IsExported() && field.Doc == nil && field.Comment == nil {
					found[s.Name.Name+"."+name.Name] = name.Pos()
				}
			}
		}
	}
}
