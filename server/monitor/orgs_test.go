package monitor_test

import (
	"fmt"
	"testing"

	"parley/server/monitor"
	"parley/shared/rest"
)

// So many organizations are counted apart, and one more with all only.
func TestOrganizationsThatAreCountedApart(t *testing.T) {
	m := monitor.New(monitor.Config{})
	for n := range monitor.MaxOrgs + 1 {
		m.CountRefusal(fmt.Sprint("org-", n), rest.CodeUserCap)
	}
	for org, want := range map[string]int64{
		"": monitor.MaxOrgs + 1, "org-0": 1,
		fmt.Sprint("org-", monitor.MaxOrgs-1): 1, fmt.Sprint("org-", monitor.MaxOrgs): 0,
	} {
		var got int64
		for _, n := range m.Stats(org).Refused {
			got += n
		}
		if got != want {
			t.Errorf("%q: %d refused, want %d", org, got, want)
		}
	}
}
