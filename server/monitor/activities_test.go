package monitor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/monitor"
	"parley/shared/rest"
)

func TestActivitiesInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		start := time.Now()
		for i := range 10 {
			m.Act(rest.Activity{
				What: fmt.Sprint(i), Kind: []string{rest.ActivitySignIn, rest.ActivityAdmin}[i%2],
				User: []string{"ada", "bob", "cy"}[i%3], Org: []string{"acme", "other"}[i/5], Session: map[int]string{7: "s7"}[i],
			})
			time.Sleep(time.Second / 2) // some wait for the next frame, some were in one
		}
		at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second / 2) }
		cases := map[string]struct {
			q    monitor.ActivityQuery
			want string
		}{
			"all":             {monitor.ActivityQuery{}, "9876543210"},
			"a kind":          {monitor.ActivityQuery{Kind: rest.ActivityAdmin}, "97531"},
			"a person":        {monitor.ActivityQuery{User: "bob"}, "741"},
			"a session":       {monitor.ActivityQuery{Session: "s7"}, "7"},
			"an organization": {monitor.ActivityQuery{Org: "acme"}, "43210"},
			"from a moment":   {monitor.ActivityQuery{From: at(7)}, "987"},
			"to a moment":     {monitor.ActivityQuery{To: at(3)}, "210"},
			"between":         {monitor.ActivityQuery{From: at(3), To: at(5)}, "43"},
			"several at once": {monitor.ActivityQuery{Org: "acme", Kind: rest.ActivitySignIn, User: "ada"}, "0"},
			"nobody":          {monitor.ActivityQuery{User: "eve"}, ""},
		}
		for name, c := range cases {
			for _, limit := range []int{0, 1, 3, 10} {
				got, q := "", c.q
				for q.Limit = limit; ; {
					page, next, err := m.Activities(q)
					if err != nil || limit > 0 && len(page) > limit {
						t.Fatalf("%s by %d: %d, %v", name, limit, len(page), err)
					}
					for _, a := range page {
						got += a.What
					}
					if q.Cursor = next; next == "" {
						break
					}
				}
				if got != c.want {
					t.Errorf("%s by %d: %s, want %s", name, limit, got, c.want)
				}
			}
		}
		for _, cursor := range []string{"x", "-1", strings.Repeat("9", 30)} {
			if _, _, err := m.Activities(monitor.ActivityQuery{Cursor: cursor}); !errors.Is(err, monitor.ErrCursor) {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
	})
}

// What comes between two pages moves nothing.
func TestPagesHoldStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := running(t, monitor.Config{})
		for i := range 4 {
			m.Act(rest.Activity{What: fmt.Sprint(i)})
		}
		_, next, err := m.Activities(monitor.ActivityQuery{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		m.Act(rest.Activity{What: "new"})
		time.Sleep(time.Second)
		page, next, err := m.Activities(monitor.ActivityQuery{Limit: 2, Cursor: next})
		if err != nil || next != "" || len(page) != 2 || page[0].What != "1" || page[1].What != "0" {
			t.Errorf("%+v, %q, %v", page, next, err)
		}
	})
}

func TestAPageHasALimit(t *testing.T) {
	m := monitor.New(monitor.Config{})
	for range monitor.MaxActivities {
		m.Act(rest.Activity{})
	}
	for limit, want := range map[int]int{-1: rest.DefaultLimit, 0: rest.DefaultLimit, 500: 500, 501: rest.MaxLimit} {
		if page, _, err := m.Activities(monitor.ActivityQuery{Limit: limit}); err != nil || len(page) != want {
			t.Errorf("limit %d: %d, %v", limit, len(page), err)
		}
	}
}
