package alert_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/alert"
	"parley/shared/quality"
	"parley/shared/rest"
)

// Every second is judged: x is one over the limit.
func TestAlertsProveThemselves(t *testing.T) {
	cases := map[string]struct {
		seconds string
		want    []string
	}{
		"three at once":               {"xxx.......", []string{"firing 3", "resolved 8"}},
		"three of five":               {"x.x.x.......", []string{"firing 5", "resolved 10"}},
		"three of six":                {"x..x.x.....", nil},
		"two of five":                 {".xx...xx........", nil},
		"every other second":          {"x.x.x.x.x.......", []string{"firing 5", "resolved 14"}},
		"four clean ones end nothing": {"xxx....x.......", []string{"firing 3", "resolved 13"}},
		"a second alert":              {"xxx.......xxx.......", []string{"firing 3", "resolved 8", "firing 13", "resolved 18"}},
		"three before it is over":     {"xxxx....xx..xx.......", []string{"firing 3", "resolved 19"}},
		"all is well":                 {"..........", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				for _, s := range c.seconds {
					r.set(func(now *alert.Readings) { now.Live = map[rune]int{'x': 95, '.': 10}[s] })
					r.seconds(1)
				}
				var want []string
				for _, w := range c.want {
					want = append(want, "live_of_cap "+w)
				}
				r.wantLog(want...)
			})
		})
	}
}

// What a rule asks to last must have lasted: poor calls are told after 180 s.
func TestARuleMayAskForTime(t *testing.T) {
	bad := func(n int) string { return strings.Repeat("x", n) }
	cases := map[string]struct {
		seconds string
		want    []string
	}{
		"a second too short":      {bad(180) + ".......", nil},
		"long enough":             {bad(181) + ".......", []string{"firing 181", "resolved 186"}},
		"with a gap of four":      {bad(100) + "...." + bad(80) + ".....", []string{"firing 181", "resolved 189"}},
		"a gap of five starts it": {bad(100) + "....." + bad(180) + ".....", nil},
		"and from there":          {bad(100) + "....." + bad(181) + ".....", []string{"firing 286", "resolved 291"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				for _, s := range c.seconds {
					r.set(func(now *alert.Readings) {
						// So that no single call is poor for long: a new one each second.
						now.Live, now.Calls = 10, calls(10, map[rune]int{'x': 2, '.': 0}[s])
						for i := range now.Calls {
							now.Calls[i].ID = fmt.Sprint(time.Now().UnixNano(), i)
						}
					})
					r.seconds(1)
				}
				var want []string
				for _, w := range c.want {
					want = append(want, "poor_calls "+w)
				}
				r.wantLog(want...)
			})
		})
	}
}

