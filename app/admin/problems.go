package admin

import (
	"context"
	"errors"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// problems is what is wrong with the server rather than with a call: alerts that fire, and
// servers of its cluster.
type problems struct {
	isKnown bool
	alerts  []rest.Alert
	nodes   []rest.Node
}

// askProblems asks for it. Admins of an organization see no nodes.
func askProblems(ctx context.Context, m Monitor) (problems, error) {
	alerts, err := m.Alerts(ctx, rest.AlertQuery{State: rest.AlertFiring, Limit: rest.MaxLimit})
	nodes, errNodes := m.Nodes(ctx)
	var problem *rest.Problem
	if errors.As(errNodes, &problem) && problem.Status == 403 {
		errNodes = nil
	}
	return problems{true, alerts.Items, nodes.Items}, errors.Join(err, errNodes)
}

// nodeState is how a server of the cluster does, in a word; "" for one that left it.
func nodeState(n rest.Node) (word string, icon ui.IconName, isWell bool) {
	switch {
	case n.State == "left":
		return "", "", true
	case n.State != "live":
		return "silent", ui.IconAlert, false
	case n.Draining:
		return "draining", ui.IconPause, false
	case !n.Reachable:
		return "not heard", ui.IconAlert, false
	}
	return "serving", ui.IconCheck, true
}

// tile counts what is wrong.
func (p problems) tile() app.UI {
	tile := ui.Tile{Label: "Problems", Value: ui.Missing, Href: "/admin/alerts"}
	if !p.isKnown {
		return tile.UI()
	}
	n := len(p.alerts)
	tile.Value, tile.Unit, tile.Note = ui.Count(int64(n)), verb(n, "alert fires", "alerts fire"), "Nothing is wrong with the server."
	var notes []string
	if n > 0 {
		tile.Level = quality.Fair
		notes = append(notes, p.alerts[0].Title)
	}
	for _, word := range []string{"silent", "not heard", "draining"} {
		if count := p.count(word); count > 0 {
			notes, tile.Level = append(notes, ui.Plural(count, "node")+" "+word), quality.Fair
			if n == 0 {
				tile.Href = "/admin/nodes"
			}
		}
	}
	if len(notes) > 0 {
		tile.Note = strings.Join(notes, " · ")
	}
	return tile.UI()
}

func (p problems) count(word string) int {
	count := 0
	for _, n := range p.nodes {
		if is, _, _ := nodeState(n); is == word {
			count++
		}
	}
	return count
}

// nodesPanel lists the servers of a cluster; of one server alone there is nothing to list.
func (p problems) nodesPanel() app.UI {
	if len(p.nodes) == 0 {
		return load.Slot("overview-nodes", nil)
	}
	var items []app.UI
	for _, n := range p.nodes {
		word, icon, _ := nodeState(n)
		if word == "" {
			continue
		}
		items = append(items, app.Li().Class("causes-item").Body(
			app.A().Class("causes-name").Href("/admin/nodes").Text(n.Name),
			app.Span().Class("overview-node").Body(ui.Icon(icon), app.Span().Text(word)),
			app.Span().Class("causes-count", "num").Text(ui.Plural(n.Calls, "call")),
		))
	}
	return panel("Nodes", app.Ul().Class("causes").Body(items...))
}
