package routes_test

import (
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/routes"
)

// Nothing that can wait is said in a call, and of two things the version first.
func TestNoticesWaitForTheEndOfACall(t *testing.T) {
	for name, test := range map[string]struct {
		isReady, isOffer, isApple, isBusy bool
		says                              string
	}{
		"nothing to say":       {says: ""},
		"a version":            {isReady: true, says: "A new version is ready"},
		"a version, in a call": {isReady: true, isOffer: true, isBusy: true, says: ""},
		"both":                 {isReady: true, isOffer: true, says: "A new version is ready"},
		"a version's text":     {isReady: true, says: "It takes a second."},
		"a version, now":       {isReady: true, says: "Update"},
		"a version, not now":   {isReady: true, says: "Later"},
		"an offer":             {isOffer: true, says: "One tap to call."},
		"an offer on Apple's":  {isOffer: true, isApple: true, says: "Add to Home Screen"},
		"its sign":             {isOffer: true, isApple: true, says: "<svg"},
	} {
		html := app.HTMLString(routes.NoticeOf(test.isReady, test.isOffer, test.isApple, test.isBusy))
		if shown := !strings.Contains(html, "is-empty"); shown != (test.says != "") || !strings.Contains(html, test.says) {
			t.Errorf("%s: %s", name, html)
		}
	}
}
