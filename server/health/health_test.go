package health_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/server/alert"
	"parley/server/health"
	"parley/server/monitor"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/quality"
	"parley/shared/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is a store and an audit log that note what they are asked for.
type record struct {
	mu        sync.Mutex
	faults    map[string]error // by what is asked
	before    store.Before
	audit     time.Time
	asked     []string
	deleted   store.Deleted
	trimmed   int64
	maxBytes  int64
	auditGone int64
}

func (r *record) ask(what string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, what)
	return r.faults[what]
}

func (r *record) Healthy(context.Context) error { return r.ask("healthy") }

func (r *record) Retain(_ context.Context, b store.Before) (store.Deleted, error) {
	r.before = b
	return r.deleted, r.ask("retain")
}

func (r *record) TrimLogs(_ context.Context, maxBytes int64) (int64, error) {
	r.maxBytes = maxBytes
	return r.trimmed, r.ask("trim")
}

func (r *record) EraseDeleted(context.Context) error { return r.ask("erase") }

type auditLog struct{ *record }

func (a auditLog) Retain(_ context.Context, before time.Time) (int64, error) {
	a.audit = before
	return a.auditGone, a.ask("audit")
}

// rig is an Upkeep on a record, in a bubble of time.
type rig struct {
	*record
	*health.Upkeep
	mu      sync.Mutex
	values  settings.Values
	privacy error
	log     strings.Builder
	follows atomic.Bool // another node leads
}

func (r *rig) settings() settings.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.values
}

func (r *rig) set(change func(*settings.Values)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.values)
}

// count tells how often something was asked for, and forgets it.
func (r *rig) count(what string) (n int) {
	r.record.mu.Lock()
	defer r.record.mu.Unlock()
	for _, asked := range r.asked {
		if asked == what {
			n++
		}
	}
	r.asked = slices.DeleteFunc(r.asked, func(asked string) bool { return asked == what })
	return n
}

// fail sets what the store and privacy are told to be at fault with from now on.
func (r *rig) fail(store, privacy error) {
	r.record.mu.Lock()
	r.faults["healthy"] = store
	r.record.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.privacy = privacy
}

func (r *rig) validatePrivacy() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.privacy
}

// runs tests with an Upkeep that runs; look is called when it rests.
func runs(t *testing.T, prepare, look func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{record: &record{faults: map[string]error{}}, values: settings.Defaults()}
		prepare(r)
		r.Upkeep = health.NewUpkeep(health.UpkeepConfig{
			Store: r.record, Audit: auditLog{r.record}, ValidatePrivacy: r.validatePrivacy,
			IsLeader: func() bool { return !r.follows.Load() }, Settings: r.settings, LogMaxSize: 4096, Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
		})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })
		synctest.Wait()
		look(r)
		stop()
		running.Wait()
	})
}

func TestOneNodeOfAClusterLetsGoOfWhatIsOld(t *testing.T) {
	runs(t, func(r *rig) { r.follows.Store(true) }, func(r *rig) {
		wait(2 * health.RetainInterval)
		if !r.before.Logs.IsZero() {
			t.Errorf("who doesn't lead deleted what is from before %v", r.before.Logs)
		}
		r.follows.Store(false)
		wait(health.UpkeepInterval)
		if r.before.Logs.IsZero() {
			t.Error("who leads now deleted nothing")
		}
	})
}

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestWhatIsOldGoesAtTheStartAndEachHour(t *testing.T) {
	runs(t, func(*rig) {}, func(r *rig) {
		begun := time.Now()
		want := store.Before{Logs: begun.Add(-r.values.LogRetention), Sessions: begun.Add(-r.values.AuditRetention)}
		if r.before != want || !r.audit.Equal(want.Sessions) {
			t.Errorf("at the start %v and %v, want %v", r.before, r.audit, want)
		}
		if retained, audited := r.count("retain"), r.count("audit"); retained != 1 || audited != 1 {
			t.Errorf("retained %d times, the audit log %d", retained, audited)
		}
		wait(health.RetainInterval - time.Second)
		if n := r.count("retain"); n != 0 {
			t.Errorf("%d times more within the hour", n)
		}
		wait(time.Second)
		if n := r.count("retain"); n != 1 || !r.before.Logs.Equal(want.Logs.Add(health.RetainInterval)) {
			t.Errorf("%d times at the hour, before %v", n, r.before.Logs)
		}
	})
}

