package admission_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/admission"
	"parley/server/session"
	"parley/shared/rest"
)

// A user may try 20 calls at once and two more for each session that they may have,
// then one a second; another user is not concerned.
func TestTriesOfOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := admission.NewChecks(admission.Config{})
		try := func(user string) rest.ProblemCode {
			if p := c.Check(session.Caller{User: user}, 3); p != nil {
				if p.RetryAfterS != 1 {
					t.Errorf("to come back in %d s", p.RetryAfterS)
				}
				return p.Code
			}
			return ""
		}
		for i := range admission.DefaultStarts + 2*3 {
			if got := try("ada"); got != "" {
				t.Fatalf("try %d: %s", i+1, got)
			}
		}
		if got := try("ada"); got != rest.CodeRateLimited {
			t.Errorf("one more: %q", got)
		}
		if got := try("bob"); got != "" {
			t.Errorf("another user: %q", got)
		}
		time.Sleep(admission.DefaultStartEvery - time.Millisecond)
		if got := try("ada"); got != rest.CodeRateLimited {
			t.Errorf("a millisecond before a second has passed: %q", got)
		}
		time.Sleep(time.Millisecond)
		if got := try("ada"); got != "" {
			t.Errorf("a second later: %q", got)
		}
	})
}

// While nothing protects callers nobody calls, within the rate.
func TestNobodyCallsUnprotected(t *testing.T) {
	c := admission.NewChecks(admission.Config{Starts: 1, StartEvery: time.Hour, Protected: func() error { return errors.New("off") }})
	for i, want := range []rest.ProblemCode{rest.CodePrivacyBlock, rest.CodeRateLimited} {
		p := c.Check(session.Caller{User: "ada"}, 0)
		if p == nil || p.Code != want || p.RetryAfterS == 0 {
			t.Errorf("try %d: %+v", i+1, p)
		}
	}
}

// Why there is no place is told in the words that it is known by.
func TestRefusalsAsProblems(t *testing.T) {
	for _, code := range []session.RefusalCode{session.Draining, session.CapReached, session.UserCap, session.OrgCap} {
		p := admission.RefusalProblem(admission.RefusalOf(&session.Refusal{Code: code, RetryAfter: 1500 * time.Millisecond, Limit: 7}))
		if p.Status != 503 || string(p.Code) != string(code) || p.RetryAfterS != 2 || p.Limit != 7 {
			t.Errorf("%s: %+v", code, p)
		}
	}
	if p := admission.RefusalProblem(admission.RefusalOf(errors.New("?"))); p.Code != rest.CodeDraining {
		t.Errorf("an error that nobody knows: %+v", p)
	}
}
