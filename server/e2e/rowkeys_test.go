package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// rowInFocus is the id of the session whose row has the focus, by its place among the rows.
func (s *screen) rowInFocus() (id string, place int) {
	at := evaluate[struct {
		ID    string
		Place int
	}](s, `(() => { const row = document.activeElement?.closest('tbody tr[data-id]');
	  return { ID: row?.dataset.id ?? '', Place: row ? [...row.parentElement.children].indexOf(row) : -1 }; })()`)
	return at.ID, at.Place
}

func (s *screen) hasRowInFocus(want int) (id string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("row %d has the focus", want), patience, func() (string, bool) {
		var place int
		id, place = s.rowInFocus()
		return fmt.Sprintf("row %d, %q", place, s.focused()), place == want
	})
	return id
}

// isAt waits until the page is a session's.
func (s *screen) isAt(id string) {
	s.t.Helper()
	eventually(s.t, "the page of "+id, patience, func() (string, bool) {
		return s.address(), strings.HasSuffix(s.address(), "/"+id) && s.focused() == short(id)
	})
}

// From row to row, into one and on to the next, by keys alone; and none of it for who has
// turned them off.
func TestRowsByKeyboard(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil, "--demo-data")
	admin := startBrowser(t, microphone{}, nil).open(srv.adminLink)
	admin.says("Quality now")
	admin.types("gs")
	admin.hasFocus("Sessions")
	admin.says("Check timeouts now")
	admin.types("j")
	admin.hasRowInFocus(0)
	admin.types("jj")
	admin.hasRowInFocus(2)
	admin.types("k")
	admin.hasRowInFocus(1)
	admin.says("Order paused")
	admin.types("x")
	admin.says("1 selected")
	admin.types("x")
	admin.saysNot("1 selected")
	admin.types(".")
	admin.hasFocus("Copy id")
	admin.types(kb.Escape)
	id := admin.hasRowInFocus(1)
	admin.types("k")
	admin.types("j")
	admin.types(kb.Enter)
	admin.isAt(id)
	admin.types("]")
	eventually(t, "the next session", patience, func() (string, bool) {
		return admin.address(), strings.Contains(admin.address(), "/sess_") && !strings.HasSuffix(admin.address(), "/"+id)
	})
	admin.says("Estimated MOS")
	admin.types("[")
	admin.isAt(id)

	admin.types("k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	admin.hasFocus("Search pages and actions")
	admin.types("end session")
	admin.types(kb.Enter)
	admin.says("End this call?")
	admin.hasFocus("Cancel")
	admin.types(kb.Escape)
	admin.saysNot("End this call?")
	admin.isNotLost("after the call was kept")

	admin.goTo(srv.origin() + "/admin/usage")
	admin.says("Total")
	admin.types("k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	admin.hasFocus("Search pages and actions")
	admin.types("end")
	admin.types(kb.Enter)
	admin.hasFocus("Search pages and actions")
	admin.types(id)
	admin.says("End session " + id + "…")
	admin.types(kb.Enter)
	admin.says("End this call?")
	admin.types(kb.Escape)

	admin.goTo(srv.origin() + "/settings")
	admin.click("Single-key shortcuts", "checkbox")
	eventually(t, "the choice is kept", patience, func() (string, bool) {
		kept := evaluate[string](admin, "JSON.stringify(localStorage)")
		return kept, strings.Contains(kept, "keys_off")
	})
	admin.goTo(srv.origin() + "/admin/sessions")
	admin.says("Check timeouts now")
	admin.says("Demo admin")
	admin.types("j ?gl")
	admin.types("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)) // which is no single key
	admin.hasFocus("Search pages and actions")
	admin.types(kb.Escape)
	if _, place := admin.rowInFocus(); place >= 0 || !strings.HasSuffix(admin.address(), "/admin/sessions") || strings.Contains(admin.text(), "Paused") {
		t.Errorf("keys that are off do something: row %d, %s\n%s", place, admin.address(), admin.text())
	}
}
