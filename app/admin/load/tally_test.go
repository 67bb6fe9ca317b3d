package load

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/shared/rest"
)

// contextPage is a component that gives its context away.
type contextPage struct {
	app.Compo
	ctx app.Context
}

func (c *contextPage) OnPreRender(ctx app.Context) { c.ctx = ctx }
func (c *contextPage) Render() app.UI              { return app.Div() }

func contextOf(t *testing.T) app.Context {
	t.Helper()
	page := &contextPage{}
	engine := app.NewTestEngine()
	if err := engine.Load(page); err != nil {
		t.Fatal(err)
	}
	engine.ConsumeAll()
	return page.ctx
}

func toldTo(ctx app.Context) (c Counts) {
	ctx.GetState(MenuCounts, &c)
	for _, one := range c.all() {
		one.by = nil
	}
	return c
}

func snapshot(live, nodes int, firing ...string) client.Snapshot {
	var s client.Snapshot
	s.Stats.Live, s.Stats.Nodes = live, nodes
	for _, id := range firing {
		s.Alerts = append(s.Alerts, rest.Alert{ID: id, State: rest.AlertFiring})
	}
	return s
}

func stats(live, nodes int) client.Counts {
	var c client.Counts
	c.Stats.Live, c.Stats.Nodes = live, nodes
	return c
}

func alert(id, state string) client.Alerts {
	return client.Alerts{AlertFrame: rest.AlertFrame{Items: []rest.Alert{{ID: id, State: state}}}}
}

// counts are those of calls, alerts and servers; -1 is not known.
func counts(n ...int) (c Counts) {
	for i, one := range c.all() {
		if n[i] >= 0 {
			*one = counted(n[i])
		}
	}
	return c
}

// asOf are counts that nobody keeps up to date.
func (c Counts) asOf(at time.Time) Counts {
	for _, one := range c.all() {
		if one.Known {
			one.AsOf = at
		}
	}
	return c
}

// TestTheMenuIsToldWhatTheStreamTells, and since when it doesn't.
func TestTheMenuIsToldWhatTheStreamTells(t *testing.T) { synctest.Test(t, testTheStreamTells) }

func testTheStreamTells(t *testing.T) {
	now := time.Now()
	polled := snapshot(5, 2)
	polled.Polled = true
	oldAlerts := counts(5, 2, 2)
	oldAlerts.Firing.AsOf = now
	ctx, tally := contextOf(t), Tally{}
	for _, step := range []struct {
		name  string
		frame client.Frame
		want  Counts
	}{
		{"nothing yet", client.Status{State: client.Connecting}, Counts{}},
		{"the stream is open", client.Status{State: client.Live}, Counts{}},
		{"the whole", snapshot(40, 3, "a", "b"), counts(40, 2, 3)},
		{"a call began", stats(41, 3), counts(41, 2, 3)},
		{"an alert began", alert("c", rest.AlertFiring), counts(41, 3, 3)},
		{"it was taken", alert("c", rest.AlertFiring), counts(41, 3, 3)},
		{"another is over", alert("a", rest.AlertResolved), counts(41, 2, 3)},
		{"the line is cut", client.Status{State: client.Reconnecting}, counts(41, 2, 3).asOf(now)},
		{"the line is back", client.Status{State: client.Live}, counts(41, 2, 3)},
		{"asked for", polled, oldAlerts},
		{"an alert without a beginning", alert("d", rest.AlertFiring), oldAlerts},
		{"no answer", client.Status{State: client.Offline}, counts(5, 2, 2).asOf(now)},
	} {
		tally.Take(ctx, []client.Frame{step.frame})
		if got := toldTo(ctx); got != step.want {
			t.Errorf("%s: %+v, not %+v", step.name, got, step.want)
		}
	}
}

// TestCountsOutliveTheirPage: they don't blink on the way to the next, and where that one
// tells nothing they are as of when it came.
func TestCountsOutliveTheirPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := contextOf(t)
		var first, second Tally
		first.Take(ctx, []client.Frame{snapshot(40, 1)})
		first.Stop(ctx)
		<-time.After(tallyStays - 1)
		second.Take(ctx, []client.Frame{client.Status{State: client.Connecting}})
		if got := toldTo(ctx); got.Live != counted(40) {
			t.Errorf("on the way: %+v", got)
		}
		second.Take(ctx, []client.Frame{snapshot(41, 1)})
		<-time.After(2)
		synctest.Wait()
		if got := toldTo(ctx); got.Live != counted(41) {
			t.Errorf("on the next page: %+v", got)
		}
		stopped := time.Now()
		second.Stop(ctx)
		<-time.After(tallyStays)
		synctest.Wait()
		if got := toldTo(ctx); got != counts(41, 0, 1).asOf(stopped) {
			t.Errorf("on a page that tells nothing: %+v", got)
		}
	})
}
