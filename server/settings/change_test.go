package settings_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/audit"
	"parley/server/fault"
	"parley/server/settings"
	"parley/server/store"
	"parley/shared/rest"
)

var seal = audit.Seal

func keep(version int64, values map[string]json.RawMessage) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.PutSettings(version, values)
		return err
	}
}

func TestAChangeIsAudited(t *testing.T) {
	number := func(n string) json.Number { return json.Number(n) }
	change := func(old, new any) map[string]any { return map[string]any{"old": old, "new": new} }
	for name, c := range map[string]struct {
		before []string
		patch  map[string]json.RawMessage
		action rest.AuditAction
		target string
		want   map[string]any
	}{
		"one": {nil, patch(rest.SettingIdleTimeout, "5"), rest.AuditSettings, rest.SettingIdleTimeout,
			map[string]any{rest.SettingIdleTimeout: change(number("30"), number("5"))}},
		"two": {nil, patch(rest.SettingIdleTimeout, "5", rest.SettingMaxSessions, "9"), rest.AuditSettings, "settings",
			map[string]any{rest.SettingIdleTimeout: change(number("30"), number("5")), rest.SettingMaxSessions: change(number("100"), number("9"))}},
		"one that is new, one that is not": {nil, patch(rest.SettingIdleTimeout, "5", rest.SettingMaxSessions, "100"), rest.AuditSettings,
			rest.SettingIdleTimeout, map[string]any{rest.SettingIdleTimeout: change(number("30"), number("5"))}},
		"monitoring off": {nil, patch(rest.SettingMonitoring, "false"), rest.AuditMonitoringOff, rest.SettingMonitoring,
			map[string]any{rest.SettingMonitoring: change(true, false)}},
		"monitoring on": {[]string{rest.SettingMonitoring, "false"}, patch(rest.SettingMonitoring, "true"), rest.AuditMonitoringOn,
			rest.SettingMonitoring, map[string]any{rest.SettingMonitoring: change(false, true)}},
		"pause": {nil, patch(rest.SettingPaused, "true"), rest.AuditPause, rest.SettingPaused,
			map[string]any{rest.SettingPaused: change(false, true)}},
		"resume": {[]string{rest.SettingPaused, "true"}, patch(rest.SettingPaused, "false"), rest.AuditResume, rest.SettingPaused,
			map[string]any{rest.SettingPaused: change(true, false)}},
		"privacy off": {nil, patch(rest.SettingPrivacy, "false"), rest.AuditPrivacyOff, rest.SettingPrivacy,
			map[string]any{rest.SettingPrivacy: change(true, false)}},
		"privacy on": {[]string{rest.SettingPrivacy, "false"}, patch(rest.SettingPrivacy, "true"), rest.AuditPrivacyOn, rest.SettingPrivacy,
			map[string]any{rest.SettingPrivacy: change(false, true)}},
		"privacy off among others": {nil, patch(rest.SettingMonitoring, "false", rest.SettingPrivacy, "false"), rest.AuditPrivacyOff, "settings",
			map[string]any{rest.SettingMonitoring: change(true, false), rest.SettingPrivacy: change(true, false)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			todo := rest.SettingsChange{By: ada(), IfVersion: rest.AnyVersion, Reason: " because ", Confirm: rest.PrivacyOffPhrase}
			for _, p := range []map[string]json.RawMessage{patch(c.before...), c.patch} {
				todo.Patch = p
				if _, err := r.Change(t.Context(), todo); err != nil {
					t.Fatal(err)
				}
			}
			all := r.entries()
			got := all[len(all)-1]
			want := rest.AuditEntry{
				ID: got.ID, Seq: int64(len(all)), T: got.T, Actor: "ada", ActorOrg: "acme", Remote: "203.0.113.•", Action: c.action, Target: c.target,
				Outcome: audit.Done, Reason: "because", RequestID: "req_1", Node: "n1", Details: c.want, PrevHash: got.PrevHash, Hash: got.Hash,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if len(r.heard) != len(all) || r.heard[len(all)-1] != r.Values() {
				t.Errorf("heard %+v", r.heard)
			}
		})
	}
}

func TestWhatIsAsItWasIsNoChange(t *testing.T) {
	r := newRig(t)
	got := r.must(rest.SettingIdleTimeout, "30", rest.SettingMonitoring, "true")
	got2, err := r.Change(t.Context(), rest.SettingsChange{IfVersion: 0})
	if err != nil || got.Version != 0 || got2.Version != 0 || len(r.entries()) != 0 || len(r.heard) != 0 {
		t.Errorf("%v, version %d, %d lines, heard %v", err, got.Version, len(r.entries()), r.heard)
	}
}

// A change that is to hold now ends what is over a limit after all hooks, on record;
// also where the value stays, for those who have notice from the change before.
func TestAChangeThatIsToHoldNow(t *testing.T) {
	for name, c := range map[string]struct {
		minutes string
		now     bool
		ended   int
	}{
		"later":          {"20", false, 0},
		"now":            {"20", true, 1},
		"now, as it was": {"30", true, 1},
		"refused":        {"0", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			_, _ = r.Change(t.Context(), rest.SettingsChange{
				By: rest.AuditEntry{Actor: "root"}, IfVersion: rest.AnyVersion, Now: c.now,
				Patch: map[string]json.RawMessage{rest.SettingIdleTimeout: json.RawMessage(c.minutes)},
			})
			if r.ended != c.ended {
				t.Errorf("ended %d times, want %d", r.ended, c.ended)
			}
			lines := r.entries()
			isSaid := len(lines) > 0 && lines[len(lines)-1].Details["now"] == true
			if isSaid != (c.ended > 0) {
				t.Errorf("on record: %+v", lines)
			}
		})
	}
}

