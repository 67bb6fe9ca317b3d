package rest

// Kinds of activities, by which the feed is filtered.
const (
	ActivitySignIn  = "sign_in"
	ActivityCall    = "call"
	ActivityQuality = "quality"
	ActivityTimeout = "timeout"
	ActivityAdmin   = "admin"
	ActivityPrivacy = "privacy"
	ActivityError   = "error"
)

// What activities tell of.
const (
	SignedIn         = "signed_in"
	SignedOut        = "signed_out"
	CallStarted      = "call_started"
	CallEnded        = "call_ended"        // Detail is the cause
	CallReconnecting = "call_reconnecting" // the socket is gone, the place is kept
	CallResumed      = "call_resumed"
	CallTimedOut     = "call_timed_out" // Detail is the cause
	CallFailed       = "call_failed"    // Detail is the cause
	QualityFell      = "quality_fell"   // Detail is the level
	QualityRose      = "quality_rose"   // Detail is the level
	AdminEndedCall   = "admin_ended_call"
	SettingsChanged  = "settings_changed" // Detail names them
	PersonRevealed   = "person_revealed"  // an admin saw who calls; why is in the audit log
	PrivacyTurnedOn  = "privacy_turned_on"
	PrivacyTurnedOff = "privacy_turned_off"
)
