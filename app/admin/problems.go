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

// cluster is the servers that take calls together, or the one that is alone.
type cluster []rest.Node

// askCluster asks for them. Admins of an organization see none.
func askCluster(ctx context.Context, m Monitor) (cluster, error) {
	nodes, err := m.Nodes(ctx)
	var problem *rest.Problem
	if errors.As(err, &problem) && problem.Status == 403 {
		err = nil
	}
	return nodes.Items, err
}

// turn tells whether the server that answers reaches its own TURN server, and if not, what
// that means; "" where nobody knows.
func (c cluster) turn() (undone string, isReached bool) {
	for _, n := range c {
		switch {
		case !n.Self:
		case n.TURN == rest.TURNReachable:
			return "", true
		case n.TURN == rest.TURNUnreachable:
			return "TURN: this server doesn't reach its own; callers behind firewalls may not get through", false
		case n.TURN == rest.TURNOff:
			return "TURN: off; callers behind strict firewalls don't get through", false
		}
	}
	return "", false
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

// problemsTile counts what is wrong with the server rather than with a call: the alerts
// that fire, and the nodes that don't do as they should.
func problemsTile(alerts map[string]rest.Alert, nodes cluster) app.UI {
	tile := ui.Tile{Label: "Problems", Value: ui.Missing, Href: "/admin/alerts"}
	if alerts == nil {
		return tile.UI()
	}
	n := len(alerts)
	tile.Value, tile.Unit, tile.Note = ui.Count(int64(n)), verb(n, "alert fires", "alerts fire"), "Nothing is wrong with the server."
	var notes []string
	if n > 0 {
		tile.Level = quality.Fair
		notes = append(notes, newest(alerts).Title)
	}
	for _, word := range []string{"silent", "not heard", "draining"} {
		if count := nodes.count(word); count > 0 {
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

// newest is the alert that was raised last.
func newest(alerts map[string]rest.Alert) (last rest.Alert) {
	for _, a := range alerts {
		if a.RaisedAt.After(last.RaisedAt) || a.RaisedAt.Equal(last.RaisedAt) && a.ID >= last.ID {
			last = a
		}
	}
	return last
}

func (c cluster) count(word string) int {
	count := 0
	for _, n := range c {
		if is, _, _ := nodeState(n); is == word {
			count++
		}
	}
	return count
}

// nodesPanel lists the servers of a cluster; of one server alone there is nothing to list.
func (c cluster) panel() app.UI {
	if len(c) < 2 {
		return load.Slot("overview-nodes", nil)
	}
	var items []app.UI
	for _, n := range c {
		word, icon, _ := nodeState(n)
		if word == "" {
			continue
		}
		items = append(items, app.Li().Class("causes-item", "overview-node-item").Body(
			app.A().Class("causes-name").Href("/admin/nodes").Text(n.Name),
			app.Span().Class("overview-node").Body(ui.Icon(icon), app.Span().Text(word)),
			app.Span().Class("causes-count", "num").Text(ui.Plural(n.Calls, "call")),
		))
	}
	return panel("Nodes", app.Ul().Class("causes").Body(items...))
}
