package people

import (
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// TestASubjectIsVisibleASCII of 1 to 255 characters, as tokens have it.
func TestASubjectIsVisibleASCII(t *testing.T) {
	for user, isGood := range map[string]bool{
		"ada": true, " ada ": true, "!~": true, "": false, " ": false, "a b": false, "é": false, "a\x7f": false,
		strings.Repeat("a", 255): true, strings.Repeat("a", 256): false,
	} {
		if problem := userProblem(user); (problem == "") != isGood {
			t.Errorf("%q: %q", user, problem)
		}
	}
}

// TestRevocationsAreListed with what is refused, and why as far as it is known.
func TestRevocationsAreListed(t *testing.T) {
	p := &Page{next: "c", list: []rest.Revocation{
		{ID: 1, User: "a•••", Block: true, Since: time.Now(), By: "root", Reason: "Misuse"}, {ID: 2, User: "b•••", Since: time.Now(), By: "root"},
	}}
	html := app.HTMLString(p.table())
	for _, want := range []string{"all of them", "those until then", "Misuse", `aria-label="no data"`, "Restore a•••", "Load older"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	if endedWords(1) != "1 call was ended." || endedWords(0) != "0 calls were ended." {
		t.Errorf("%q, %q", endedWords(1), endedWords(0))
	}
}
