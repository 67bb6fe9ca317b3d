package call

import (
	"slices"
	"strings"
	"time"

	"parley/shared/rtcstats"
	"parley/wasm/peer"
)

// maxCaptions is how many turns the page keeps: some ten minutes of talk, and as much
// as a page can draw many times a second.
const maxCaptions = 60

// Caption is one turn of a call as text. It is on the page, while the call lasts, and
// nowhere else.
type Caption struct {
	By      rtcstats.Leg
	Turn    string
	Text    string // empty: the turn has begun
	At      time.Time
	IsWhole bool
	IsCut   bool // interrupted: not all of it was heard
}

// applyCaption adds what was said to its turn, or begins one.
func applyCaption(p Picture, c peer.CaptionReceived, now time.Time) Picture {
	captions := slices.Clone(p.Talk.Captions)
	at := slices.IndexFunc(captions, func(of Caption) bool { return of.Turn == c.Turn })
	if at < 0 {
		if c.IsCut { // of a turn that is gone
			return p
		}
		captions = append(captions[max(0, len(captions)-(maxCaptions-1)):], Caption{By: c.By, Turn: c.Turn, At: now})
		at = len(captions) - 1
	}
	of := &captions[at]
	switch {
	case c.IsCut:
		of.IsCut = true
	case c.IsWhole:
		of.Text, of.IsWhole = c.Text, true
	case !of.IsWhole && len(of.Text) < peer.MaxCaption:
		of.Text += c.Text
	}
	p.Talk.Captions, p.Talk.HasCaptions = captions, true
	return p
}

// showsCaptions reports whether the call shows what is said as text.
func (p Picture) showsCaptions() bool { return p.Talk.HasCaptions && !p.Choice.HidesCaptions }

// shownText is a caption's text as it is read.
func (c Caption) shownText() string {
	if c.IsCut {
		return strings.TrimRight(c.Text, " ") + " …"
	}
	return c.Text
}

// speaker names who said it.
func (c Caption) speaker() string {
	if c.By == rtcstats.LegCaller {
		return "You"
	}
	return "Agent"
}

// wholeTurns are the turns that became whole between two pictures, for who has them read
// aloud. Words in the making would be read over and over.
func wholeTurns(was, is []Caption) string {
	var lines []string
	for _, c := range is {
		isNew := !slices.ContainsFunc(was, func(of Caption) bool { return of.Turn == c.Turn && of.IsWhole })
		if c.IsWhole && isNew {
			lines = append(lines, c.speaker()+": "+c.Text)
		}
	}
	return strings.Join(lines, " ")
}
