// Package rtcstats owns what one look at a WebRTC connection says: Sample, the
// absolute counters under their W3C names, and Rates, what happened between two
// of them. It knows no transport, no clock and no rating.
//
// Names, units and meaning are those of https://www.w3.org/TR/webrtc-stats/:
// jitter, delays and round-trip times are seconds, timestamp is milliseconds
// since the Unix epoch, packetsLost is signed. A nil field was not reported;
// it is never the same as zero.
package rtcstats

// Sample is one look at a connection by one of its ends. Counters are absolute,
// so that a lost report costs detail, never truth. "Inbound" is seen from the
// end that measures: at the browser it is the agent's voice, at the server's
// relay it is the caller's.
type Sample struct {
	// Timestamp is when the counters were read, in milliseconds since the Unix
	// epoch by the clock of the end that measured.
	Timestamp float64 `json:"timestamp"`

	Inbound       *Inbound       `json:"inbound-rtp,omitempty"`
	Outbound      *Outbound      `json:"outbound-rtp,omitempty"`
	RemoteInbound *RemoteInbound `json:"remote-inbound-rtp,omitempty"`
	CandidatePair *CandidatePair `json:"candidate-pair,omitempty"`
	Transport     *Transport     `json:"transport,omitempty"`
	MediaSource   *MediaSource   `json:"media-source,omitempty"`
	MediaPlayout  *MediaPlayout  `json:"media-playout,omitempty"`
	Codec         *Codec         `json:"codec,omitempty"`
	// Ping is Parley's own: the latency pings of the parley data channel.
	Ping *Ping `json:"parley-ping,omitempty"`
}

// Inbound is RTCInboundRtpStreamStats of the one audio stream, and two counters
// that only an end that sees sequence numbers can fill (LossRuns, LossRunPackets).
type Inbound struct {
	ID                          string   `json:"id"`
	SSRC                        uint32   `json:"ssrc"`
	PacketsReceived             int64    `json:"packetsReceived"`
	PacketsLost                 int64    `json:"packetsLost"` // signed: late arrivals count back
	PacketsDiscarded            *int64   `json:"packetsDiscarded,omitempty"`
	BytesReceived               int64    `json:"bytesReceived"`
	Jitter                      float64  `json:"jitter"`                      // s, RFC 3550 §6.4.1
	JitterBufferDelay           *float64 `json:"jitterBufferDelay,omitempty"` // s, sum over emitted samples
	JitterBufferTargetDelay     *float64 `json:"jitterBufferTargetDelay,omitempty"`
	JitterBufferMinimumDelay    *float64 `json:"jitterBufferMinimumDelay,omitempty"`
	JitterBufferEmittedCount    *int64   `json:"jitterBufferEmittedCount,omitempty"`
	TotalSamplesReceived        *int64   `json:"totalSamplesReceived,omitempty"`
	ConcealedSamples            *int64   `json:"concealedSamples,omitempty"`
	SilentConcealedSamples      *int64   `json:"silentConcealedSamples,omitempty"`
	ConcealmentEvents           *int64   `json:"concealmentEvents,omitempty"`
	InsertedSamplesForDecel     *int64   `json:"insertedSamplesForDeceleration,omitempty"`
	RemovedSamplesForAccel      *int64   `json:"removedSamplesForAcceleration,omitempty"`
	FECPacketsReceived          *int64   `json:"fecPacketsReceived,omitempty"`
	FECPacketsDiscarded         *int64   `json:"fecPacketsDiscarded,omitempty"`
	TotalProcessingDelay        *float64 `json:"totalProcessingDelay,omitempty"` // s
	AudioLevel                  *float64 `json:"audioLevel,omitempty"`           // 0–1, linear
	TotalAudioEnergy            *float64 `json:"totalAudioEnergy,omitempty"`
	TotalSamplesDuration        *float64 `json:"totalSamplesDuration,omitempty"`        // s
	LastPacketReceivedTimestamp *float64 `json:"lastPacketReceivedTimestamp,omitempty"` // ms
	LossRuns                    *int64   `json:"lossRuns,omitempty"`                    // runs of consecutive lost packets
	LossRunPackets              *int64   `json:"lossRunPackets,omitempty"`              // packets in those runs
}

// Outbound is RTCOutboundRtpStreamStats of the one audio stream.
type Outbound struct {
	ID                       string   `json:"id"`
	SSRC                     uint32   `json:"ssrc"`
	PacketsSent              int64    `json:"packetsSent"`
	BytesSent                int64    `json:"bytesSent"`
	RetransmittedPacketsSent *int64   `json:"retransmittedPacketsSent,omitempty"`
	TargetBitrate            *float64 `json:"targetBitrate,omitempty"`        // bit/s
	TotalPacketSendDelay     *float64 `json:"totalPacketSendDelay,omitempty"` // s
	Active                   *bool    `json:"active,omitempty"`
}

