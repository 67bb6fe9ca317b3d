package callapi

// What PROTOCOL.md is held against.
var (
	WarningEvent = warningEvent
	EndEvent     = endEvent
)
