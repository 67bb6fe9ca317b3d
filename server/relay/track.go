package relay

import (
	"github.com/pion/webrtc/v4"

	"parley/server/leg"
)

// track is what pion sends of a leg: it binds the leg's streams to a connection.
type track struct{ streams *leg.Streams }

// Bind implements webrtc.TrackLocal.
func (t track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	t.streams.Bind(uint32(c.SSRC()), c.WriteStream())
	return codecs[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (t track) Unbind(webrtc.TrackLocalContext) error {
	t.streams.Unbind()
	return nil
}

// ID implements webrtc.TrackLocal.
func (track) ID() string { return "agent" }

// RID implements webrtc.TrackLocal.
func (track) RID() string { return "" }

// StreamID implements webrtc.TrackLocal.
func (track) StreamID() string { return "parley" }

// Kind implements webrtc.TrackLocal.
func (track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }
