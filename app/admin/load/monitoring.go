package load

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// monitoringEvery is how often it is asked whether monitoring is on.
const monitoringEvery = time.Minute

// Monitoring is what MonitoringBanner needs of the server.
type Monitoring interface {
	Settings(ctx context.Context) (rest.Settings, error)
	SetMonitoring(ctx context.Context, on bool) (rest.Settings, error)
	Audit(ctx context.Context, q rest.AuditQuery) (rest.AuditPage, error)
}

// MonitoringBanner stands over all pages of an admin while monitoring is off,
// and turns it on. It says nothing of why it can't tell: the page does.
type MonitoringBanner struct {
	app.Compo

	server   Monitoring
	settings Resource
	off      bool
	since    time.Time
	problem  string
	ctx      app.Context
}

// NewMonitoringBanner makes the banner; without a server it stays empty.
func NewMonitoringBanner(server Monitoring) *MonitoringBanner {
	b := &MonitoringBanner{server: server, settings: Resource{Name: "settings", Every: monitoringEvery}}
	if server != nil {
		b.settings.Ask = b.ask
	}
	return b
}

// OnMount asks whether monitoring is on.
func (b *MonitoringBanner) OnMount(ctx app.Context) {
	b.ctx = ctx
	b.settings.Start(ctx)
}

// OnNav asks again: another page may have changed it.
func (b *MonitoringBanner) OnNav(app.Context) {
	if b.settings.Known() {
		b.settings.Reload()
	}
}

// OnDismount stops asking.
func (b *MonitoringBanner) OnDismount() { b.settings.Stop() }

// ask asks for the settings and, while monitoring is off, since when: what turned
// it off is on record.
func (b *MonitoringBanner) ask() Question {
	wasOff := b.off
	return func(ctx context.Context) (func(), error) {
		got, err := b.server.Settings(ctx)
		off := err == nil && got.Settings[rest.SettingMonitoring].Value == false
		var since time.Time
		if off && !wasOff {
			page, err := b.server.Audit(ctx, rest.AuditQuery{Action: rest.AuditMonitoringOff, Limit: 1})
			if err == nil && len(page.Items) > 0 {
				since = page.Items[0].T
			}
		}
		return func() {
			if b.off = off; !since.IsZero() {
				b.since = since
			}
		}, err
	}
}

// Render draws the banner, or the place where it would be.
func (b *MonitoringBanner) Render() app.UI {
	if !b.off {
		return app.Div().Class("monitoring-off", "is-empty")
	}
	text := "Monitoring is off. Live data and logs stopped"
	if !b.since.IsZero() {
		text += " at " + b.since.Local().Format("15:04")
	}
	return app.Div().Class("monitoring-off").Body(ui.Banner{Tone: ui.ToneWarning, Text: text + "." + b.problem,
		Actions: []app.UI{ui.Button(ui.Plain, ui.IconPower, "Turn on").OnClick(b.turnOn)}}.UI())
}

func (b *MonitoringBanner) turnOn(app.Context, app.Event) {
	ctx := b.ctx
	ctx.Async(func() {
		limited, cancel := context.WithTimeout(context.Background(), answerTimeout)
		defer cancel()
		_, err := b.server.SetMonitoring(limited, true)
		ctx.Dispatch(func(app.Context) {
			if err != nil {
				b.problem = " It couldn't be turned on. Try again."
				ui.Alert("Monitoring couldn't be turned on.")
				return
			}
			b.off, b.problem = false, ""
			ui.Announce("Monitoring is on.")
		})
	})
}
