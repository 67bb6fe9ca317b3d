//go:build !js

package native

import (
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Level is the loudness of one packet's audio as RFC 6464 has it.
type Level struct {
	DBOV  uint8 // −dBov: 0 is loudest, 127 is silence
	Voice bool  // speech was found in it
}

// Counts is what a connection has sent and received.
type Counts struct {
	Sent, SentBytes         int64 // packets, bytes of payload
	Received, ReceivedBytes int64
	LastReceived            time.Time
}

// audio is the track each way.
type audio struct {
	heard func(*rtp.Packet)
	track *webrtc.TrackLocalStaticRTP

	audioMu   sync.Mutex
	extension uint8 // of the level; 0 until it was agreed, or if it wasn't
	muted     bool
	counts    Counts
	remote    uint32 // SSRC of the agent's stream
}

func (c *Connection) addTrack() error {
	track, err := webrtc.NewTrackLocalStaticRTP(opus.RTPCodecCapability, "audio", "caller")
	if err != nil {
		return err
	}
	sender, err := c.pc.AddTrack(track)
	if err != nil {
		return err
	}
	c.track, c.sender = track, sender
	c.reading.Go(func() { // interceptors live on what is read
		buf := make([]byte, 1500)
		for {
			if _, _, err := sender.Read(buf); err != nil {
				return
			}
		}
	})
	return nil
}

// findLevelExtension looks up the level's header extension in what was negotiated.
func (c *Connection) findLevelExtension() {
	for _, e := range c.sender.GetParameters().HeaderExtensions {
		if e.URI == sdp.AudioLevelURI {
			c.audioMu.Lock()
			c.extension = uint8(e.ID)
			c.audioMu.Unlock()
		}
	}
}

// rtpVersion is the only one there is (RFC 3550 §5.1).
const rtpVersion = 2

// Send sends one packet with its level; version, payload type and SSRC are the
// connection's own. A muted connection drops it.
func (c *Connection) Send(p *rtp.Packet, l Level) error {
	c.audioMu.Lock()
	id, muted := c.extension, c.muted
	c.audioMu.Unlock()
	if muted {
		return nil
	}
	out := *p
	out.Header = p.Header.Clone()
	out.Header.Version = rtpVersion
	if id != 0 {
		level, err := rtp.AudioLevelExtension{Level: l.DBOV, Voice: l.Voice}.Marshal()
		if err != nil {
			return fmt.Errorf("native: level: %w", err)
		}
		if err := out.Header.SetExtension(id, level); err != nil {
			return fmt.Errorf("native: level: %w", err)
		}
	}
	if err := c.track.WriteRTP(&out); err != nil {
		return fmt.Errorf("native: send: %w", err)
	}
	c.audioMu.Lock()
	defer c.audioMu.Unlock()
	c.counts.Sent++
	c.counts.SentBytes += int64(len(p.Payload))
	return nil
}

// Mute implements peer.Connection.
func (c *Connection) Mute(on bool) {
	c.audioMu.Lock()
	defer c.audioMu.Unlock()
	c.muted = on
}

// Counts is what was sent and received so far.
func (c *Connection) Counts() Counts {
	c.audioMu.Lock()
	defer c.audioMu.Unlock()
	return c.counts
}

// listen starts reading the agent's track.
func (c *Connection) listen(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	c.audioMu.Lock()
	c.remote = uint32(t.SSRC())
	c.audioMu.Unlock()
	c.reading.Go(func() {
		for {
			if _, _, err := r.ReadRTCP(); err != nil {
				return
			}
		}
	})
	c.reading.Go(func() { c.read(t) })
}

func (c *Connection) read(t *webrtc.TrackRemote) {
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		c.audioMu.Lock()
		c.counts.Received++
		c.counts.ReceivedBytes += int64(len(p.Payload))
		c.counts.LastReceived = time.Now()
		c.audioMu.Unlock()
		if c.heard != nil {
			c.heard(p)
		}
	}
}

// streams are the SSRCs each way; 0 is none yet.
func (c *Connection) streams() (in, out uint32) {
	c.audioMu.Lock()
	in = c.remote
	c.audioMu.Unlock()
	if encodings := c.sender.GetParameters().Encodings; len(encodings) > 0 {
		out = uint32(encodings[0].SSRC)
	}
	return in, out
}

// opus is the one codec.
var opus = webrtc.RTPCodecParameters{
	RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
		SDPFmtpLine: "minptime=10;useinbandfec=1",
	},
	PayloadType: 111,
}
