package e2e_test

import "testing"

// These tests hold the page to a time, and mostly wait. They run beside each other,
// the longest first, and no other test runs meanwhile.
func TestWhatTakesItsTime(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"what Parley shows is true", whatParleyShowsIsTrue},
		{"a cut of ten seconds heals", aCutOfTenSecondsHeals},
		{"a long cut ends when the page says", aLongCutEndsWhenThePageSays},
		{"Back and Forward in mid-call", backAndForwardInMidCall},
		{"a duplicated tab", aDuplicatedTab},
		{"reload twice", reloadTwice},
		{"page and server agree", thePageAndTheServerAgree},
		{"a call whose server is killed", aCallWhoseServerIsKilled},
		{"ending a call whose server is killed", endingACallWhoseServerIsKilled},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}
