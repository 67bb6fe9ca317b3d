package detail

import (
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/ui"
)

// key goes to the next session, or the one before, of the list that this one was chosen
// from.
func (p *Page) key(ctx app.Context, key string, _ app.Value) {
	var list []string
	ctx.GetState(load.SessionOrder, &list)
	if id, ok := neighbour(list, p.id, key == "]"); ok {
		ctx.Navigate("/admin/sessions/" + id)
		return
	}
	ui.Announce("No other session that way.")
}

func neighbour(list []string, id string, isNext bool) (string, bool) {
	at := slices.Index(list, id)
	to := at - 1
	if isNext {
		to = at + 1
	}
	if at < 0 || to < 0 || to >= len(list) {
		return "", false
	}
	return list[to], true
}

// askToEnd opens the dialog that ends the call, where that was asked for from elsewhere,
// once the call is known.
func (p *Page) askToEnd() {
	if p.ctx.Context == nil {
		return
	}
	var id string
	if p.ctx.GetState(load.EndAsked, &id); id != p.id || !p.session.Known() && p.shown.record.ID == "" {
		return
	}
	p.ctx.SetState(load.EndAsked, "")
	if !p.shown.isLive() {
		ui.Announce("This call is already over.")
		return
	}
	p.openAct(p.endAct)(p.ctx, app.Event{})
}
