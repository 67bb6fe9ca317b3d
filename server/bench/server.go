package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley/server/agent"
	"parley/server/agent/double"
	"parley/server/agent/upstream"
	"parley/server/leg"
	"parley/server/relay"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// kind is a server under test.
type kind interface {
	// answer makes a session that sends back what it hears.
	answer(ctx context.Context, offer string) (string, error)
	// hangUp closes all sessions.
	hangUp()
	packets() int64
	io.Closer
}

// process is a kind that is a process of its own, and says what that has used.
type process interface {
	used() (cpu time.Duration, rss int64, err error)
}

// uncounted is how many packets came through a server that doesn't say.
const uncounted = -1

// serverQuestion asks a server: "usage", "memory" or "hangup".
type serverQuestion struct{ What string }

// serve is a server process: offers come in by HTTP, questions by its input.
func serve(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	k, err := newKind(ctx, o)
	if err != nil {
		return err
	}
	defer k.Close()
	stop, err := profile(o.role, o.profiles)
	if err != nil {
		return err
	}
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web := &http.Server{Handler: offers(k)}
	var wg sync.WaitGroup
	wg.Go(func() { web.Serve(l) })
	defer wg.Wait()
	defer web.Close()
	return answerQuestions(in, out, func(q serverQuestion) (any, error) {
		switch q.What {
		case "where":
			return "http://" + l.Addr().String() + double.CallsPath, nil
		case "usage":
			return usage(k, false)
		case "memory":
			return usage(k, true)
		case "hangup":
			k.hangUp()
			return nil, nil
		}
		return nil, fmt.Errorf("what is %q?", q.What)
	})
}

func newKind(ctx context.Context, o options) (kind, error) {
	switch o.role {
	case relayRole:
		return newParley(o.far)
	case reflectorRole:
		return &reflector{connect: newPeerConnection}, nil
	case tunedRole:
		return newTunedReflector()
	case janusRole:
		return newJanus(ctx)
	case forwarderRole:
		return &forwarder{far: o.far}, nil
	case farRole:
		return newFarEnd()
	}
	return nil, fmt.Errorf("no role %q", o.role)
}

func usage(k kind, andMemory bool) (u Usage, err error) {
	if andMemory {
		if u.RSS, u.Live, err = memory(); err != nil {
			return u, err
		}
	}
	u.Packets = k.packets()
	if m, isElsewhere := k.(process); isElsewhere {
		u.Live = 0 // of this process, which does nothing
		u.CPU, u.RSS, err = m.used()
		return u, err
	}
	u.CPU, err = cpu()
	return u, err
}

func offers(k kind) http.Handler {
	if far, ok := k.(*farEnd); ok {
		return far.service
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := k.answer(r.Context(), string(offer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		io.WriteString(w, answer)
	})
}

// profile writes what the process does and allocates, if a folder is given.
func profile(role, dir string) (stop func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	name := filepath.Join(dir, fmt.Sprintf("%s.%d", role, os.Getpid()))
	busy, err := os.Create(name + ".cpu")
	if err != nil {
		return nil, err
	}
	heap, err := os.Create(name + ".heap")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(busy); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = pprof.Lookup("allocs").WriteTo(heap, 0) // a profile that is cut short shows itself
		busy.Close()
		heap.Close()
	}, nil
}

// parley is the relay with an agent, as the server wires them.
type parley struct {
	relay   *relay.Relay
	agent   agent.Agent
	hangups *upstream.Hangups
	count   atomic.Int64

	mu   sync.Mutex
	legs []io.Closer
}