func TestPrivacyIsNotTurnedOffByTheWay(t *testing.T) {
	off := patch(rest.SettingPrivacy, "false")
	for name, c := range map[string]struct {
		change rest.SettingsChange
		field  string // empty: it is done
	}{
		"confirmed":             {rest.SettingsChange{Patch: off, Confirm: "turn off privacy", Reason: "an order"}, ""},
		"not confirmed":         {rest.SettingsChange{Patch: off, Reason: "an order"}, settings.FieldConfirm},
		"by another phrase":     {rest.SettingsChange{Patch: off, Confirm: "Turn off privacy", Reason: "an order"}, settings.FieldConfirm},
		"by a phrase with more": {rest.SettingsChange{Patch: off, Confirm: "turn off privacy ", Reason: "an order"}, settings.FieldConfirm},
		"without a reason":      {rest.SettingsChange{Patch: off, Confirm: "turn off privacy"}, settings.FieldReason},
		"with an empty reason":  {rest.SettingsChange{Patch: off, Confirm: "turn off privacy", Reason: " \t\n"}, settings.FieldReason},
		"longest reason":        {rest.SettingsChange{Patch: off, Confirm: "turn off privacy", Reason: strings.Repeat("ü", rest.MaxReason)}, ""},
		"too long a reason":     {rest.SettingsChange{Patch: off, Confirm: "turn off privacy", Reason: strings.Repeat("ü", rest.MaxReason+1)}, settings.FieldReason},
		"on needs nothing":      {rest.SettingsChange{Patch: patch(rest.SettingPrivacy, "true")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			c.change.IfVersion = rest.AnyVersion
			_, err := r.Change(t.Context(), c.change)
			var field *fault.BadField
			if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &field) || field.Field != c.field) {
				t.Errorf("%v", err)
			}
			off := c.field == "" && string(c.change.Patch[rest.SettingPrivacy]) == "false"
			if r.Privacy() == off || (len(r.entries()) == 1) != off {
				t.Errorf("privacy %v, %d lines", r.Privacy(), len(r.entries()))
			}
		})
	}
}

func TestAStaleVersionIsAConflict(t *testing.T) {
	r := newRig(t)
	change := func(version int64, n string) error {
		_, err := r.Change(t.Context(), rest.SettingsChange{By: ada(), Patch: patch(rest.SettingMaxSessions, n), IfVersion: version})
		return err
	}
	for i, c := range []struct {
		version int64
		want    error
	}{{1, fault.Conflict}, {0, nil}, {0, fault.Conflict}, {1, nil}, {3, fault.Conflict}, {rest.AnyVersion, nil}} {
		if err := change(c.version, fmt.Sprint(i+1)); !errors.Is(err, c.want) {
			t.Errorf("%d, version %d: %v, want %v", i, c.version, err, c.want)
		}
	}
	if r.Get().Version != 3 || r.Values().MaxSessions != 6 || len(r.entries()) != 3 {
		t.Errorf("version %d, %d, %d lines", r.Get().Version, r.Values().MaxSessions, len(r.entries()))
	}
}

// Another server on the same store, or a change whose answer came too late: who read
// something is told that it is no more, and who read nothing changes what there is.
func TestAChangeBehindOurBackIsTaken(t *testing.T) {
	r := newRig(t)
	behind := func(version int64, n string) {
		t.Helper()
		if _, err := r.store.AppendAudit(t.Context(), rest.AuditEntry{}, seal, keep(version, patch(rest.SettingMaxSessions, n))); err != nil {
			t.Fatal(err)
		}
	}
	behind(0, "9")
	stale := rest.SettingsChange{By: ada(), Patch: patch(rest.SettingIdleTimeout, "5"), IfVersion: 0}
	if _, err := r.Change(t.Context(), stale); !errors.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	want := settings.Defaults()
	want.MaxSessions = 9
	if r.Values() != want || r.Get().Version != 1 || !slices.Equal(r.heard, []settings.Values{want}) {
		t.Errorf("%+v, version %d", r.Values(), r.Get().Version)
	}
	behind(1, "8")
	want.MaxSessions = 8
	r.must(rest.SettingIdleTimeout, "5")
	want.IdleTimeout = 5 * time.Minute
	if r.Values() != want || r.Get().Version != 3 {
		t.Errorf("%+v, version %d", r.Values(), r.Get().Version)
	}
}

