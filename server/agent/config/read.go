package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the file, and each that it names.
const maxFile = 1 << 20

// Fault is what is wrong with a file of agents.
type Fault struct {
	File   string
	Line   int    // 0: of no line
	Field  string // agents[0].url
	Detail string // says what to write
}

// Error implements error.
func (f *Fault) Error() string {
	where := f.File
	if f.Line > 0 {
		where += fmt.Sprintf(":%d", f.Line)
	}
	if f.Field != "" {
		where += ": " + f.Field
	}
	return where + ": " + f.Detail
}

// source is a file as it was read, for its faults to be found in.
type source struct {
	path   string
	file   *ast.File
	getenv func(string) string
}

// read reads a file strictly: a field that nobody knows is refused.
func read(path string, getenv func(string) string) (*File, *source, error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, nil, &Fault{File: path, Detail: err.Error()}
	}
	s := &source{path: path, getenv: getenv}
	if s.file, err = parser.ParseBytes(text, 0); err != nil {
		return nil, nil, s.syntax(err)
	}
	for _, doc := range s.file.Docs {
		if err := s.checkShape("", doc.Body, reflect.TypeFor[File]()); err != nil {
			return nil, nil, err
		}
	}
	var f File
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, s.syntax(err)
	}
	return &f, s, nil
}

// syntax is a fault that the parser found.
func (s *source) syntax(err error) error {
	fault := &Fault{File: s.path, Detail: err.Error()}
	var at yaml.Error
	if errors.As(err, &at) {
		fault.Detail = at.GetMessage()
		if token := at.GetToken(); token != nil && token.Position != nil {
			fault.Line = token.Position.Line
		}
	}
	return fault
}

// fault is one at a field; where that is missing, at what should have it.
func (s *source) fault(field, detail string, args ...any) error {
	return &Fault{File: s.path, Line: s.line(field), Field: field, Detail: fmt.Sprintf(detail, args...)}
}

func (s *source) line(field string) int {
	for field != "" {
		path, err := yaml.PathString("$." + field)
		if err != nil {
			return 0
		}
		if node, err := path.FilterFile(s.file); err == nil && node != nil && node.GetToken() != nil {
			return node.GetToken().Position.Line
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return 0
}

// readSecret reads what may stand in a file or in the environment, and in no other
// place; "" if it stands in neither.
func (s *source) readSecret(field, file, env string) (string, error) {
	var secret string
	switch {
	case file != "" && env != "":
		return "", s.fault(field+"_env", "the file or the variable, not both")
	case file != "":
		text, err := readBounded(s.beside(file))
		if err != nil {
			return "", s.fault(field+"_file", "%s", err)
		}
		secret = strings.TrimSpace(string(text))
		field += "_file"
	case env != "":
		secret = strings.TrimSpace(s.getenv(env))
		field += "_env"
	default:
		return "", nil
	}
	if secret == "" || strings.ContainsAny(secret, "\r\n\t \x00") {
		return "", s.fault(field, "there is no key in it, or more than one line; write the key alone")
	}
	return secret, nil
}

// beside is a path that the file names: from the file's own folder.
func (s *source) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.path), path)
}

// readBounded reads a file that may not be large. Its error has no more than the
// reason: who asks knows the name.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		var reason *os.PathError
		if errors.As(err, &reason) {
			err = reason.Err
		}
		return nil, fmt.Errorf("can't read %s: %w", path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("can't read %s", path)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return text, nil
}
