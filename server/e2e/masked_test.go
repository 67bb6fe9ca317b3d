package e2e_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/shared/rest"
)

// personal is what tells of a person: an e-mail address, a phone number, an address of
// the Internet.
var personal = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[a-z]{2,}|\+\d{7,15}\b|\b(?:\d{1,3}\.){3}\d{1,3}\b`)

// browserVersion stands in the access log and looks like an address.
var browserVersion = regexp.MustCompile(`Chrome/[\d.]+`)

// unmasked are what stands in a text of people as they are. Examples and one's own
// address are no people.
func unmasked(text string) []string {
	return slices.DeleteFunc(personal.FindAllString(browserVersion.ReplaceAllString(text, ""), -1), func(found string) bool {
		return slices.Contains([]string{"10.0.0.0", "127.0.0.1", "203.0.113.7", "ada@example.com", "+12025550134"}, found)
	})
}

// isMasked checks all of a page that a person or a program could read: elements,
// attributes, title and address.
func (s *screen) isMasked(name string) {
	s.t.Helper()
	text := evaluate[string](s, "document.documentElement.outerHTML + document.title + decodeURIComponent(location.href)")
	if text == "" {
		s.t.Errorf("%s: nothing to read", name)
	}
	if found := unmasked(strings.ReplaceAll(text, "http://www.w3.org", "")); len(found) > 0 {
		s.t.Errorf("%s shows %q", name, found)
	}
}

// exportsAreMasked checks every export in every form.
func (s *server) exportsAreMasked(t *testing.T) {
	t.Helper()
	for _, what := range []string{"logs", "audit", "sessions", "activities", "active", "usage"} {
		for _, format := range []string{"ndjson", "csv", "json"} {
			path := strings.Replace(rest.PathExport, "{what}", what, 1) + "?format=" + format
			status, text := fetched(t, &s.client, s.origin()+path, token(s.adminLink))
			if status != http.StatusOK || len(text) < 100 {
				t.Errorf("%s: %d, only %q", path, status, text)
			}
			if found := unmasked(text); len(found) > 0 {
				t.Errorf("%s has %q", path, found[:min(len(found), 9)])
			}
		}
	}
}
