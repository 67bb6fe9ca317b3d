package api

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// rowFormat is how a file has its rows.
type rowFormat[T any] struct {
	extension, contentType string
	header                 func(*bytes.Buffer)
	row                    func(*bytes.Buffer, T) error
	between, foot          string // between two rows, and after the last
}

func formats[T any](a *API, name string) rowFormat[T] {
	switch name {
	case "csv":
		return csvFormat[T](a)
	case "json":
		return rowFormat[T]{
			extension: "json", contentType: "application/json",
			header: func(b *bytes.Buffer) { b.WriteByte('[') }, between: ",\n", foot: "]\n",
			row: func(b *bytes.Buffer, v T) error { return a.encoder.Write(b, v) },
		}
	}
	return rowFormat[T]{
		extension: "ndjson", contentType: "application/x-ndjson",
		header: func(*bytes.Buffer) {},
		row: func(b *bytes.Buffer, v T) error {
			defer b.WriteByte('\n')
			return a.encoder.Write(b, v)
		},
	}
}

// csvFormat writes RFC 4180 with every cell in quotes. The columns are the names
// that the resource has in JSON, those of what is inside of it after its own;
// lists and maps are JSON in a cell.
func csvFormat[T any](a *API) rowFormat[T] {
	columns := columnsOf("", nil, reflect.TypeFor[T]())
	return rowFormat[T]{
		extension: "csv", contentType: "text/csv; charset=utf-8; header=present",
		header: func(b *bytes.Buffer) {
			for i, c := range columns {
				writeCell(b, i, c.name)
			}
			b.WriteString("\r\n")
		},
		row: func(b *bytes.Buffer, v T) error {
			for i, c := range columns {
				text, err := a.cell(c.of(reflect.ValueOf(v)))
				if err != nil {
					return fmt.Errorf("column %s: %w", c.name, err)
				}
				writeCell(b, i, text)
			}
			b.WriteString("\r\n")
			return nil
		},
	}
}

// column is a field of a resource, or of what is inside of it.
type column struct {
	name string
	path []int
}

func columnsOf(prefix string, path []int, t reflect.Type) (found []column) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" || !f.IsExported() {
			continue
		}
		at := append(append([]int(nil), path...), i)
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() {
			found = append(found, columnsOf(prefix+name+"_", at, inner)...)
			continue
		}
		found = append(found, column{name: prefix + name, path: at})
	}
	return found
}

// of finds the value; the zero Value stands for nothing.
func (c column) of(v reflect.Value) reflect.Value {
	for _, i := range c.path {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if !v.IsValid() {
			return v
		}
		v = v.Field(i)
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

func (a *API) cell(v reflect.Value) (string, error) {
	if !v.IsValid() {
		return "", nil
	}
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(timeFormat), nil
	}
	switch v.Kind() {
	case reflect.String:
		return escapeFormula(v.String()), nil
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	}
	if v.Len() == 0 {
		return "", nil
	}
	var b bytes.Buffer
	err := a.encoder.Write(&b, v.Interface())
	return escapeFormula(b.String()), err
}

// escapeFormula makes text of what a spreadsheet would run: a cell that begins, after
// any space, with one of the characters of a formula, in either width.
func escapeFormula(s string) string {
	begin := strings.TrimLeft(s, " \u00a0\u3000")
	if first, size := utf8.DecodeRuneInString(begin); size > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

func writeCell(b *bytes.Buffer, i int, text string) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteByte('"')
	b.WriteString(strings.ReplaceAll(text, `"`, `""`))
	b.WriteByte('"')
}
