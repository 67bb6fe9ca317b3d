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
	c.by = nil
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

// TestTheMenuIsToldWhatTheStreamTells, and nothing that is old.
func TestTheMenuIsToldWhatTheStreamTells(t *testing.T) {
	polled := snapshot(5, 2)
	polled.Polled = true
	ctx, tally := contextOf(t), Tally{}
	for _, step := range []struct {
		name  string
		frame client.Frame
		want  Counts
	}{
		{"nothing yet", client.Status{State: client.Connecting}, Counts{}},
		{"the stream is open", client.Status{State: client.Live}, Counts{}},
		{"the whole", snapshot(40, 3, "a", "b"), Counts{HasLive: true, Live: 40, Firing: 2, Nodes: 3}},
		{"a call began", stats(41, 3), Counts{HasLive: true, Live: 41, Firing: 2, Nodes: 3}},
		{"an alert began", alert("c", rest.AlertFiring), Counts{HasLive: true, Live: 41, Firing: 3, Nodes: 3}},
		{"it was taken", alert("c", rest.AlertFiring), Counts{HasLive: true, Live: 41, Firing: 3, Nodes: 3}},
		{"another is over", alert("a", rest.AlertResolved), Counts{HasLive: true, Live: 41, Firing: 2, Nodes: 3}},
		{"the line is cut", client.Status{State: client.Reconnecting}, Counts{}},
		{"the line is back", client.Status{State: client.Live}, Counts{HasLive: true, Live: 41, Firing: 2, Nodes: 3}},
		{"asked for", polled, Counts{HasLive: true, Live: 5, Nodes: 2}},
		{"an alert without a beginning", alert("d", rest.AlertFiring), Counts{HasLive: true, Live: 5, Nodes: 2}},
		{"no answer", client.Status{State: client.Offline}, Counts{}},
	} {
		tally.Take(ctx, []client.Frame{step.frame})
		if got := toldTo(ctx); got != step.want {
			t.Errorf("%s: %+v, not %+v", step.name, got, step.want)
		}
	}
}

// TestCountsOutliveTheirPageForAMoment, so that they don't blink on the way to the next.
func TestCountsOutliveTheirPageForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := contextOf(t)
		var first, second Tally
		first.Take(ctx, []client.Frame{snapshot(40, 1)})
		first.Stop(ctx)
		<-time.After(tallyStays - 1)
		second.Take(ctx, []client.Frame{client.Status{State: client.Connecting}})
		if got := toldTo(ctx); got.Live != 40 {
			t.Errorf("on the way: %+v", got)
		}
		second.Take(ctx, []client.Frame{snapshot(41, 1)})
		<-time.After(2)
		synctest.Wait()
		if got := toldTo(ctx); got.Live != 41 {
			t.Errorf("on the next page: %+v", got)
		}
		second.Stop(ctx)
		<-time.After(tallyStays)
		synctest.Wait()
		if got := toldTo(ctx); got != (Counts{}) {
			t.Errorf("on a page that tells nothing: %+v", got)
		}
	})
}