// Who read another server's settings changes those, though this server hasn't heard of
// them; and what is as it was only here is no agreement.
func TestTheRecordDecidesWhichVersionThereIs(t *testing.T) {
	r := newRig(t)
	for version, n := range []string{"9", "8"} {
		if _, err := r.store.AppendAudit(t.Context(), rest.AuditEntry{}, seal, keep(int64(version), patch(rest.SettingMaxSessions, n))); err != nil {
			t.Fatal(err)
		}
	}
	change := func(version int64, pairs ...string) error {
		_, err := r.Change(t.Context(), rest.SettingsChange{By: ada(), Patch: patch(pairs...), IfVersion: version})
		return err
	}
	if err := change(0, rest.SettingMaxSessions, "100"); !errors.Is(err, fault.Conflict) {
		t.Errorf("what was as it is two versions ago: %v", err)
	}
	if got := r.Get(); got.Version != 2 {
		t.Errorf("version %d is known after a conflict", got.Version)
	}
	if _, err := r.store.AppendAudit(t.Context(), rest.AuditEntry{}, seal, keep(2, patch(rest.SettingMaxSessions, "7"))); err != nil {
		t.Fatal(err)
	}
	if err := change(3, rest.SettingIdleTimeout, "5"); err != nil {
		t.Errorf("on what another server kept: %v", err)
	}
	want := settings.Defaults()
	want.MaxSessions, want.IdleTimeout = 7, 5*time.Minute
	if r.Values() != want || r.Get().Version != 4 {
		t.Errorf("%+v, version %d", r.Values(), r.Get().Version)
	}
	if _, err := r.store.AppendAudit(t.Context(), rest.AuditEntry{}, seal, keep(4, patch(rest.SettingMaxSessions, "6"))); err != nil {
		t.Fatal(err)
	}
	r.must(rest.SettingMaxSessions, "7") // whatever there is
	if r.Values() != want || r.Get().Version != 6 {
		t.Errorf("%+v, version %d", r.Values(), r.Get().Version)
	}
}

func TestChangesComeOneAfterTheOther(t *testing.T) {
	const writers = 8
	r := newRig(t)
	var all sync.WaitGroup
	won := make(chan int, writers*2)
	for w := range writers {
		all.Go(func() {
			n := fmt.Sprint(w + 2)
			_, err := r.Change(t.Context(), rest.SettingsChange{Patch: patch(rest.SettingMaxPerUser, n), IfVersion: 0})
			if err == nil {
				won <- w
			} else if !errors.Is(err, fault.Conflict) {
				t.Error(err)
			}
			r.must(rest.SettingMaxSessions, n)
			_ = r.Get()
		})
	}
	all.Wait()
	if len(won) > 1 {
		t.Errorf("%d of %d changes of one version were made", len(won), writers)
	}
	// Each hook hears the values that the one before it heard of as the old ones.
	if r.before[0] != settings.Defaults() || r.heard[len(r.heard)-1] != r.Values() || int64(len(r.heard)) != r.Get().Version {
		t.Errorf("heard %d changes, version %d", len(r.heard), r.Get().Version)
	}
	for i := 1; i < len(r.heard); i++ {
		if r.before[i] != r.heard[i-1] {
			t.Errorf("change %d begins with what change %d didn't end with", i, i-1)
		}
	}
	if len(r.entries()) != len(r.heard) {
		t.Errorf("%d lines for %d changes", len(r.entries()), len(r.heard))
	}
}

// A hook is told in its turn, and may look while it acts.
func TestHooksHearInOrderAndMayLook(t *testing.T) {
	r := newRig(t)
	r.stop()
	var heard []string
	hook := func(name string) settings.Hook {
		return func(_, current settings.Values) {
			if r.Values() != current || !r.Get().Settings[rest.SettingMonitoring].Value.(bool) {
				t.Error("the values don't hold yet")
			}
			heard = append(heard, name)
		}
	}
	r.start(settings.Defaults(), hook("a"), hook("b"), hook("c"))
	r.must(rest.SettingMaxSessions, "5")
	if !slices.Equal(heard, []string{"a", "b", "c"}) {
		t.Error(heard)
	}
}

// All settings are told as they are on the wire, once a change and after its hooks.
func TestAllSettingsAreToldAfterTheHooks(t *testing.T) {
	r := newRig(t)
	for _, value := range []string{"7", "7", "9"} { // the second changes nothing
		_, _ = r.Change(t.Context(), rest.SettingsChange{
			By: rest.AuditEntry{Actor: "root"}, Patch: patch(rest.SettingMaxSessions, value), IfVersion: r.Get().Version,
		})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.told) != 2 {
		t.Fatalf("told %d times", len(r.told))
	}
	for i, want := range []int{7, 9} {
		if got := r.told[i]; got.Settings.Settings[rest.SettingMaxSessions].Value != want || got.heard != i+1 {
			t.Errorf("change %d: %v after %d hooks", i, got.Settings.Settings[rest.SettingMaxSessions], got.heard)
		}
	}
}
