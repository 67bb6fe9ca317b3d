package load

import (
	"context"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/shared/rest"
)

// switched is a server whose monitoring is on or off, since noon.
type switched struct{ on bool }

func (s *switched) Settings(context.Context) (rest.Settings, error) {
	return rest.Settings{Settings: map[string]rest.Setting{rest.SettingMonitoring: {Value: s.on}}}, nil
}

func (s *switched) SetMonitoring(_ context.Context, on bool) (rest.Settings, error) {
	s.on = on
	return rest.Settings{}, nil
}

func (s *switched) Audit(context.Context, rest.AuditQuery) (rest.AuditPage, error) {
	return rest.AuditPage{Items: []rest.AuditEntry{{T: noon}}}, nil
}

// mountedBanner is the banner as in a browser: elsewhere go-app mounts nothing.
type mountedBanner struct{ *MonitoringBanner }

func (m mountedBanner) OnPreRender(ctx app.Context) { m.OnMount(ctx) }

func TestMonitoringThatIsOffIsTold(t *testing.T) {
	server := &switched{}
	b := &mountedBanner{NewMonitoringBanner(server)}
	e := app.NewTestEngine()
	if err := e.Load(b); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	holds(t, app.HTMLString(b), "Monitoring is off. Live data and logs stopped at "+noon.In(time.Local).Format("15:04")+".", "Turn on")
	b.turnOn(b.ctx, app.Event{})
	e.ConsumeAll()
	lacks(t, app.HTMLString(b), "Monitoring is off.")
	if !server.on {
		t.Error("monitoring is still off")
	}
	b.OnDismount()
}