// newParley makes it with the echo agent, or, if far isn't empty, with one at the service
// there.
func newParley(far string) (*parley, error) {
	r, err := relay.Listen(relay.Config{Addr: "127.0.0.1:0", AllowPrivate: true})
	if err != nil {
		return nil, err
	}
	p := &parley{relay: r, agent: agent.Echo{}, hangups: upstream.NewHangups(noLedger{}, nil)}
	if far != "" {
		cfg := upstream.Config{Name: "far", Dialect: upstream.RawSDP, URL: far, Key: farKey, AllowPrivate: true}
		if p.agent, err = upstream.New(cfg, p.hangups, nil); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

// counted counts the packets of a leg on their way.
type counted struct {
	agent.Leg
	n *atomic.Int64
}

func (c counted) HandleRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) {
	c.n.Add(1)
	c.Leg.HandleRTP(h, payload, level)
}

// countedAudio counts the packets of the agent on their way.
type countedAudio struct {
	leg.RTPWriter
	n *atomic.Int64
}

func (c countedAudio) WriteRTP(h *rtp.Header, payload []byte, level *rtp.AudioLevelExtension) error {
	c.n.Add(1)
	return c.RTPWriter.WriteRTP(h, payload, level)
}

// nobody is told of the callers' legs.
type nobody struct{}

func (nobody) ConnectionState(rtcstats.ConnectionState, time.Time) {}
func (nobody) ICERestarted()                                       {}
func (nobody) Sampled(rtcstats.Sample)                             {}

// noAgent is told of the agents' legs.
type noAgent struct{}

func (noAgent) AgentState(wire.AgentState)            {}
func (noAgent) Speech(rtcstats.Leg)                   {}
func (noAgent) Sampled(rtcstats.Leg, rtcstats.Sample) {}
func (noAgent) AgentStuck(wire.EndCause, time.Time)   {}
func (noAgent) AgentLeft(error)                       {}

func (p *parley) answer(ctx context.Context, offer string) (string, error) {
	l, err := p.relay.Open("bench", nobody{}, func(caller *relay.Leg) (leg.Handler, error) {
		far, err := p.openAgent(ctx, caller)
		if err != nil {
			return nil, err
		}
		p.add(far)
		return counted{far, &p.count}, nil
	})
	if err != nil {
		return "", err
	}
	p.add(l)
	return l.Offer(ctx, offer)
}

// openAgent opens the agent's leg. What the echo agent sends back is counted once.
func (p *parley) openAgent(ctx context.Context, caller *relay.Leg) (agent.Leg, error) {
	call := agent.Call{Session: "bench", Audio: caller, Messages: caller}
	if _, isEcho := p.agent.(agent.Echo); !isEcho {
		call.Audio = countedAudio{caller, &p.count}
	}
	return p.agent.Open(context.WithoutCancel(ctx), call, noAgent{})
}

func (p *parley) add(leg io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.legs = append(p.legs, leg)
}

func (p *parley) hangUp() { closeAll(&p.mu, &p.legs) }

func (p *parley) packets() int64 { return p.count.Load() }

func (p *parley) Close() error {
	return errors.Join(p.relay.Close(), p.hangups.Close())
}

// reflector is what pion gives: each packet is read from the track that came and written
// to the one that goes.
type reflector struct {
	connect func(...func(*webrtc.API)) (*webrtc.PeerConnection, error)
	socket  io.Closer // of all connections; nil: each has its own
	count   atomic.Int64

	mu  sync.Mutex
	pcs []io.Closer
}

func (r *reflector) answer(_ context.Context, offer string) (string, error) {
	pc, err := r.connect()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	r.pcs = append(r.pcs, pc)
	r.mu.Unlock()
	out, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "out", "out")
	if err != nil {
		return "", err
	}
	sender, err := pc.AddTrack(out)
	if err != nil {
		return "", err
	}
	go drain(sender)
	pc.OnTrack(func(in *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { copyRTP(in, out, &r.count) })
	return answer(pc, offer)
}

// newPeerConnection is one with pion's defaults, but for the addresses.
func newPeerConnection(options ...func(*webrtc.API)) (*webrtc.PeerConnection, error) {
	var loopback webrtc.SettingEngine
	loopback.SetIncludeLoopbackCandidate(true)
	loopback.SetIPFilter(net.IP.IsLoopback)
	return webrtc.NewAPI(append(options, webrtc.WithSettingEngine(loopback))...).NewPeerConnection(webrtc.Configuration{})
}

// drain reads the reports on what is sent: interceptors live on what is read.
func drain(sender *webrtc.RTPSender) {
	for b := make([]byte, 1500); ; {
		if _, _, err := sender.Read(b); err != nil {
			return
		}
	}
}

func copyRTP(in *webrtc.TrackRemote, out *webrtc.TrackLocalStaticRTP, count *atomic.Int64) {
	for {
		p, _, err := in.ReadRTP()
		if err != nil {
			return
		}
		count.Add(1)
		if err := out.WriteRTP(p); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return
		}
	}
}

func answer(pc *webrtc.PeerConnection, offer string) (string, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	a, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(a); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

func (r *reflector) hangUp() { closeAll(&r.mu, &r.pcs) }

func (r *reflector) packets() int64 { return r.count.Load() }

func (r *reflector) Close() error {
	r.hangUp()
	if r.socket == nil {
		return nil
	}
	return r.socket.Close()
}

func closeAll(mu *sync.Mutex, list *[]io.Closer) {
	mu.Lock()
	all := *list
	*list = nil
	mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}