func TestWhatWentIsToldOfADay(t *testing.T) {
	runs(t, func(r *rig) { r.deleted.Logs, r.auditGone = 3, 1 }, func(r *rig) {
		begun := time.Now()
		if got, want := r.Deleted(), (rest.Deletion{CheckedAt: begun.UTC(), Lines: 4}); got != want {
			t.Errorf("at the start %+v, not %+v", got, want)
		}
		wait(30 * time.Hour)
		if got, want := r.Deleted(), (rest.Deletion{CheckedAt: begun.Add(30 * time.Hour).UTC(), Lines: 24 * 4}); got != want {
			t.Errorf("after more than a day %+v, not %+v", got, want)
		}
	})
}

func TestAShorterRetentionHoldsAtTheNextLook(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*settings.Values)
		want   int
	}{
		"logs shorter":  {func(v *settings.Values) { v.LogRetention -= settings.Day }, 1},
		"audit shorter": {func(v *settings.Values) { v.AuditRetention -= settings.Day }, 1},
		"logs longer":   {func(v *settings.Values) { v.LogRetention += settings.Day }, 0},
		"another one":   {func(v *settings.Values) { v.MaxSessions-- }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			runs(t, func(*rig) {}, func(r *rig) {
				r.count("retain")
				r.set(test.change)
				wait(health.UpkeepInterval)
				if got := r.count("retain"); got != test.want {
					t.Errorf("retained %d times, want %d", got, test.want)
				}
			})
		})
	}
}

func TestTheStoreAndPrivacyAreLookedAtInTurn(t *testing.T) {
	runs(t, func(*rig) {}, func(r *rig) {
		if r.IsStoreFailing() || r.maxBytes != 4096 {
			t.Errorf("failing %v, the log kept to %d bytes", r.IsStoreFailing(), r.maxBytes)
		}
		r.fail(errors.New("no space"), errors.New("a recording was found"))
		wait(health.UpkeepInterval)
		if !r.IsStoreFailing() || !strings.Contains(r.log.String(), "a recording was found") {
			t.Errorf("failing %v; logged %s", r.IsStoreFailing(), &r.log)
		}
		r.fail(nil, nil)
		wait(health.UpkeepInterval)
		if r.IsStoreFailing() {
			t.Error("it is well again and counts as failing")
		}
	})
}

