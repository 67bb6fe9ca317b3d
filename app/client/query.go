package client

import (
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// withQuery puts a query behind a path: the fields that carry a query tag, by
// that name, and its Cursor and Limit. What is zero is left out: an empty value
// would be one that is asked for.
func withQuery(path string, query any) string {
	values := url.Values{}
	v := reflect.ValueOf(query)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("query")
		switch {
		case f.Name == "Cursor":
			name = "cursor"
		case f.Name == "Limit":
			name = "limit"
		case name == "":
			continue
		}
		if text := queryText(v.Field(i)); text != "" {
			values.Set(name, text)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// queryText is a value as the server reads it; "" for a zero one.
func queryText(v reflect.Value) string {
	switch {
	case v.IsZero():
		return ""
	case v.Kind() == reflect.String:
		return v.String()
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	t, _ := v.Interface().(time.Time)
	return t.UTC().Format(time.RFC3339Nano)
}
