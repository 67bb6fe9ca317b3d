package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// durationType is told apart from other numbers: it is written with its unit.
var durationType = reflect.TypeFor[time.Duration]()

// checkShape finds the first value of the file that is not of the type its field has,
// before it is decoded: the decoder knows Go's types, but not the field's name.
func (s *source) checkShape(field string, node ast.Node, t reflect.Type) error {
	node = plain(node)
	switch {
	case node == nil || node.Type() == ast.NullType || node.Type() == ast.AliasType:
		return nil // nothing, or what is checked where it stands
	case t.Kind() == reflect.Pointer:
		return s.checkShape(field, node, t.Elem())
	case t == durationType:
		if _, err := time.ParseDuration(textOf(node)); err != nil {
			return s.shapeFault(field, node, "write a duration with its unit, like 30s or 5m")
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return s.checkMapping(field, node, t)
	case reflect.Slice:
		return s.checkList(field, node, t)
	case reflect.Bool:
		if node.Type() != ast.BoolType {
			return s.shapeFault(field, node, "write true or false")
		}
	case reflect.Int:
		i, isInteger := node.(*ast.IntegerNode)
		if isInteger {
			isInteger = fits(i.Value)
		}
		if !isInteger {
			return s.shapeFault(field, node, "write a whole number")
		}
	case reflect.Float64:
		if node.Type() != ast.IntegerType && node.Type() != ast.FloatType {
			return s.shapeFault(field, node, "write a number")
		}
	case reflect.String:
		if _, isScalar := node.(ast.ScalarNode); !isScalar {
			return s.shapeFault(field, node, "write text; in quotes, if it begins with [ or {")
		}
	}
	return nil
}

// checkMapping checks fields, one by one.
func (s *source) checkMapping(field string, node ast.Node, t reflect.Type) error {
	mapping, isMapping := node.(ast.MapNode)
	if !isMapping {
		if t.Kind() == reflect.Map {
			return s.shapeFault(field, node, "write fields below it, as name: value")
		}
		return s.shapeFault(field, node, "write fields below it: %s", strings.Join(fieldsOf(t), ", "))
	}
	for each := mapping.MapRange(); each.Next(); {
		if each.Key().IsMergeKey() {
			continue
		}
		name := textOf(each.Key())
		of, isKnown := typeOf(t, name)
		if !isKnown {
			return s.shapeFault(join(field, name), each.Key(), "nobody knows this field; here may be %s", strings.Join(fieldsOf(t), ", "))
		}
		if err := s.checkShape(join(field, name), each.Value(), of); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) checkList(field string, node ast.Node, t reflect.Type) error {
	list, isList := node.(*ast.SequenceNode)
	if !isList {
		return s.shapeFault(field, node, "write a list, like [a, b], or a line with - for each")
	}
	for i, each := range list.Values {
		if err := s.checkShape(fmt.Sprintf("%s[%d]", field, i), each, t.Elem()); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) shapeFault(field string, node ast.Node, detail string, args ...any) error {
	fault := &Fault{File: s.path, Field: field, Detail: fmt.Sprintf(detail, args...)}
	if token := node.GetToken(); token != nil && token.Position != nil {
		fault.Line = token.Position.Line
	}
	return fault
}

// plain is a node without the marks around it.
func plain(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		default:
			return node
		}
	}
}

// textOf is what a scalar is written as.
func textOf(node ast.Node) string {
	if text, isText := node.(*ast.StringNode); isText {
		return text.Value
	}
	if token := node.GetToken(); token != nil {
		return token.Value
	}
	return ""
}

// fits reports whether an integer of the file is one of Go's.
func fits(value any) bool {
	v := reflect.ValueOf(value)
	return v.CanInt() || v.CanUint() && v.Uint() <= 1<<63-1
}

// typeOf is that of a field by its name in the file.
func typeOf(t reflect.Type, name string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for f := range t.Fields() {
		if f.Tag.Get("yaml") == name {
			return f.Type, true
		}
	}
	return nil, false
}

// fieldsOf are the names of a struct's fields in the file.
func fieldsOf(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	slices.Sort(names)
	return names
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}
