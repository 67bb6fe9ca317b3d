package realtime

import "maps"

// shape says what of a value is passed on: what it does not name is left out,
// whatever it is called and however it is spelt. The zero shape is a plain value,
// or a list of such: nothing can be hidden inside.
type shape struct {
	fields map[string]shape // of an object
	each   *shape           // of a list
	whole  bool             // everything of it
}

// anything is passed on as it is.
func anything() shape { return shape{whole: true} }

// listOf is the shape of a list of such values.
func listOf(s shape) shape { return shape{each: &s} }

// of is the shape of an object with plain values of these names.
func of(names ...string) shape {
	s := shape{fields: map[string]shape{}}
	for _, name := range names {
		s.fields[name] = shape{}
	}
	return s
}

// with is s and a value of another shape.
func (s shape) with(name string, inner shape) shape {
	fields := maps.Clone(s.fields)
	fields[name] = inner
	return shape{fields: fields}
}

// and is s with plain values of these names.
func (s shape) and(names ...string) shape {
	for _, name := range names {
		s = s.with(name, shape{})
	}
	return s
}

// take returns what is passed on of v, and whether anything is. A value of another
// kind than the shape's is left out: an agent might read it all the same.
func (s shape) take(v node) (node, bool) {
	if s.whole || v == nil {
		return v, true
	}
	switch v := v.(type) {
	case object:
		return s.takeObject(v), s.fields != nil
	case list:
		return s.takeList(v), s.fields == nil
	}
	return v, s.fields == nil && s.each == nil
}

func (s shape) takeList(l list) list {
	inner := shape{}
	if s.each != nil {
		inner = *s.each
	}
	kept := list{}
	for _, v := range l {
		_, isList := v.(list)
		if k, ok := inner.take(v); ok && !isList && v != nil {
			kept = append(kept, k)
		}
	}
	return kept
}

func (s shape) takeObject(o object) object {
	kept := object{}
	for _, m := range o {
		if inner, named := s.fields[m.name]; named {
			if v, ok := inner.take(m.value); ok {
				kept = append(kept, member{m.name, v})
			}
		}
	}
	return kept
}
