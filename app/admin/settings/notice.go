package settings

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/rest"
)

// noticeEvery is how soon an admin's page tells that somebody turned something off.
const noticeEvery = 10 * time.Second

// degradedEvery is how soon it tells that a part fails: an alert of that comes at
// once, and each question is a line of the access log.
const degradedEvery = time.Minute

// NoticeServer is what the notice needs of the server. *client.Client is one.
type NoticeServer interface {
	Settings(ctx context.Context) (rest.Settings, error)
	ChangeSettings(ctx context.Context, change rest.SettingsChange) (rest.Settings, error)
	// Degraded names the parts that don't work while calls do.
	Degraded(ctx context.Context) ([]string, error)
	// MonitoringOffSince is when monitoring was turned off last.
	MonitoringOffSince(ctx context.Context) (time.Time, error)
}

// Notice stands above every admin's page and tells that a part of the server fails,
// that new calls are paused, or that monitoring or privacy mode is off. It shows the
// gravest, and how many more there are. While all is well it is empty.
type Notice struct {
	app.Compo

	server   NoticeServer
	ctx      app.Context
	resource load.Resource
	settings map[string]rest.Setting
	degraded []string
	checked  time.Time // when degraded was asked for
	offSince time.Time // since when monitoring is off, as far as that is known
	problem  string    // why something could not be turned on again
	isOpen   bool      // all are shown
}

// NewNotice makes it. Without a server it stays empty.
func NewNotice(s NoticeServer) *Notice { return &Notice{server: s} }

// OnMount asks for the settings.
func (n *Notice) OnMount(ctx app.Context) {
	n.ctx = ctx
	n.resource = load.Resource{Name: "settings", Every: noticeEvery}
	if n.server != nil {
		n.resource.Ask = n.ask
	}
	ctx.Handle(load.SettingsChanged, func(app.Context, app.Action) { n.resource.Reload() })
	n.resource.Start(ctx)
}

// OnNav asks again: the page before may have changed something.
func (n *Notice) OnNav(app.Context) { n.resource.Reload() }

// OnDismount stops asking.
func (n *Notice) OnDismount() { n.resource.Stop() }

// ask asks for the settings; a server that tells of no failing part has none.
func (n *Notice) ask() load.Question {
	degraded, checked, offSince := n.degraded, n.checked, n.offSince
	return func(ctx context.Context) (func(), error) {
		now, err := n.server.Settings(ctx)
		if err != nil {
			n.ctx.SetState(load.MenuPrivacy, "")
			return nil, err
		}
		if time.Since(checked) >= degradedEvery {
			degraded, _ = n.server.Degraded(ctx)
			checked = time.Now()
		}
		switch isOff := now.Settings[rest.SettingMonitoring].Value == false; {
		case !isOff:
			offSince = time.Time{}
		case offSince.IsZero():
			offSince, _ = n.server.MonitoringOffSince(ctx) // unknown, the banner tells no time
		}
		return func() {
			n.settings, n.degraded, n.checked, n.offSince = now.Settings, degraded, checked, offSince
			n.ctx.SetState(load.MonitoringOff, n.isSet(rest.SettingMonitoring, false))
			n.ctx.SetState(load.MenuPrivacy, map[bool]string{true: "on", false: "off"}[n.isSet(rest.SettingPrivacy, true)])
		}, nil
	}
}

// banners are what there is to tell, the gravest first.
func (n *Notice) banners() (all []ui.Banner) {
	if len(n.degraded) > 0 {
		all = append(all, ui.Banner{Tone: ui.ToneDanger, Text: degradedWords(n.degraded),
			Actions: []app.UI{load.Link("See alerts", "/admin/alerts")}})
	}
	if n.isSet(rest.SettingPrivacy, false) {
		all = append(all, ui.Banner{Tone: ui.ToneWarning, Text: ui.Copy("privacy_off").Text})
	}
	if n.isSet(rest.SettingPaused, true) {
		all = append(all, n.switchBack("New calls are paused. Calls that are on go on.", "Resume", rest.SettingPaused, "New calls may start again."))
	}
	if n.isSet(rest.SettingMonitoring, false) {
		all = append(all, n.switchBack(monitoringOff(n.offSince, time.Now()), "Turn on", rest.SettingMonitoring, "Monitoring is on."))
	}
	return all
}

// monitoringOff says that it is off and, where that is known, since when.
func monitoringOff(since, now time.Time) string {
	const off = "Monitoring is off. Live data and logs "
	switch {
	case since.IsZero():
		return off + "have stopped."
	case now.Sub(since) < 24*time.Hour:
		return off + "stopped at " + ui.Clock(since) + "."
	}
	return off + "stopped on " + ui.Day(since, now) + "."
}

// degradedWords say which parts fail.
func degradedWords(parts []string) string {
	words := map[string]string{"store": "the database can't be written", "access_log": "the access log loses lines",
		"privacy": "privacy protection isn't active, so no call may start", "keys": "the issuer's keys can't be fetched",
		"audit_chain": "the audit chain is broken", "certificate": "the certificate is missing or about to end",
		"log_export": "the collector takes no lines of the logs", "lease": "the cluster's database doesn't answer: soon no call is admitted", "bus": "another server of the cluster can't be heard: its calls here may be out of date"}
	told := make([]string, len(parts))
	for i, part := range parts {
		told[i] = cmp.Or(words[part], part)
	}
	return "Calls work, but not all of this server does: " + strings.Join(told, "; ") + "."
}

// isSet reports whether a switch is known to be so.
func (n *Notice) isSet(name string, value bool) bool { return n.settings[name].Value == value }

// switchBack tells of a switch, with the button that puts it back.
func (n *Notice) switchBack(text, label, setting, done string) ui.Banner {
	if n.problem != "" {
		text += " " + n.problem
	}
	return ui.Banner{Tone: ui.ToneWarning, Text: text, Actions: []app.UI{
		ui.Act(ui.Button(ui.Plain, "", label)).OnClick(n.restore(setting, done), app.EventScope(setting))}}
}

// Render draws the gravest banner, and the others for who asks for them.
func (n *Notice) Render() app.UI {
	all := n.banners()
	if len(all) == 0 {
		return app.Div().Class("notices", "is-empty")
	}
	if more := len(all) - 1; more > 0 {
		label := "Fewer"
		if !n.isOpen {
			label = strconv.Itoa(more) + " more"
		}
		all[0].Actions = append(all[0].Actions, ui.Button(ui.Quiet, "", label).Class("notices-more").
			Aria("expanded", strconv.FormatBool(n.isOpen)).OnClick(func(app.Context, app.Event) { n.isOpen = !n.isOpen }))
		if !n.isOpen {
			all = all[:1]
		}
	}
	body := make([]app.UI, len(all))
	for i, b := range all {
		body[i] = b.UI()
	}
	return app.Div().Class("notices").Body(body...)
}

// restore puts a switch back: new calls may start, or monitoring is on.
func (n *Notice) restore(setting, done string) app.EventHandler {
	return func(app.Context, app.Event) {
		change := rest.SettingsChange{IfVersion: rest.AnyVersion}
		change.Patch = patchOf(setting, strconv.FormatBool(setting != rest.SettingPaused))
		var now rest.Settings
		load.Act(n.ctx, func(ctx context.Context) (err error) {
			now, err = n.server.ChangeSettings(ctx, change)
			return err
		}, func(ctx app.Context, err error) {
			if n.problem = load.Words(err); err == nil {
				n.settings = now.Settings
				ctx.NewAction(load.SettingsChanged)
				ui.Announce(done)
				ui.KeepFocus()
			}
		})
	}
}
