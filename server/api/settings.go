package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/server/fault"
	"parley/shared/rest"
)

type settingsOutput struct {
	ETag string `header:"ETag" doc:"the version, for If-Match"`
	Body rest.Settings
}

func newSettingsOutput(s rest.Settings) *settingsOutput {
	return &settingsOutput{ETag: etag(s.Version), Body: s}
}

func (a *API) settings(ctx context.Context, _ *nothing) (*settingsOutput, error) {
	now := a.Settings.Get()
	if caller(ctx).scope.All { // who an operator sends logs to is nothing of an organization's
		now.Fixed = a.Fixed
	}
	return newSettingsOutput(now), nil
}

// settingsPatch is what to change, by name; reason, confirm and now may stand beside.
type settingsPatch map[string]json.RawMessage

// Schema implements huma.SchemaProvider. The settings themselves are added by
// describeSettings.
func (settingsPatch) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{
		fieldReason: {Type: huma.TypeString, MaxLength: new(rest.MaxReason), Description: "Why, for the audit log."},
		fieldConfirm: {
			Type: huma.TypeString, MaxLength: new(rest.MaxReason),
			Description: fmt.Sprintf("To turn privacy mode off: %q, with a reason.", rest.PrivacyOffPhrase),
		},
		fieldNow: {
			Type:        huma.TypeBoolean,
			Description: "End the calls that are over a limit at once: else those over one that is lowered are warned, and have 20 s.",
		},
	}}
}

// describeSettings gives the bodies that change settings the settings' own
// ranges. Bodies are held to them, too.
func (a *API) describeSettings() {
	paths, all := a.huma.OpenAPI().Paths, a.Settings.Get().Settings
	patch := a.bodySchema(paths[rest.PathSettings].Patch)
	for name, setting := range all {
		patch.Properties[name] = settingSchema(setting, a.Settings.Why(name))
	}
	patch.PrecomputeMessages()
	timeout := a.bodySchema(paths[rest.PathTimeout].Post)
	timeout.Properties[fieldTimeout] = settingSchema(all[rest.SettingIdleTimeout], a.Settings.Why(rest.SettingIdleTimeout))
	timeout.PrecomputeMessages()
}

// settingSchema says the default in words: a client that takes it from the
// schema's default would send it with each patch, and so set back what others
// changed.
func settingSchema(s rest.Setting, why string) *huma.Schema {
	said := fmt.Sprintf("Default %v", s.Default)
	if s.Default == "" {
		said = "Default none"
	}
	if s.Unit != "" {
		said += " " + s.Unit
	}
	schema := &huma.Schema{Type: huma.TypeBoolean, Description: said + ". " + why}
	if _, isText := s.Default.(string); isText {
		schema.Type = huma.TypeString
	}
	if s.Min != nil && s.Max != nil {
		schema.Type, schema.Minimum, schema.Maximum = huma.TypeInteger, new(float64(*s.Min)), new(float64(*s.Max))
	}
	return schema
}

const (
	fieldReason  = "reason"
	fieldConfirm = "confirm"
	fieldNow     = "now"
	fieldTimeout = "timeout_minutes"
)

// take removes what isn't a setting from the patch.
func take[T any](p settingsPatch, name string) (v T) {
	if raw, ok := p[name]; ok {
		_ = json.Unmarshal(raw, &v) // the schema says that it is one
		delete(p, name)
	}
	return v
}

type patchInput struct {
	IfMatch string `header:"If-Match" doc:"the ETag of the settings that you read; without it, whatever they are now"`
	Body    settingsPatch
}

// patchSettings changes what is named; with If-Match only if nobody changed
// anything since it was read.
func (a *API) patchSettings(ctx context.Context, in *patchInput) (*settingsOutput, error) {
	version, err := ifMatch(in.IfMatch, a.Settings.Get().Version)
	if err != nil {
		return nil, err
	}
	change := rest.SettingsChange{
		IfVersion: version, Reason: visibleText(take[string](in.Body, fieldReason)),
		Confirm: take[string](in.Body, fieldConfirm), Now: take[bool](in.Body, fieldNow),
	}
	change.Patch = in.Body
	return a.changeSettings(ctx, change)
}

