package call

import "encoding/json"

// choiceKey is where what the caller chose is kept for the next time.
const choiceKey = "parley.choice"

// keptChoice is what is kept of a Choice: neither the devices, which may be another
// machine's, nor that a call began muted, which would surprise.
type keptChoice struct {
	Agent         string `json:"agent,omitempty"`
	HidesCaptions bool   `json:"hides_captions,omitempty"`
	ReadsCaptions bool   `json:"reads_captions,omitempty"`
	SoundsOff     bool   `json:"sounds_off,omitempty"`
	Volume        int    `json:"volume,omitempty"`
	KeysOff       bool   `json:"keys_off,omitempty"`
	ForgetsCalls  bool   `json:"forgets_calls,omitempty"`
}

// settings keep what the caller chose in the browser.
type settings struct{ storage Storage } // nil: nothing is kept

func (s settings) load() Choice {
	if s.storage == nil {
		return Choice{}
	}
	var kept keptChoice
	if json.Unmarshal([]byte(s.storage.Load(choiceKey)), &kept) != nil {
		return Choice{} // of another version, or none
	}
	return Choice{Agent: kept.Agent, HidesCaptions: kept.HidesCaptions, ReadsCaptions: kept.ReadsCaptions,
		SoundsOff: kept.SoundsOff, Volume: kept.Volume, KeysOff: kept.KeysOff, ForgetsCalls: kept.ForgetsCalls}
}

// HasNoShortcuts reports whether who uses this browser has turned the shortcuts of a single
// key off (WCAG 2.1.4).
func HasNoShortcuts(kept Storage) bool { return settings{kept}.load().KeysOff }

func (s settings) save(c Choice) {
	if s.storage == nil {
		return
	}
	text, err := json.Marshal(keptChoice{c.Agent, c.HidesCaptions, c.ReadsCaptions, c.SoundsOff, c.Volume, c.KeysOff, c.ForgetsCalls})
	if err != nil {
		return // strings, numbers and booleans can be written
	}
	s.storage.Save(choiceKey, string(text))
}
