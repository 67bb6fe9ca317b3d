package wire

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"parley/shared/quality"
)

func (m Hello) validate() error {
	switch {
	case m.SessionID == "":
		return missingField("session_id")
	case m.ResumeToken == "":
		return missingField("resume_token")
	case m.StatsIntervalMS <= 0:
		return missingField("stats_interval_ms")
	}
	return nil
}

func (m Offer) validate() error  { return checkSDP(m.SDP) }
func (m Answer) validate() error { return checkSDP(m.SDP) }

func (m Candidate) validate() error {
	c := m.Candidate
	for field, s := range map[string]*string{"candidate": &c.Candidate, "sdpMid": c.SDPMid, "usernameFragment": c.UsernameFragment} {
		if s == nil {
			continue
		}
		if err := checkText(field, *s); err != nil {
			return err
		}
	}
	return nil
}

func (m State) validate() error {
	if !slices.Contains(SessionStates(), m.Session) {
		return outsideRange("session", m.Session)
	}
	if !slices.Contains(AgentStates(), m.Agent) {
		return outsideRange("agent", m.Agent)
	}
	if err := m.Turn.validate(); err != nil || m.Quality == nil {
		return err
	}
	return validateVerdict(*m.Quality)
}

func (t *AgentTurn) validate() error {
	if t == nil {
		return nil
	}
	if t.Number < 1 {
		return newDecodeError(ErrOutOfRange, "number", nil)
	}
	for _, f := range []struct {
		name string
		ms   float64
	}{{"wait_ms", t.WaitMS}, {"silence_window_ms", t.SilenceWindowMS}, {"network_ms", t.NetworkMS}, {"tools_ms", t.ToolsMS}, {"model_ms", t.ModelMS}} {
		if !(f.ms >= 0) || math.IsInf(f.ms, 1) {
			return newDecodeError(ErrOutOfRange, f.name, nil)
		}
	}
	return nil
}

func validateVerdict(q quality.Verdict) error {
	if !slices.Contains([]quality.Level{quality.Excellent, quality.Good, quality.Fair, quality.Poor, quality.None}, q.Level) {
		return outsideRange("level", q.Level)
	}
	if !slices.Contains([]quality.Direction{"", quality.ToAgent, quality.ToCaller}, q.Direction) {
		return outsideRange("direction", q.Direction)
	}
	for field, of := range map[string]struct{ value, most float64 }{"r": {q.R, 100}, "mos": {q.MOS, 4.5}, "value": {q.Value, math.MaxFloat64}} {
		if !(of.value >= 0 && of.value <= of.most) {
			return newDecodeError(ErrOutOfRange, field, fmt.Errorf("%v is outside 0 to %v", of.value, of.most))
		}
	}
	return checkText("cause", string(q.Cause))
}

func (m Warning) validate() error {
	if !slices.Contains(WarningCodes(), m.Code) {
		return outsideRange("code", m.Code)
	}
	// Beyond these years RFC 3339 has no form that a reader takes.
	if year := m.EndsAt.UTC().Year(); year < 0 || year > 9999 {
		return newDecodeError(ErrOutOfRange, "ends_at", fmt.Errorf("the year %d is outside 0 to 9999", year))
	}
	return nil
}

func (m Ended) validate() error {
	if !m.Cause.Valid() {
		return outsideRange("cause", m.Cause)
	}
	return checkText("message", m.Message)
}

func (m Error) validate() error {
	if !slices.Contains(ErrorCodes(), m.Code) {
		return outsideRange("code", m.Code)
	}
	if err := checkText("field", m.Field); err != nil {
		return err
	}
	return checkText("reason", m.Reason)
}

func (m Report) validate() error {
	if n := len(m.Samples); n == 0 || n > MaxSamples {
		return newDecodeError(ErrOutOfRange, "samples", fmt.Errorf("%d samples, 1 to %d are taken", n, MaxSamples))
	}
	for _, s := range m.Samples {
		if err := s.Check(); err != nil {
			return newDecodeError(ErrBadReport, "samples", err)
		}
	}
	return nil
}

func (m Activity) validate() error {
	if !slices.Contains(ActivityKinds(), m.Kind) {
		return outsideRange("kind", m.Kind)
	}
	return nil
}

func (m Resume) validate() error {
	if m.SessionID == "" {
		return missingField("session_id")
	}
	if m.ResumeToken == "" {
		return missingField("resume_token")
	}
	if err := checkText("session_id", m.SessionID); err != nil {
		return err
	}
	return checkText("resume_token", m.ResumeToken)
}

func (Ping) validate() error { return nil }
func (Pong) validate() error { return nil }
func (Bye) validate() error  { return nil }

func checkSDP(sdp string) error {
	if sdp == "" {
		return missingField("sdp")
	}
	if len(sdp) > MaxSDP {
		return newDecodeError(ErrOutOfRange, "sdp", fmt.Errorf("%d bytes, the limit is %d", len(sdp), MaxSDP))
	}
	return nil
}

func checkText(field, s string) error {
	if len(s) > MaxString {
		return newDecodeError(ErrOutOfRange, field, fmt.Errorf("%d bytes, the limit is %d", len(s), MaxString))
	}
	return nil
}

func missingField(field string) error {
	return newDecodeError(ErrOutOfRange, field, errors.New("missing"))
}

// errNewWord is a word that none of the closed sets has.
var errNewWord = errors.New("not of the set")

func outsideRange[T ~string](field string, got T) error {
	if got == "" {
		return missingField(field)
	}
	return newDecodeError(ErrOutOfRange, field, fmt.Errorf("%.64q is %w", string(got), errNewWord))
}
