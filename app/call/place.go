package call

import (
	"context"
	"encoding/json"
	"time"

	"parley/wasm/peer"
)

// Storage keeps texts in the browser: its session storage, where this tab finds
// them after a reload and no other does, or its local storage, where all do. It
// may forget them at any time.
type Storage interface {
	Load(key string) string // "" when there is none
	Save(key, value string) // "" removes it
}

// placeKey is where the place of the call under way is kept.
const placeKey = "parley.place"

// heldPlace is what a reloaded page has to know of the call that it was in.
type heldPlace struct {
	SessionID   string    `json:"session_id"`
	ResumeToken string    `json:"resume_token"`
	Ends        time.Time `json:"ends"` // the server keeps the place till then
	StartedAt   time.Time `json:"started_at"`
	IsMuted     bool      `json:"is_muted"`
	HasCaptions bool      `json:"has_captions"`
}

// placeOf is the place that a picture's call holds, if it holds one. Were the
// page gone from now on, the server would keep it for the grace.
func placeOf(p Picture) (heldPlace, bool) {
	t := p.Talk
	if p.Phase != Connecting && p.Phase != Live || t.SessionID == "" {
		return heldPlace{}, false
	}
	ends := t.Until
	if !t.IsDropped() {
		ends = p.Now.Add(graceOf(t)).Truncate(time.Second)
	}
	return heldPlace{t.SessionID, t.ResumeToken, ends, t.StartedAt, t.Muted, t.HasCaptions}, true
}

func graceOf(t Talk) time.Duration {
	if s := t.Limits.ReconnectGraceS; s > 0 {
		return time.Duration(s) * time.Second
	}
	return peer.DefaultGrace
}

// text is what is kept of a picture's place: "" for none.
func placeText(p Picture) string {
	place, ok := placeOf(p)
	if !ok {
		return ""
	}
	text, err := json.Marshal(place)
	if err != nil {
		return "" // a year that no clock shows
	}
	return string(text)
}

// readPlace reads a place that is still kept.
func readPlace(text string, now time.Time) (heldPlace, bool) {
	var h heldPlace
	if json.Unmarshal([]byte(text), &h) != nil || h.SessionID == "" || h.ResumeToken == "" || !h.Ends.After(now) {
		return heldPlace{}, false
	}
	return h, true
}

// keepPlace stores the place of the call under way, and removes it with the
// call's end, whatever ended it.
func (e *Engine) keepPlace() {
	if e.storage == nil {
		return
	}
	e.storing.Lock()
	defer e.storing.Unlock()
	if text := placeText(e.Picture()); text != e.stored {
		e.storage.Save(placeKey, text)
		e.stored = text
	}
}

// giveUpPlace ends the call of a place that no line was dialled for: nobody will
// take it up. A page that is left keeps it, for the one after a reload.
func (e *Engine) giveUpPlace(h *heldPlace) {
	if h == nil || e.client == nil {
		return
	}
	e.runInBackground(func(ctx context.Context) {
		_ = e.client.EndOwnSession(ctx, h.SessionID) // it ends with its grace else
	})
}

// Resume goes on with the call that this page was in when it was reloaded, if
// its place is still kept.
func (e *Engine) Resume() {
	if e.storage == nil {
		return
	}
	text := e.storage.Load(placeKey)
	if place, ok := readPlace(text, time.Now()); ok {
		e.start(callEntry{place: &place})
		return
	}
	if text != "" && e.Picture().Phase == Ready {
		e.storage.Save(placeKey, "") // of a call that is long over
	}
}
