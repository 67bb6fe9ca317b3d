package site_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"parley/server/site"
	"parley/web"
)

// TestStyleSheetsAreServedWithoutTheirComments, and with every rule.
func TestStyleSheetsAreServedWithoutTheirComments(t *testing.T) {
	for in, want := range map[string]string{
		"/* a */\n\n.x {\n  color: red; /* b\n c */\n}\n": "\n.x {\ncolor: red;\n}\n",
		".a { margin: 0 } .b { content: \"\" }":           ".a { margin: 0 } .b { content: \"\" }",
	} {
		if got := string(site.ShrinkCSS([]byte(in))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	sheets, err := fs.Glob(web.Files, "*.css")
	if err != nil || len(sheets) < 3 {
		t.Fatal(sheets, err)
	}
	texts := regexp.MustCompile(`"[^"]*"|'[^']*'|url\([^)]*\)`)
	for _, name := range sheets {
		raw, err := fs.ReadFile(web.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		shrunk := string(site.ShrinkCSS(raw))
		bare := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(raw), "")
		if strings.Join(strings.Fields(shrunk), " ") != strings.Join(strings.Fields(bare), " ") || strings.Contains(shrunk, "/*") {
			t.Errorf("%s has other rules", name)
		}
		for _, text := range texts.FindAllString(bare, -1) {
			if strings.Contains(text, "\n") {
				t.Errorf("%s has a text that would be changed: %s", name, text)
			}
		}
	}
}
