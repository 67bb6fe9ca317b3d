package call

import (
	"encoding/json"

	"parley/app/ui"
	"parley/shared/quality"
)

// ribbonKey is where the tab keeps who spoke when in its last call, for the summary
// after a reload: the server keeps nothing of it.
const ribbonKey = "parley.ribbon"

// keptRibbon is the ribbon of one call: three characters a column.
type keptRibbon struct {
	ID      string `json:"id"`
	Columns string `json:"columns"`
	// Waits are by those columns.
	Waits []ui.RibbonWait `json:"waits,omitempty"`
}

const ribbonLevels = "01234" // bars; g stands for a gap

// ribbonText writes a ribbon: loudness of both in tenths (p: your microphone was paused,
// m: muted, w: the agent was thinking), and the bars of the line.
func ribbonText(seconds []ui.RibbonSecond) string {
	out := make([]byte, 0, 3*len(seconds))
	for _, s := range seconds {
		you, agent, line := digit(s.You), digit(s.Agent), ribbonLevels[s.Level.Bars()]
		switch {
		case s.Paused:
			you = 'p'
		case s.Muted && s.You <= 0:
			you = 'm'
		}
		if s.Waiting && s.Agent <= 0 {
			agent = 'w'
		}
		if s.Gap {
			line = 'g'
		}
		out = append(out, you, agent, line)
	}
	return string(out)
}

func digit(loud float64) byte { return '0' + byte(min(max(loud, 0), 1)*9) }

// readRibbon reads what ribbonText wrote; what it can't read is silence.
func readRibbon(text string) []ui.RibbonSecond {
	levels := []quality.Level{quality.None, quality.Poor, quality.Fair, quality.Good, quality.Excellent}
	out := make([]ui.RibbonSecond, 0, len(text)/3)
	for i := 0; i+2 < len(text); i += 3 {
		s := ui.RibbonSecond{You: loudOf(text[i]), Agent: loudOf(text[i+1]), Paused: text[i] == 'p', Muted: text[i] == 'm', Waiting: text[i+1] == 'w', Gap: text[i+2] == 'g'}
		if b := text[i+2]; b >= '0' && b <= '4' {
			s.Level = levels[b-'0']
		}
		out = append(out, s)
	}
	return out
}

func loudOf(b byte) float64 {
	if b < '0' || b > '9' {
		return 0
	}
	return float64(b-'0') / 9
}

// keepRibbon stores the ribbon of a call that is over.
func (e *Engine) keepRibbon(p Picture) {
	if e.storage == nil || p.Talk.SessionID == "" || len(p.Talk.Whole) == 0 {
		return
	}
	each := columnSeconds(len(p.Talk.Whole), mostColumns)
	text, err := json.Marshal(keptRibbon{p.Talk.SessionID, ribbonText(squeeze(p.Talk.Whole, mostColumns)), waitsFrom(p.Talk.Waits, 0, float64(each))})
	if err != nil {
		return // texts and finite numbers can be written
	}
	e.storage.Save(ribbonKey, string(text))
}

// keptSeconds is the ribbon of a call that this tab made; nil for any other.
func (e *Engine) keptSeconds(id string) ([]ui.RibbonSecond, []ui.RibbonWait) {
	if e.storage == nil {
		return nil, nil
	}
	var kept keptRibbon
	if json.Unmarshal([]byte(e.storage.Load(ribbonKey)), &kept) != nil || kept.ID != id {
		return nil, nil
	}
	return readRibbon(kept.Columns), kept.Waits
}
