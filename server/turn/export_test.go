package turn

// Limits, for their tests.
const (
	MaxPerSession    = maxPerSession
	StrangerBurst    = strangerBurst
	StrangerInterval = strangerInterval
)
