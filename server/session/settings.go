package session

import (
	"time"

	"parley/server/settings"
)

// Settings are the limits that an admin changes while calls go on. A change
// holds for live sessions at once.
type Settings struct {
	// IdleTimeout ends a session in which neither side spoke nor acted.
	IdleTimeout time.Duration
	// IdleWarning is how long before its end a caller is told, of the idle
	// timeout and of the longest duration alike. It is cut to half of either:
	// a warning that always stands says nothing.
	IdleWarning time.Duration
	// MaxDuration is the longest a session lasts; 0 is none.
	MaxDuration time.Duration
	// MaxSessions caps the live sessions, those within their grace included.
	MaxSessions int
	// MaxPerUser caps those of one user.
	MaxPerUser int
	// MaxPerOrg caps those of one organization, OrgCaps those of the ones that it lists
	// (see settings.OrgCap); 0 is none.
	MaxPerOrg int
	OrgCaps   string
	// Paused: nobody new is admitted; who is here stays, and may come back.
	Paused bool
}

// SettingsOf are the limits among the runtime settings.
func SettingsOf(v settings.Values) Settings {
	return Settings{
		IdleTimeout: v.IdleTimeout, IdleWarning: v.IdleWarning, MaxDuration: v.MaxDuration,
		MaxSessions: v.MaxSessions, MaxPerUser: v.MaxPerUser, MaxPerOrg: v.MaxPerOrg, OrgCaps: v.OrgCaps, Paused: v.Paused,
	}
}

// DefaultSettings are those of a server that was told nothing.
func DefaultSettings() Settings { return SettingsOf(settings.Defaults()) }

// orDefaults replaces what can't be by its default. All zero is "told nothing";
// else a zero MaxDuration means none.
func (s Settings) orDefaults() Settings {
	d := DefaultSettings()
	if s == (Settings{}) {
		return d
	}
	s.IdleTimeout = orDefault(s.IdleTimeout, d.IdleTimeout)
	s.IdleWarning = orDefault(s.IdleWarning, d.IdleWarning)
	s.MaxDuration = max(s.MaxDuration, 0)
	s.MaxSessions = orDefault(s.MaxSessions, d.MaxSessions)
	s.MaxPerUser = orDefault(s.MaxPerUser, d.MaxPerUser)
	return s
}

// idleWarning is how long before the idle timeout the warning stands.
func (s Settings) idleWarning() time.Duration { return min(s.IdleWarning, s.IdleTimeout/2) }

// durationWarning is how long before the longest duration the warning stands.
func (s Settings) durationWarning() time.Duration { return min(s.IdleWarning, s.MaxDuration/2) }

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}