// RemoteInbound is RTCRemoteInboundRtpStreamStats: what the far end says, in
// its RTCP receiver reports, of the stream this end sends.
type RemoteInbound struct {
	ID                        string   `json:"id"`
	SSRC                      uint32   `json:"ssrc"`
	PacketsLost               int64    `json:"packetsLost"`
	FractionLost              *float64 `json:"fractionLost,omitempty"`  // 0–1, since the last report
	Jitter                    *float64 `json:"jitter,omitempty"`        // s
	RoundTripTime             *float64 `json:"roundTripTime,omitempty"` // s
	TotalRoundTripTime        *float64 `json:"totalRoundTripTime,omitempty"`
	RoundTripTimeMeasurements *int64   `json:"roundTripTimeMeasurements,omitempty"`
}

// CandidatePair is RTCIceCandidatePairStats of the pair that is in use. It
// carries the kinds of its two candidates and never an address.
type CandidatePair struct {
	ID                       string   `json:"id"`
	CurrentRoundTripTime     *float64 `json:"currentRoundTripTime,omitempty"` // s
	TotalRoundTripTime       *float64 `json:"totalRoundTripTime,omitempty"`   // s
	ResponsesReceived        *int64   `json:"responsesReceived,omitempty"`
	AvailableOutgoingBitrate *float64 `json:"availableOutgoingBitrate,omitempty"` // bit/s
	State                    string   `json:"state,omitempty"`
	LocalCandidateType       string   `json:"localCandidateType,omitempty"`  // host, srflx, prflx, relay
	RemoteCandidateType      string   `json:"remoteCandidateType,omitempty"` // as above
	Protocol                 string   `json:"protocol,omitempty"`            // udp, tcp
	RelayProtocol            string   `json:"relayProtocol,omitempty"`       // udp, tcp, tls
	NetworkType              string   `json:"networkType,omitempty"`         // often withheld
}

// Transport is RTCTransportStats.
type Transport struct {
	DTLSState                    string `json:"dtlsState,omitempty"`
	ICEState                     string `json:"iceState,omitempty"`
	SelectedCandidatePairChanges *int64 `json:"selectedCandidatePairChanges,omitempty"`
	PacketsReceived              *int64 `json:"packetsReceived,omitempty"` // of all kinds
	BytesSent                    *int64 `json:"bytesSent,omitempty"`
	BytesReceived                *int64 `json:"bytesReceived,omitempty"`
}

// MediaSource is RTCAudioSourceStats: the microphone before encoding.
type MediaSource struct {
	ID                        string   `json:"id"`
	AudioLevel                *float64 `json:"audioLevel,omitempty"` // 0–1, linear
	TotalAudioEnergy          *float64 `json:"totalAudioEnergy,omitempty"`
	TotalSamplesDuration      *float64 `json:"totalSamplesDuration,omitempty"`      // s
	EchoReturnLoss            *float64 `json:"echoReturnLoss,omitempty"`            // dB
	EchoReturnLossEnhancement *float64 `json:"echoReturnLossEnhancement,omitempty"` // dB
}

// MediaPlayout is RTCAudioPlayoutStats: the way from decoder to loudspeaker.
type MediaPlayout struct {
	ID                         string   `json:"id"`
	SynthesizedSamplesDuration *float64 `json:"synthesizedSamplesDuration,omitempty"` // s
	TotalPlayoutDelay          *float64 `json:"totalPlayoutDelay,omitempty"`          // s, sum over samples
	TotalSamplesCount          *int64   `json:"totalSamplesCount,omitempty"`
}

// Codec is RTCCodecStats of the outbound stream.
type Codec struct {
	MimeType    string `json:"mimeType,omitempty"`
	ClockRate   *int64 `json:"clockRate,omitempty"` // Hz
	Channels    *int64 `json:"channels,omitempty"`
	SDPFmtpLine string `json:"sdpFmtpLine,omitempty"`
}

// Ping counts the latency pings of the parley data channel. The channel is
// unordered and never retransmits, so a ping that is lost has no round trip. The
// end that answers them has only those that came, and only while they come in
// their rhythm.
type Ping struct {
	RequestsReceived     int64   `json:"requestsReceived,omitempty"`
	RequestsSent         int64   `json:"requestsSent"`
	ResponsesReceived    int64   `json:"responsesReceived"`
	CurrentRoundTripTime float64 `json:"currentRoundTripTime"` // s, of the newest answer
	TotalRoundTripTime   float64 `json:"totalRoundTripTime"`   // s, sum over answers
}
