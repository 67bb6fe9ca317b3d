package rtcstats

// Leg is one of the two connections of a call.
type Leg string

// The two legs. Whoever speaks does so on a leg, so they also name the speaker.
const (
	LegCaller Leg = "caller"
	LegAgent  Leg = "agent"
)

// MeasuredBy is whose numbers a sample holds.
type MeasuredBy string

// Client numbers are claims; those of the server are its own counters.
const (
	ByClient MeasuredBy = "client"
	ByServer MeasuredBy = "server"
)

// ConnectionState is how the connection of a leg stands: the values of
// RTCPeerConnectionState (https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum)
// that matter to a call.
type ConnectionState string

// The states of a connection. Disconnected: nothing came for a while, it may
// recover by itself or by an ICE restart. Failed: only a restart can help.
// Closed: the far end said goodbye.
const (
	StateNew          ConnectionState = "new"
	StateConnected    ConnectionState = "connected"
	StateDisconnected ConnectionState = "disconnected"
	StateFailed       ConnectionState = "failed"
	StateClosed       ConnectionState = "closed"
)