// Each default rule at its edge: held for as long as it asks and a few seconds.
func TestDefaultRules(t *testing.T) {
	cases := map[string]struct {
		now   alert.Readings
		rule  string // "" none
		value float64
		limit float64
		unit  string
	}{
		"a call below 90 % of the cap": {now: alert.Readings{Live: 89, Cap: 100}},
		"90 % of the cap":              {alert.Readings{Live: 90, Cap: 100}, "live_of_cap", 0.9, 0.9, "ratio"},
		"no cap":                       {now: alert.Readings{Live: 5}},
		"a tenth of calls is poor":     {now: alert.Readings{Live: 20, Cap: 100, Calls: calls(20, 2)}},
		"more than a tenth":            {alert.Readings{Live: 19, Cap: 100, Calls: calls(19, 2)}, "poor_calls", 2.0 / 19, 0.1, "ratio"},
		"four calls, all poor":         {now: alert.Readings{Live: 4, Cap: 100, Calls: calls(4, 4)}},
		"five calls, all poor":         {alert.Readings{Live: 5, Cap: 100, Calls: calls(5, 5)}, "poor_calls", 1, 0.1, "ratio"},
		"one start in twenty fails":    {now: alert.Readings{Cap: 100, Setups: 20, SetupFailures: 1}},
		"one in nineteen":              {alert.Readings{Cap: 100, Setups: 19, SetupFailures: 1}, "setup_failures", 1.0 / 19, 0.05, "ratio"},
		"four starts, all fail":        {now: alert.Readings{Cap: 100, Setups: 4, SetupFailures: 4}},
		"five starts, all fail":        {alert.Readings{Cap: 100, Setups: 5, SetupFailures: 5}, "setup_failures", 1, 0.05, "ratio"},
		"one answer in twenty is slow": {now: alert.Readings{Cap: 100, Answers: 20, SlowAnswers: 1}},
		"two in thirty-nine":           {alert.Readings{Cap: 100, Answers: 39, SlowAnswers: 2}, "slow_answers", 2.0 / 39, 0.05, "ratio"},
		"nineteen answers, all slow":   {now: alert.Readings{Cap: 100, Answers: 19, SlowAnswers: 19}},
		"a storage attempt":            {alert.Readings{Cap: 100, StorageAttempts: 1}, "storage_attempts", 1, 1, "count"},
		"a log line lost":              {alert.Readings{Cap: 100, LogFailures: 1}, "log_write_failures", 1, 1, "count"},
		"a broken chain":               {alert.Readings{Cap: 100, IsAuditChainBroken: true}, "audit_chain_broken", 1, 1, "count"},
		"a certificate with 14 days":   {now: alert.Readings{Cap: 100, CertificateDays: new(14.0)}},
		"with less":                    {alert.Readings{Cap: 100, CertificateDays: new(13.99)}, "certificate_days", 13.99, 14, "days"},
		"one that has ended":           {alert.Readings{Cap: 100, CertificateDays: new(-2.0)}, "certificate_days", -2, 14, "days"},
		"a disk below 90 %":            {now: alert.Readings{Cap: 100, DiskUsed: 0.899}},
		"a disk at 90 %":               {alert.Readings{Cap: 100, DiskUsed: 0.9}, "disk_used", 0.9, 0.9, "ratio"},
		"four callers too many":        {now: alert.Readings{Cap: 100, CapRefusals: 4}},
		"five callers too many":        {alert.Readings{Cap: 100, CapRefusals: 5}, "cap_refusals", 5, 5, "count"},
		"stale keys":                   {alert.Readings{Cap: 100, AreKeysStale: true}, "stale_keys", 1, 1, "count"},
		"a stream refused":             {alert.Readings{Cap: 100, StreamsRefused: 3}, "streams_refused", 3, 1, "count"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.set(func(now *alert.Readings) { *now = c.now })
				r.seconds(10)
				for range 19 { // poor calls are others all the time
					r.set(func(now *alert.Readings) {
						now.Calls = slices.Clone(now.Calls)
						for i := range now.Calls {
							now.Calls[i].ID += "'"
						}
					})
					r.seconds(10)
				}
				raised := map[string]rest.Alert{}
				for _, a := range r.all() {
					if a.Rule != "poor_call" {
						raised[a.Rule] = a
					}
				}
				if c.rule == "" {
					if len(raised) != 0 {
						t.Errorf("told %+v", raised)
					}
					return
				}
				a, ok := raised[c.rule]
				if !ok || len(raised) != 1 || a.Limit != c.limit || a.Unit != c.unit || a.Title == "" || a.ID == "" {
					t.Fatalf("told %+v", raised)
				}
				if d := a.Value - c.value; d > 1e-9 || d < -1e-9 {
					t.Errorf("value %v, want %v", a.Value, c.value)
				}
			})
		})
	}
}

// Events count within their window, to the second.
func TestEventsLeaveTheirWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.set(func(now *alert.Readings) { now.StorageAttempts = 1 })
		r.seconds(80)
		// Seen from second 1 to 60, and five clean ones.
		r.wantLog("storage_attempts firing 3", "storage_attempts resolved 65")
		r.set(func(now *alert.Readings) { now.StorageAttempts = 2 })
		r.seconds(70)
		if got := r.log(); len(got) != 4 {
			t.Errorf("the next one told %q", got)
		}
	})
}

