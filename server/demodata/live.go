package demodata

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"parley/server/bridge"
	"parley/server/session"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// How live calls come and go.
const (
	// firstWithin is within which the first calls begin: soon, and not in one moment.
	firstWithin = 3 * time.Second
	// pauseBetween is until the next caller where a call ended.
	pauseBetween = 5 * time.Second
	// reportEach is how many seconds are in a caller's report.
	reportEach = 5
	// dropEach and droppedFor are how callers who reconnect lose their socket.
	dropEach   = 45
	droppedFor = 9
	// agentAfter is how long the agent takes to be there.
	agentAfter = 300 * time.Millisecond
)

// callAll keeps the live calls alive until ctx is done.
func (d *Demo) callAll(ctx context.Context, sessions Sessions) {
	var callers sync.WaitGroup
	for i := range d.cfg.Live {
		callers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
			if !pause(ctx, time.Duration(i)*firstWithin/time.Duration(d.cfg.Live)) {
				return
			}
			for ctx.Err() == nil {
				who := newPerson(i+len(troubles)*rng.IntN(people/len(troubles)), rng)
				c := &liveCaller{sessions: sessions, rng: rng, trouble: troubleOf(who.user), who: who}
				c.call(ctx)
				pause(ctx, pauseBetween+time.Duration(rng.Int64N(int64(pauseBetween))))
			}
		})
	}
	callers.Wait()
}

// pause waits, and reports whether ctx is still on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// liveCaller does what a caller's page does.
type liveCaller struct {
	sessions Sessions
	rng      *rand.Rand
	trouble  trouble
	who      person
	link     *session.Link
	token    string // to resume with
	samples  []rtcstats.Sample
}

func (c *liveCaller) caller() session.Caller {
	w := c.who
	return session.Caller{
		User: w.user, Name: w.name, Phone: w.phone, Email: w.email, Remote: w.remote, Agent: w.agent,
		TokenExpires: time.Now().Add(2 * time.Hour), IsMadeUp: true,
	}
}

// call calls, talks for some minutes, and leaves.
func (c *liveCaller) call(ctx context.Context) {
	s, err := c.sessions.Admit(c.caller())
	if err != nil {
		return
	}
	if c.link, err = s.Attach(); err != nil {
		return
	}
	c.readOutbox()
	c.link.Offer(wire.Offer{SDP: "demo"})
	if c.trouble == staysQuiet {
		c.link.Activity(wire.Activity{Kind: wire.ActivityMute})
	}
	lasts := 45 + int(c.rng.ExpFloat64()*240)
	line := newLine(c.trouble, seeded(s.ID()))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; second < lasts || c.trouble == staysQuiet; second++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-s.Context().Done():
			return
		}
		c.live(s.ID(), second, line.next(time.Now())[endClient])
	}
	if c.link != nil {
		c.link.End(wire.CallerLeft)
	}
}

// live is one second of the page's.
func (c *liveCaller) live(id string, second int, sample rtcstats.Sample) {
	if c.trouble == reconnects {
		switch second % dropEach {
		case dropEach - droppedFor:
			c.link.Lost(time.Now())
			c.link = nil
		case dropEach - 1:
			c.resume(id)
		}
	}
	c.samples = append(c.samples, sample)
	if c.link == nil {
		c.samples = nil
		return
	}
	c.readOutbox()
	c.link.Heard(time.Now())
	if len(c.samples) >= reportEach {
		c.link.Report(wire.Report{Samples: c.samples})
		c.samples = nil
	}
}

func (c *liveCaller) resume(id string) {
	s, err := c.sessions.Resume(c.caller(), id, c.token)
	if err != nil {
		return
	}
	if c.link, err = s.Attach(); err == nil {
		c.readOutbox()
	}
}

// readOutbox takes what the server sent.
func (c *liveCaller) readOutbox() {
	for {
		select {
		case m := <-c.link.Outbox():
			if hello, ok := m.(wire.Hello); ok {
				c.token = hello.ResumeToken
			}
		default:
			return
		}
	}
}

// seeded makes numbers that are the same for the same session: what is made up of a
// call at one of its ends fits the other.
func seeded(id string) *rand.Rand {
	var seed [32]byte
	copy(seed[:], id)
	copy(seed[16:], id[len(id)/2:])
	return rand.New(rand.NewChaCha8(seed))
}

// Media makes up both legs of live calls.
type Media struct{}

// Open implements bridge.MadeUpMedia.
func (Media) Open(id string, c session.Caller, on bridge.MadeUpEvents) session.Legs {
	ctx, stop := context.WithCancel(context.Background())
	return &legs{id: id, on: on, trouble: troubleOf(c.User), ctx: ctx, stop: stop}
}

// legs tell what the server would count of a call.
type legs struct {
	id      string
	on      bridge.MadeUpEvents
	trouble trouble
	used    rest.Usage
	ctx     context.Context
	stop    context.CancelFunc
	begin   sync.Once
	running sync.WaitGroup
}

// Offer implements session.Legs.
func (l *legs) Offer(context.Context, string) (string, error) {
	l.begin.Do(func() { l.running.Go(l.run) })
	return "demo", nil
}

// AddCandidate implements session.Legs.
func (l *legs) AddCandidate(wire.CandidateInit) error { return nil }

// DeliverMessage implements session.Legs: there is nobody to have it.
func (l *legs) DeliverMessage(context.Context, []byte) error { return nil }

// Close implements session.Legs.
func (l *legs) Close() {
	l.stop()
	l.begin.Do(func() {}) // nothing begins any more
	l.running.Wait()
}

func (l *legs) run() {
	if !pause(l.ctx, agentAfter) {
		return
	}
	l.on.ConnectionState(rtcstats.StateConnected, time.Now())
	line, talk := newLine(l.trouble, seeded(l.id)), newTalk(l.trouble, seeded("talk "+l.id))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
		now := time.Now()
		samples := line.next(now)
		l.on.Sampled(rtcstats.LegCaller, samples[endServer])
		l.on.Sampled(rtcstats.LegAgent, samples[endAgent])
		l.tell(talk.next(now))
	}
}

// tell tells what was said in a second.
func (l *legs) tell(s talkStep) {
	l.on.AgentState(s.state)
	if s.speech != "" {
		l.on.Speech(s.speech)
	}
	if len(s.turns)+len(s.spoken) > 0 {
		l.on.TurnsMeasured(s.turns, s.spoken)
	}
	if len(s.ended) > 0 {
		l.on.TurnsEnded(s.ended)
	}
	if s.used.Responses > 0 {
		l.used.Add(s.used)
		l.on.Used(l.used)
	}
}
