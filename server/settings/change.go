package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/server/fault"
	"parley/shared/rest"
)

// The fields of a change that aren't settings.
const (
	FieldReason  = "reason"
	FieldConfirm = "confirm"
)

// Change records, keeps and applies a change, and gives all settings as they
// are then. What is as it was isn't a change, and if nothing else is asked for,
// nothing is recorded. Errors: a *fault.BadField, fault.Conflict, or the audit log's.
func (s *Settings) Change(ctx context.Context, c rest.SettingsChange) (rest.Settings, error) {
	if err := checkReadable(c); err != nil {
		return rest.Settings{}, err
	}
	if err := s.begin(ctx); err != nil {
		return rest.Settings{}, err
	}
	defer s.end()
	err := s.change(ctx, c)
	for range conflictTries {
		if c.IfVersion != rest.AnyVersion || !errors.Is(err, fault.Conflict) {
			break
		}
		err = s.change(ctx, c) // on what another server kept meanwhile, which is known now
	}
	if err != nil {
		return rest.Settings{}, err
	}
	return s.Get(), nil
}

// conflictTries is how often a change of whatever there is is tried again when another
// server's came first: admins of many servers are few, and slower than this.
const conflictTries = 3

func (s *Settings) change(ctx context.Context, c rest.SettingsChange) error {
	old, version := s.current()
	if c.IfVersion > version { // another server's, of which this one hasn't heard
		if err := s.load(ctx); err != nil {
			return err
		}
		old, version = s.current()
	}
	if c.IfVersion != rest.AnyVersion && c.IfVersion != version {
		return fault.Conflict
	}
	values, err := applyPatch(c.Patch, old)
	if err != nil {
		return err
	}
	if err := errors.Join(checkTogether(c, values), checkConfirmed(c, old, values)); err != nil {
		return err
	}
	kept, details := difference(old, values)
	if len(kept) == 0 && !c.Now {
		return s.confirm(ctx, version)
	}
	line := entry(c.By, old, values, c.Reason, details)
	if c.Now {
		line.Details["now"] = true
	}
	next, err := s.put(ctx, line, version, kept)
	if err != nil {
		return s.missed(ctx, version, err)
	}
	s.apply(next, values)
	if c.Now {
		s.endOverdue()
	}
	return nil
}

// confirm fails where the record has another version than is known here: what seems to
// be as it was may be another server's by now.
func (s *Settings) confirm(ctx context.Context, version int64) error {
	if err := s.load(ctx); err != nil {
		return err
	}
	if _, now := s.current(); now != version {
		return fault.Conflict
	}
	return nil
}

// missed finds out why a change wasn't kept: perhaps what was kept is newer than
// what is known here, written by another server, or by a change whose answer
// came too late.
func (s *Settings) missed(ctx context.Context, version int64, err error) error {
	if s.load(ctx) != nil {
		return err
	}
	if _, now := s.current(); now != version {
		return fault.Conflict
	}
	return err
}

// Reset goes back to the first values and forgets what was kept.
func (s *Settings) Reset(ctx context.Context, by rest.AuditEntry, reason string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	old, _ := s.current()
	_, details := difference(old, s.first)
	e := entry(by, old, s.first, reason, details)
	e.Target = "settings"
	version, err := s.reset(ctx, e)
	if err != nil {
		return err
	}
	s.apply(version, s.first)
	return nil
}

// checkReadable checks what doesn't depend on what the values are.
func checkReadable(c rest.SettingsChange) error {
	for _, name := range slices.Sorted(maps.Keys(c.Patch)) {
		d, known := DefinitionOf(name)
		if !known {
			return &fault.BadField{Field: name, Detail: "There is no such setting."}
		}
		if err := d.set(new(Values), c.Patch[name]); err != nil {
			return err
		}
	}
	if utf8.RuneCountInString(c.Reason) > rest.MaxReason {
		return &fault.BadField{Field: FieldReason, Detail: fmt.Sprintf("Use %d characters at most.", rest.MaxReason)}
	}
	return nil
}

// applyPatch lays a patch over the values of now.
func applyPatch(patch map[string]json.RawMessage, values Values) (Values, error) {
	for name, raw := range patch {
		d, _ := DefinitionOf(name)
		if err := d.set(&values, raw); err != nil {
			return values, err
		}
	}
	return values, nil
}

// checkTogether refuses a warning that would come no later than what it warns of
// begins. A timeout that is lowered below a warning nobody mentions is taken: the
// warning is cut where it is used.
func checkTogether(c rest.SettingsChange, values Values) error {
	if _, isAsked := c.Patch[rest.SettingIdleWarning]; isAsked && values.IdleWarning >= values.IdleTimeout {
		return &fault.BadField{
			Field: rest.SettingIdleWarning, Detail: fmt.Sprintf("Use less than the timeout of %.0f seconds.", values.IdleTimeout.Seconds()),
		}
	}
	return nil
}

// checkConfirmed asks who turns privacy off to know what they do, and to say
// why.
func checkConfirmed(c rest.SettingsChange, old, values Values) error {
	switch {
	case !old.Privacy || values.Privacy:
		return nil
	case c.Confirm != rest.PrivacyOffPhrase:
		return &fault.BadField{Field: FieldConfirm, Detail: `Type "` + rest.PrivacyOffPhrase + `" to confirm.`}
	case strings.TrimSpace(c.Reason) == "":
		return &fault.BadField{Field: FieldReason, Detail: "Say why privacy is turned off."}
	}
	return nil
}

// difference gives the values that differ, as they are kept, and old and new of
// each for the audit line.
func difference(old, values Values) (kept map[string]json.RawMessage, details map[string]any) {
	kept, details = make(map[string]json.RawMessage), make(map[string]any)
	for _, d := range Definitions() {
		if d.wire(old) == d.wire(values) {
			continue
		}
		kept[d.Name] = d.raw(values)
		details[d.Name] = map[string]any{"old": d.wire(old), "new": d.wire(values)}
	}
	return kept, details
}

// entry is the audit line. One change is one line; its action is the gravest.
func entry(by rest.AuditEntry, old, values Values, reason string, details map[string]any) rest.AuditEntry {
	e := rest.AuditEntry{
		Actor: by.Actor, ActorOrg: by.ActorOrg, Remote: by.Remote, RequestID: by.RequestID,
		Action: action(old, values), Target: "settings", Reason: strings.TrimSpace(reason), Details: details,
	}
	if len(details) == 1 {
		for name := range details {
			e.Target = name
		}
	}
	return e
}

func action(old, values Values) rest.AuditAction {
	switch {
	case old.Privacy && !values.Privacy:
		return rest.AuditPrivacyOff
	case !old.Privacy && values.Privacy:
		return rest.AuditPrivacyOn
	case old.Monitoring && !values.Monitoring:
		return rest.AuditMonitoringOff
	case !old.Monitoring && values.Monitoring:
		return rest.AuditMonitoringOn
	case !old.Paused && values.Paused:
		return rest.AuditPause
	case old.Paused && !values.Paused:
		return rest.AuditResume
	}
	return rest.AuditSettings
}