func TestFailedSignIns(t *testing.T) {
	cases := map[string]struct {
		from   []string
		every  time.Duration
		detail string // "" no alert
	}{
		"nine":                        {repeat(9, "192.0.2.7"), time.Second, ""},
		"ten":                         {repeat(10, "192.0.2.7"), time.Second, "192.0.2.0/24"},
		"ten in just five minutes":    {repeat(10, "192.0.2.7"), 32 * time.Second, "192.0.2.0/24"},
		"ten, too slowly":             {repeat(10, "192.0.2.7"), 35 * time.Second, ""},
		"eighteen from two addresses": {append(repeat(9, "192.0.2.7"), repeat(9, "192.0.2.8")...), time.Second, ""},
		"from IPv6":                   {repeat(10, "2001:db8:1:2::7"), time.Second, "2001:db8:1::/48"},
		"from IPv4 in IPv6":           {repeat(10, "::ffff:192.0.2.7"), time.Second, "192.0.2.0/24"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				for _, address := range c.from {
					r.alerts.SignInsRefused(address, 1)
					time.Sleep(c.every)
				}
				r.seconds(600)
				switch told := r.all(); {
				case c.detail == "" && len(told) != 0:
					t.Errorf("told %+v", told)
				case c.detail == "":
				case len(told) != 2 || told[0].Rule != "refused_sign_ins" || told[0].Detail != c.detail || told[0].Value != 10:
					t.Errorf("told %+v", told)
				}
			})
		})
	}
}

func repeat(n int, s string) []string { return strings.Split(strings.Repeat(s+" ", n-1)+s, " ") }

// A flood from everywhere is bounded, and so is one from one address.
func TestSignInsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for i := range 20_000 {
			r.alerts.SignInsRefused(fmt.Sprintf("10.%d.%d.1", i/256, i%256), 1)
		}
		for range 1000 {
			r.alerts.SignInsRefused("10.0.0.1", 1)
		}
		r.seconds(5)
		if told := r.all(); len(told) != 1 || told[0].Value != 100 {
			t.Errorf("told %+v", told)
		}
	})
}

func TestAPoorCallIsAnAlertOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.set(func(now *alert.Readings) { now.Live, now.Calls = 3, calls(3, 1) })
		r.seconds(3)
		page, _, err := r.alerts.List(rest.AlertQuery{State: rest.AlertFiring})
		if err != nil || len(page) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		a := page[0]
		if a.Rule != "poor_call" || a.Session != "s0" || a.Org != "acme" || a.Value != 2.4 || a.Limit != alert.PoorMOS || a.Unit != "mos" {
			t.Errorf("%+v", a)
		}
		r.set(func(now *alert.Readings) { now.Calls[0].MOS = 1.9 })
		r.seconds(1)
		if a, err := r.alerts.Alert(a.ID, ""); err != nil || a.Value != 1.9 {
			t.Errorf("its value stands at %v, %v", a.Value, err)
		}
		r.set(func(now *alert.Readings) { now.Calls[0].Level = quality.Fair })
		r.seconds(5)
		r.wantLog("poor_call firing 3", "poor_call resolved 9")
	})
}

// The end of a session is the end of its alert.
func TestACallThatEndedIsNotPoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.set(func(now *alert.Readings) { now.Calls = calls(1, 1) })
		r.seconds(3)
		r.set(func(now *alert.Readings) { now.Calls = nil })
		r.seconds(4)
		if r.alerts.Firing() != 1 {
			t.Error("resolved before five clean seconds")
		}
		r.seconds(1)
		if r.alerts.Firing() != 0 {
			t.Error("still firing")
		}
		r.wantLog("poor_call firing 3", "poor_call resolved 8")
	})
}
