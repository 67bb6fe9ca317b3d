package ui_test

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
)

// TestAFieldIsTiedToItsWords: label, hint and problem belong to the control, however
// it takes its value, and no field says what another one has.
func TestAFieldIsTiedToItsWords(t *testing.T) {
	for name, test := range map[string]struct {
		field     ui.FormField
		has, lack []string
	}{
		"plain": {ui.FormField{ID: "n", Label: "Name", Kind: ui.InputText, Value: "x", Max: 9},
			[]string{`for="n"`, `aria-label="Name"`, `maxlength="9"`, `value="x"`, `value="x"`}, []string{"describedby", "-problem", "is-changed"}},
		"number with a problem": {ui.FormField{ID: "n", Label: "Timeout", Kind: ui.InputNumber, Unit: "min", Hint: "1 to 240", Problem: "Use 1 to 240 minutes.", Changed: true},
			[]string{`aria-label="Timeout, in min"`, `aria-describedby="n-hint n-problem"`, `id="n-problem"`, ` aria-invalid`, `inputmode="decimal"`, "is-changed"}, nil},
		"secret":     {ui.FormField{ID: "n", Label: "Secret", Kind: ui.InputSecret}, []string{`type="password"`, `autocomplete="off"`}, nil},
		"switch on":  {ui.FormField{ID: "n", Label: "On", Kind: ui.InputSwitch, Value: "true"}, []string{`role="switch"`, "checked"}, nil},
		"switch off": {ui.FormField{ID: "n", Label: "On", Kind: ui.InputSwitch, Value: "false"}, []string{`role="switch"`}, []string{"checked="}},
		"choice": {ui.FormField{ID: "n", Label: "What", Kind: ui.InputSelect, Value: "b", Options: []ui.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
			[]string{"selected", `aria-label="What"`}, nil},
	} {
		html := app.HTMLString(ui.Form{Fields: []ui.FormField{test.field}}.UI())
		for _, want := range test.has {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %s in %s", name, want, html)
			}
		}
		for _, bad := range test.lack {
			if strings.Contains(html, bad) {
				t.Errorf("%s: %s in %s", name, bad, html)
			}
		}
	}
}

// TestAFormToReadTakesNothing by real attributes, of whatever kind its fields are; the
// same fields take what is typed elsewhere.
func TestAFormToReadTakesNothing(t *testing.T) {
	for kind, attribute := range map[ui.InputKind]string{
		ui.InputText: "readonly", ui.InputNumber: "readonly", ui.InputSecret: "readonly", ui.InputSwitch: "disabled", ui.InputSelect: "disabled",
	} {
		for _, isReadOnly := range []bool{true, false} {
			form := ui.Form{IsReadOnly: isReadOnly, Fields: []ui.FormField{{ID: "n", Label: "N", Kind: kind, Options: []ui.Option{{Value: "a", Label: "A"}}}}}
			if html := app.HTMLString(form.UI()); strings.Contains(html, " "+attribute) != isReadOnly {
				t.Errorf("%s, to read: %v: %s", kind, isReadOnly, html)
			}
		}
	}
}

// TestADiffSaysWhatWasAndWhatBecomes, without colour too.
func TestADiffSaysWhatWasAndWhatBecomes(t *testing.T) {
	html := app.HTMLString(ui.Diff([]ui.Change{{Label: "Timeout", Old: "30 min", New: "20 min"}, {Label: "Rule", New: "A call is poor"}}))
	for _, want := range []string{"Timeout", "was ", "30 min", "becomes ", "20 min", ui.Missing} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}

// TestTheBarCountsWhatIsToBeSaved, and lets nothing be reviewed that can't be.
func TestTheBarCountsWhatIsToBeSaved(t *testing.T) {
	for _, test := range []struct {
		bar       ui.ChangeBar
		has, lack string
	}{
		{ui.ChangeBar{}, "is-empty", "<button"},
		{ui.ChangeBar{Changes: 1}, "1 change<", "disabled"},
		{ui.ChangeBar{Changes: 2, Problems: 1}, "2 changes · 1 to correct", "is-empty"},
	} {
		html := app.HTMLString(test.bar.UI())
		if !strings.Contains(html, test.has) || strings.Contains(html, test.lack) {
			t.Errorf("%+v: %s", test.bar, html)
		}
		if hasProblem := test.bar.Problems > 0; strings.Contains(html, "disabled") != hasProblem {
			t.Errorf("%+v can be reviewed: %s", test.bar, html)
		}
	}
}

// TestADialogAsksForWhatItTakes: a reason unless it is optional, and a phrase where
// one is wanted.
func TestADialogAsksForWhatItTakes(t *testing.T) {
	for name, test := range map[string]struct {
		dialog     *ui.ConfirmWithReason
		has        string
		isDisabled bool
	}{
		"reason":    {&ui.ConfirmWithReason{Confirm: "End call"}, "button-danger", true},
		"optional":  {&ui.ConfirmWithReason{Confirm: "Save", Kind: ui.Primary, Optional: true}, "Reason (optional)", false},
		"phrase":    {&ui.ConfirmWithReason{Confirm: "Turn off", Optional: true, Phrase: "turn off"}, "Type “turn off” to confirm", true},
		"no reason": {&ui.ConfirmWithReason{Confirm: "Save", NoReason: true, Problem: "Not now."}, "Not now.", false},
		"busy":      {&ui.ConfirmWithReason{Confirm: "Save", Optional: true, Busy: true}, "Save", true},
	} {
		html := app.HTMLString(test.dialog)
		if !strings.Contains(html, test.has) || strings.Contains(html, "disabled") != test.isDisabled {
			t.Errorf("%s: %s", name, html)
		}
	}
}