func (a *API) changeSettings(ctx context.Context, c rest.SettingsChange) (*settingsOutput, error) {
	if err := a.checkLockOut(ctx, c.Patch[rest.SettingAdminAllow]); err != nil {
		return nil, err
	}
	c.By = caller(ctx).entry("", "")
	changed, err := a.Settings.Change(ctx, c)
	if err != nil {
		return nil, err
	}
	a.tellSettings(caller(ctx), c.Patch)
	return newSettingsOutput(changed), nil
}

// tellSettings tells the feed which settings somebody changed; of privacy mode, which way.
func (a *API) tellSettings(by visitor, patch map[string]json.RawMessage) {
	var others []string
	for _, name := range slices.Sorted(maps.Keys(patch)) {
		if name != rest.SettingPrivacy {
			others = append(others, name)
			continue
		}
		what := rest.PrivacyTurnedOff
		if string(patch[name]) == "true" {
			what = rest.PrivacyTurnedOn
		}
		a.tellActivity(rest.ActivityPrivacy, what, by, "", "")
	}
	if len(others) > 0 {
		a.tellActivity(rest.ActivityAdmin, rest.SettingsChanged, by, "", strings.Join(others, ", "))
	}
}

// checkLockOut refuses a list of networks that whoever sets it isn't in: they could
// take it back nowhere but at the command line.
func (a *API) checkLockOut(ctx context.Context, raw json.RawMessage) error {
	var list string
	if json.Unmarshal(raw, &list) != nil || a.Auth.AdmitsAdmin(list, caller(ctx).from) {
		return nil
	}
	return &fault.BadField{Field: rest.SettingAdminAllow,
		Detail: "This would lock you out: your address " + caller(ctx).remote + " isn't in it."}
}

// command sets one value, whatever was changed since.
func (a *API) command(ctx context.Context, name, value string) (*settingsOutput, error) {
	return a.changeSettings(ctx, oneSetting(name, value))
}

func oneSetting(name, value string) rest.SettingsChange {
	return rest.SettingsChange{
		Patch: map[string]json.RawMessage{name: json.RawMessage(value)}, IfVersion: rest.AnyVersion,
	}
}

type timeoutInput struct{ Body rest.TimeoutRequest }

// setTimeout holds for live sessions, too: who is over it is warned first, unless it
// is to hold now.
func (a *API) setTimeout(ctx context.Context, in *timeoutInput) (*settingsOutput, error) {
	change := oneSetting(rest.SettingIdleTimeout, strconv.Itoa(in.Body.TimeoutMinutes))
	change.Now = in.Body.Now
	return a.changeSettings(ctx, change)
}

func (a *API) enable(ctx context.Context, _ *nothing) (*settingsOutput, error) {
	return a.command(ctx, rest.SettingMonitoring, "true")
}

func (a *API) disable(ctx context.Context, _ *nothing) (*settingsOutput, error) {
	return a.command(ctx, rest.SettingMonitoring, "false")
}

type pauseInput struct{ Body *rest.PauseRequest }

// pause refuses new calls, over a restart too, until somebody resumes them.
func (a *API) pause(ctx context.Context, in *pauseInput) (*settingsOutput, error) {
	return a.setPaused(ctx, true, in.Body)
}

func (a *API) resume(ctx context.Context, in *pauseInput) (*settingsOutput, error) {
	return a.setPaused(ctx, false, in.Body)
}

func (a *API) setPaused(ctx context.Context, isPaused bool, body *rest.PauseRequest) (*settingsOutput, error) {
	change := oneSetting(rest.SettingPaused, strconv.FormatBool(isPaused))
	if body != nil {
		change.Reason = visibleText(body.Reason)
	}
	return a.changeSettings(ctx, change)
}

// etag is a version as an entity tag (RFC 9110 §8.8.3).
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
