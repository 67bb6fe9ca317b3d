//go:build !js

package native

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/stats"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"parley/shared/rtcstats"
)

// statistics is where pion's counters of one connection are found.
type statistics struct {
	mu     sync.Mutex
	getter stats.Getter
}

func (s *statistics) of(ssrc uint32) *stats.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.getter == nil || ssrc == 0 {
		return nil
	}
	return s.getter.Get(ssrc)
}

// newAPI knows Opus, the audio level, RTCP reports and statistics.
func newAPI(s *statistics, engine func(*webrtc.SettingEngine)) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	level := webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}
	if err := media.RegisterHeaderExtension(level, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	registry, err := interceptors(s)
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{LoggerFactory: quiet()}
	settings.SetIncludeLoopbackCandidate(true)
	if engine != nil {
		engine(&settings)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings)), nil
}

// quiet keeps pion's log to itself: it names addresses.
func quiet() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f
}

func interceptors(s *statistics) (*interceptor.Registry, error) {
	receiver, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	sender, err := report.NewSenderInterceptor()
	if err != nil {
		return nil, err
	}
	counters, err := stats.NewInterceptor()
	if err != nil {
		return nil, err
	}
	counters.OnNewPeerConnection(func(_ string, g stats.Getter) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.getter = g
	})
	registry := &interceptor.Registry{}
	for _, f := range []interceptor.Factory{counters, receiver, sender} {
		registry.Add(f)
	}
	return registry, nil
}

// Sample implements peer.Connection.
func (c *Connection) Sample(context.Context) (rtcstats.Sample, error) {
	s := rtcstats.Sample{Timestamp: float64(time.Now().UnixMicro()) / 1000}
	in, out := c.streams()
	if got := c.stats.of(in); got != nil {
		r := got.InboundRTPStreamStats
		s.Inbound = &rtcstats.Inbound{
			ID: "in" + strconv.Itoa(int(in)), SSRC: in, PacketsReceived: int64(r.PacketsReceived),
			PacketsLost: r.PacketsLost, BytesReceived: int64(r.BytesReceived), Jitter: max(0, r.Jitter),
		}
	}
	if sent := c.stats.of(out); sent != nil {
		o, r := sent.OutboundRTPStreamStats, sent.RemoteInboundRTPStreamStats
		s.Outbound = &rtcstats.Outbound{
			ID: "out" + strconv.Itoa(int(out)), SSRC: out,
			PacketsSent: int64(o.PacketsSent), BytesSent: int64(o.BytesSent),
		}
		if r.RoundTripTimeMeasurements > 0 {
			s.RemoteInbound = remoteInbound(out, r)
		}
	}
	s.CandidatePair = c.pair()
	return s, nil
}

func remoteInbound(ssrc uint32, r stats.RemoteInboundRTPStreamStats) *rtcstats.RemoteInbound {
	return &rtcstats.RemoteInbound{
		ID: "remote" + strconv.Itoa(int(ssrc)), SSRC: ssrc, PacketsLost: r.PacketsLost,
		FractionLost: &r.FractionLost, Jitter: &r.Jitter,
		RoundTripTime:             new(r.RoundTripTime.Seconds()),
		TotalRoundTripTime:        new(r.TotalRoundTripTime.Seconds()),
		RoundTripTimeMeasurements: new(int64(r.RoundTripTimeMeasurements)),
	}
}

// pair tells the kinds of the two candidates in use, and no address.
func (c *Connection) pair() *rtcstats.CandidatePair {
	p, err := c.sender.Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || p == nil {
		return nil
	}
	return &rtcstats.CandidatePair{
		ID:                 "pair",
		LocalCandidateType: p.Local.Typ.String(), RemoteCandidateType: p.Remote.Typ.String(),
		Protocol: p.Local.Protocol.String(),
	}
}
