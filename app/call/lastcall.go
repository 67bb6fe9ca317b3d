package call

import (
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
)

// lastCallKey is where the browser keeps the summary of the last call, for the page that
// the worker shows without a network (web/offline.js). Signing in or out removes it.
const lastCallKey = "parley.lastCall"

// lastCall is that summary, in words.
type lastCall struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Lines []string `json:"lines"`
}

// keepLastCall keeps a call that this page has made, first as the page knows it and then as
// the server does; nothing where the caller wants none kept.
func (e *Engine) keepLastCall(r review) {
	storage := e.chosen.storage
	if storage == nil || r.ID == "" || r.StartedAt.IsZero() {
		return
	}
	if e.Picture().Choice.ForgetsCalls {
		return
	}
	text, err := json.Marshal(lastCallOf(r, agentTitle(e.Picture(), r.Agent)))
	if err != nil {
		return // strings can be written
	}
	storage.Save(lastCallKey, string(text))
}

// forgetLastCall is for who wants none kept, and for who signs in or out.
func forgetLastCall(storage Storage) {
	if storage != nil {
		storage.Save(lastCallKey, "")
	}
}

// LastCall draws what is kept of the last call, for who has no network; nil for nothing.
func LastCall(storage Storage) app.UI {
	var kept lastCall
	if storage == nil || json.Unmarshal([]byte(storage.Load(lastCallKey)), &kept) != nil || kept.Title == "" {
		return nil
	}
	body := []app.UI{app.H2().Class("summary-title").Text("Your last call"), app.P().Text(kept.Title)}
	for _, line := range kept.Lines {
		body = append(body, app.P().Class("summary-note").Text(line))
	}
	return app.Section().Class("last-call").Aria("label", "Your last call").Body(body...)
}

func lastCallOf(r review, agent string) lastCall {
	kept := lastCall{ID: r.ID, Title: r.Words.Title + " · " + ui.Duration(r.length()), Lines: []string{
		agent + " · " + r.StartedAt.Local().Format("2 Jan 2006 15:04") + "–" + r.Ended.Local().Format("15:04"),
	}}
	if r.Level != quality.None && r.Level != "" {
		kept.Lines = append(kept.Lines, ui.LevelWord(r.Level)+" for "+percentOf(r.Share)+" of the call")
	}
	if t := r.Turns; t != nil && t.FirstWord.Turns > 0 {
		kept.Lines = append(kept.Lines, "First word "+firstWordText(t.FirstWord))
	}
	for _, i := range r.Incidents {
		kept.Lines = append(kept.Lines, i.sentence())
	}
	if r.Receipt != nil {
		kept.Lines = append(kept.Lines, receiptWords(*r.Receipt))
	}
	return kept
}
