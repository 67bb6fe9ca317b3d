package load_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/app/admin/load"
	"parley/shared/rest"
)

// TestWhyAnActWasNotDone, with what to do about it.
func TestWhyAnActWasNotDone(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"done":          {nil, ""},
		"no network":    {errors.New("failed to fetch"), "We can't reach the server. Check your connection, then try again."},
		"signed out":    {&rest.Problem{Status: 401}, "Your sign-in is over. Sign in again."},
		"no right":      {&rest.Problem{Status: 403}, "Your account may not do this on this server."},
		"gone":          {&rest.Problem{Status: 404}, "There is no such thing any more."},
		"too fast":      {&rest.Problem{Status: 429, RetryAfterS: 12}, "Too many requests. You can try again in 12 s."},
		"out of range":  {&rest.Problem{Status: 422, Detail: "Use 1 to 240 minutes."}, "Use 1 to 240 minutes."},
		"not on record": {&rest.Problem{Status: 503, Code: rest.CodeAudit}, "It can't be put on record just now, so it isn't done. Try again."},
		"node is away":  {&rest.Problem{Status: 503, Code: rest.CodeNodeUnreachable}, "The server that was to do it can't be reached, so it isn't done. If it is dead, its calls end by themselves."},
		"node is late":  {&rest.Problem{Status: 504, Code: rest.CodeNodeUnreachable}, "The server that was asked didn't answer in time. Look whether it is done."},
		"a fault":       {fmt.Errorf("save: %w", &rest.Problem{Status: 500, RequestID: "req_1"}), "This is on our side. Request req_1"},
	} {
		if got := load.Words(test.err); got != test.want {
			t.Errorf("%s: %q, not %q", name, got, test.want)
		}
	}
}