func TestUpkeepSaysWhatItDidAndCouldNot(t *testing.T) {
	broken := errors.New("disk gone")
	for name, test := range map[string]struct {
		prepare func(*rig)
		want    string // "": nothing
	}{
		"nothing to do":           {func(*rig) {}, ""},
		"rows deleted":            {func(r *rig) { r.deleted.Logs = 3 }, "deleted what is old"},
		"audit lines deleted":     {func(r *rig) { r.auditGone = 2 }, "audit=2"},
		"store does not delete":   {func(r *rig) { r.faults["retain"] = broken }, "what is old could not be deleted"},
		"audit does not delete":   {func(r *rig) { r.faults["audit"] = broken }, "old audit lines could not be deleted"},
		"log over its size":       {func(r *rig) { r.trimmed = 7 }, "logs=7"},
		"log can't be trimmed":    {func(r *rig) { r.faults["trim"] = broken }, "not yet off the disk"},
		"bytes can't be erased":   {func(r *rig) { r.faults["erase"] = broken }, "not yet off the disk"},
		"privacy is not in force": {func(r *rig) { r.privacy = broken }, "calls are refused"},
	} {
		t.Run(name, func(t *testing.T) {
			runs(t, test.prepare, func(r *rig) {
				if got := r.log.String(); test.want == "" && got != "" || !strings.Contains(got, test.want) {
					t.Errorf("logged %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestWhatDoesNotWorkIsNamed(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	well := health.Checks{
		IsStoreFailing: no, AreRecordsFailing: no, IsAccessLogFailing: no, Protected: func() error { return nil }, AreKeysWell: yes, IsAuditIntact: yes, IsCertificateWell: yes,
	}
	for name, test := range map[string]struct {
		change func(*health.Checks)
		want   []string
	}{
		"all well":         {func(*health.Checks) {}, nil},
		"no such parts":    {func(c *health.Checks) { *c = health.Checks{} }, nil},
		"store":            {func(c *health.Checks) { c.IsStoreFailing = yes }, []string{"store"}},
		"records":          {func(c *health.Checks) { c.AreRecordsFailing = yes }, []string{"store"}},
		"store, by both":   {func(c *health.Checks) { c.IsStoreFailing, c.AreRecordsFailing = yes, yes }, []string{"store"}},
		"access log":       {func(c *health.Checks) { c.IsAccessLogFailing = yes }, []string{"access_log"}},
		"privacy":          {func(c *health.Checks) { c.Protected = func() error { return errors.New("off") } }, []string{"privacy"}},
		"keys":             {func(c *health.Checks) { c.AreKeysWell = no }, []string{"keys"}},
		"audit":            {func(c *health.Checks) { c.IsAuditIntact = no }, []string{"audit_chain"}},
		"certificate":      {func(c *health.Checks) { c.IsCertificateWell = no }, []string{"certificate"}},
		"log export":       {func(c *health.Checks) { c.IsLogExportFailing = yes }, []string{"log_export"}},
		"lease":            {func(c *health.Checks) { c.IsLeaseFailing = yes }, []string{"lease"}},
		"bus":              {func(c *health.Checks) { c.IsBusFailing = yes }, []string{"bus"}},
		"two, in an order": {func(c *health.Checks) { c.IsAuditIntact, c.IsAccessLogFailing = no, yes }, []string{"access_log", "audit_chain"}},
	} {
		checks := well
		test.change(&checks)
		ready := health.NewReadiness(checks)
		if draining, got := ready.State(); draining || !slices.Equal(got, test.want) {
			t.Errorf("%s: draining %v, degraded %v, want %v", name, draining, got, test.want)
		}
		for part, isDegraded := range ready.Degraded() {
			if isDegraded != slices.Contains(test.want, part) {
				t.Errorf("%s: %s is degraded: %v", name, part, isDegraded)
			}
		}
		ready.StartDraining()
		if draining, got := ready.State(); !draining || !slices.Equal(got, test.want) {
			t.Errorf("%s: draining %v, degraded %v after the drain began", name, draining, got)
		}
	}
}

func TestReadingsAreOfTheMoment(t *testing.T) {
	began, isIntact, ends := int64(7), true, time.Time{}
	r := health.NewReadings(health.Sources{
		Capacity: func() (live, limit, perUser int) { return 3, 10, 2 },
		Setups:   func() (int64, int64) { return began, 2 },
		Answers:  func() (int64, int64) { return 40, 3 },
		Ratings: func() []monitor.Rating {
			return []monitor.Rating{{ID: "s1", Org: "acme", Verdict: quality.Verdict{Level: quality.Poor, MOS: 2.4, R: 50}}}
		},
		RefusedOperations:  func() int64 { return 4 },
		LostLogLines:       func() int64 { return 5 },
		IsAuditChainIntact: func() bool { return isIntact },
		CapRefusals:        func() int64 { return 6 },
		AreKeysWell:        func() bool { return isIntact },
		Certificate:        func() (from, to time.Time) { return time.Time{}, ends },
		DiskUsed:           func() float64 { return 0.5 },
		Anomalies:          func() []rest.Anomaly { return []rest.Anomaly{{Series: rest.AnomalyMOS, Value: 3}} },
	})
	want := alert.Readings{
		Live: 3, Cap: 10, Setups: 9, SetupFailures: 2, Answers: 40, SlowAnswers: 3, StorageAttempts: 4, LogFailures: 5, CapRefusals: 6, DiskUsed: 0.5,
		Anomalies: []rest.Anomaly{{Series: rest.AnomalyMOS, Value: 3}},
		Calls:     []alert.Call{{ID: "s1", Org: "acme", Level: quality.Poor, MOS: 2.4}},
	}
	if got := r.Read(); !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}
	r.CountRefusedStream()
	r.CountRefusedStream()
	began, isIntact = 8, false
	want.Setups, want.StreamsRefused, want.IsAuditChainBroken = 10, 2, true
	want.AreKeysStale = true
	if got := r.Read(); !reflect.DeepEqual(got, want) {
		t.Errorf("read later %+v\nwant %+v", got, want)
	}
	ends = time.Now().Add(36 * time.Hour)
	if days := r.Read().CertificateDays; days == nil || *days > 1.5 || *days < 1.4 {
		t.Errorf("a certificate that ends in a day and a half has %v days", days)
	}
}
