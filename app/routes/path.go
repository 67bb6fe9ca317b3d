package routes

import (
	"regexp"
	"strings"
)

// match compares an address with a page's path, and gives what stands in the
// place of its braces.
func match(pattern, path string) (id string, ok bool) {
	head, rest, found := strings.Cut(pattern, "{")
	if !found {
		return "", pattern == path
	}
	_, tail, _ := strings.Cut(rest, "}")
	id, ok = strings.CutPrefix(path, head)
	if !ok {
		return "", false
	}
	if id, ok = strings.CutSuffix(id, tail); !ok || id == "" || strings.Contains(id, "/") {
		return "", false
	}
	return id, true
}

func hasID(pattern string) bool { return strings.Contains(pattern, "{") }

// pathPattern is the expression by which go-app knows a path with an id.
func pathPattern(pattern string) string {
	head, rest, _ := strings.Cut(pattern, "{")
	_, tail, _ := strings.Cut(rest, "}")
	return "^" + regexp.QuoteMeta(head) + "[^/]+" + regexp.QuoteMeta(tail) + "$"
}
