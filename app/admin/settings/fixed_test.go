package settings

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestWhatWasSetAtTheStartIsShown beside the flag that sets it, and nothing where nobody
// tells of it.
func TestWhatWasSetAtTheStartIsShown(t *testing.T) {
	p := &Page{draft: newDraft(rest.Settings{})}
	if p.fixedUI() != nil {
		t.Error("there is a table of nothing")
	}
	for _, f := range fixedFields() {
		if f.flag != "" {
			p.fixed = append(p.fixed, rest.FixedSetting{Flag: f.flag, Value: "value of " + f.flag})
		}
	}
	html := app.HTMLString(p.fixedUI())
	for _, f := range fixedFields() {
		want := []string{f.label, f.value}
		if f.flag != "" {
			want = []string{f.label, "--" + f.flag, "value of " + f.flag}
		}
		for _, w := range want {
			if !strings.Contains(html, strings.ReplaceAll(w, "'", "&#39;")) {
				t.Errorf("no %q in %s", w, html)
			}
		}
	}
}
