// Package peerconn ties a leg to a PeerConnection of pion's: what either leg of a
// call sends, receives and negotiates is set up alike. It makes no connection, and
// decides nothing about whom one is made with.
package peerconn

import (
	"io"
	"time"

	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/transport/v4/packetio"
	"github.com/pion/webrtc/v4"

	"parley/server/leg"
)

// NewMediaEngine knows one codec and one header extension. In-band FEC is asked
// for because it costs nothing without loss and hides most of it.
func NewMediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	err := m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: leg.ClockRate, Channels: 2,
			SDPFmtpLine: "minptime=10;useinbandfec=1",
		},
		PayloadType: 111,
	}, webrtc.RTPCodecTypeAudio)
	if err != nil {
		return nil, err
	}
	return m, m.RegisterHeaderExtension(
		webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}, webrtc.RTPCodecTypeAudio)
}

// Track is what pion sends of a leg: it binds the leg's streams to a connection.
type Track struct {
	Streams      *leg.Streams
	Name, Stream string // ID and StreamID
}

// Bind implements webrtc.TrackLocal.
func (t Track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	t.Streams.Bind(uint32(c.SSRC()), c.WriteStream())
	return codecs[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (t Track) Unbind(webrtc.TrackLocalContext) error {
	t.Streams.Unbind()
	return nil
}

// ID implements webrtc.TrackLocal.
func (t Track) ID() string { return t.Name }

// RID implements webrtc.TrackLocal.
func (Track) RID() string { return "" }

// StreamID implements webrtc.TrackLocal.
func (t Track) StreamID() string { return t.Stream }

// Kind implements webrtc.TrackLocal.
func (Track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }

// Receive returns what takes the place of pion's packet buffers for one SSRC: what
// pion decrypts goes to the leg in the same goroutine, instead of waiting for another
// to read it.
func Receive(kind packetio.BufferPacketType, ssrc uint32, streams *leg.Streams, to leg.RTPHandler) io.ReadWriteCloser {
	if kind == packetio.RTCPBufferPacket {
		return &buffer{take: func(b []byte) { streams.ReceiveRTCP(b, time.Now(), ssrc) }}
	}
	return &buffer{take: func(b []byte) { streams.ReceiveRTP(b, time.Now(), to) }}
}

// buffer is one SSRC of the far end. Nobody reads from it.
type buffer struct{ take func([]byte) }

func (b *buffer) Write(p []byte) (int, error) { b.take(p); return len(p), nil }
func (*buffer) Read([]byte) (int, error)      { return 0, io.EOF }
func (*buffer) Close() error                  { return nil }

// Mute drops what pion logs: it names addresses, candidates and ICE user names,
// and a stranger's garbage must not fill our log.
type Mute struct{}

// NewLogger implements logging.LoggerFactory.
func (m Mute) NewLogger(string) logging.LeveledLogger { return m }

// Trace implements logging.LeveledLogger.
func (Mute) Trace(string) {}

// Tracef implements logging.LeveledLogger.
func (Mute) Tracef(string, ...any) {}

// Debug implements logging.LeveledLogger.
func (Mute) Debug(string) {}

// Debugf implements logging.LeveledLogger.
func (Mute) Debugf(string, ...any) {}

// Info implements logging.LeveledLogger.
func (Mute) Info(string) {}

// Infof implements logging.LeveledLogger.
func (Mute) Infof(string, ...any) {}

// Warn implements logging.LeveledLogger.
func (Mute) Warn(string) {}

// Warnf implements logging.LeveledLogger.
func (Mute) Warnf(string, ...any) {}

// Error implements logging.LeveledLogger.
func (Mute) Error(string) {}

// Errorf implements logging.LeveledLogger.
func (Mute) Errorf(string, ...any) {}
