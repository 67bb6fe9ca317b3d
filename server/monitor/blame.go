package monitor

import (
	"maps"
	"time"

	"parley/shared/quality"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// muteAfter is how many seconds in its turn nothing comes of an agent until it is mute:
// its event may be a second from its voice.
const muteAfter = 2

// poorSeconds counts a session's poor seconds by their owner.
type poorSeconds struct {
	blamer  quality.Blamer
	at      time.Time // of the newest
	byOwner map[quality.Owner]int
}

// blameLocked finds the owner of the seconds since the last tick, and returns how many
// they are. delay is how late this machine passed packets on. mu must be held.
func (s *session) blameLocked(now time.Time, delay time.Duration) (owner quality.Owner, seconds int) {
	seconds = 1
	if !s.poor.at.IsZero() {
		seconds = int(now.Sub(s.poor.at).Round(time.Second) / time.Second)
	}
	if seconds < 1 {
		return quality.OwnerNone, 0
	}
	s.poor.at = now
	owner = s.poor.blamer.Next(s.secondLocked(now, delay))
	if owner == quality.OwnerNone {
		return owner, 0
	}
	if s.poor.byOwner == nil {
		s.poor.byOwner = make(map[quality.Owner]int)
	}
	s.poor.byOwner[owner] += seconds
	return owner, seconds
}

// secondLocked is what is known of this second. mu must be held.
func (s *session) secondLocked(now time.Time, delay time.Duration) quality.Second {
	sec := quality.Second{
		ServerDelayMS: float64(delay) / float64(time.Millisecond),
		Caller:        make(map[quality.Direction]rtcstats.Figures, 2), Agent: make(map[quality.Direction]rtcstats.Figures, 2),
	}
	agent := s.measurers[2]
	for _, d := range []quality.Direction{quality.ToAgent, quality.ToCaller} {
		if st := s.believedStatsLocked(d, now); st != nil {
			sec.Caller[d] = st.figures
		}
		if st := agent.direction(d); st.isFresh(now) {
			sec.Agent[d] = st.figures
		}
	}
	inState := now.Sub(s.agentStateAt)
	switch s.info.AgentState {
	case wire.AgentThinking:
		sec.ThinkingMS = float64(inState) / float64(time.Millisecond)
	case wire.AgentSpeaking:
		st := agent.direction(quality.ToCaller)
		sec.IsAgentMute = inState >= muteAfter*time.Second && st.isFresh(now) && st.emptySeconds >= muteAfter
	}
	return sec
}

// poorSecondsLocked are the poor seconds by owner; nil: there are none. mu must be held.
func (s *session) poorSecondsLocked() map[quality.Owner]int { return maps.Clone(s.poor.byOwner) }
