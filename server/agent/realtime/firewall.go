package realtime

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxPendingUpdates is how many session.update may wait for the agent's first
// event: clients send one or two.
const maxPendingUpdates = 8

// Direction is the way that a message goes.
type Direction string

// Directions.
const (
	FromBrowser Direction = "from_browser"
	FromAgent   Direction = "from_agent"
	// FromSideband is what the operator's backend sends, judged as a browser's is.
	FromSideband Direction = "from_sideband"
)

// Reason says why an event did not pass.
type Reason string

// Reasons.
const (
	ReasonMalformed  Reason = "malformed"   // no JSON object, or one that can be read in two ways
	ReasonTooLarge   Reason = "too_large"   // over a limit of bytes
	ReasonTooComplex Reason = "too_complex" // too deep, or too many values
	ReasonUnknown    Reason = "unknown"     // no documented event of this direction
	ReasonNotAllowed Reason = "not_allowed" // by the agent's policy
	ReasonRate       Reason = "rate"        // over a limit of messages or bytes a second
)

// Refusal is an event that did not pass. It never has anything of its content.
type Refusal struct {
	Direction Direction
	Type      Type
	Reason    Reason
}

// Verdict is what becomes of one message.
type Verdict struct {
	// Event is what was read, whole; nil if it could not be.
	Event *Event
	// ToAgent and ToBrowser are what is to be sent, in this order.
	ToAgent, ToBrowser [][]byte
	// Refusal is set if the message did not pass, or not whole. What an agent sends
	// and callers aren't shown is withheld, not refused.
	Refusal *Refusal
	// IsFlood reports that the sender goes on over its rate: end the call.
	IsFlood bool
}

// Firewall judges the messages of one call's channel. It is safe for use by
// several goroutines; messages of one direction come in their order.
type Firewall struct {
	policy   Policy
	granted  map[Grant]bool
	client   map[Type]clientEvent
	update   shape
	server   map[Type]*shape
	wordless map[Type]*shape // for what is too large
	known    map[Type]bool

	mu      sync.Mutex
	browser senderLimits
	agent   senderLimits
	refused map[Refusal]int64
	session object // as the caller's side sees it; nil until the agent told
	heard   bool   // the agent said something
	pending int    // session.update that wait for it
	answers int    // events of our own
}

// NewFirewall makes the firewall of one call.
func NewFirewall(p Policy) *Firewall {
	p.Limits = p.Limits.withDefaults()
	if p.Grants == nil {
		p.Grants = DefaultGrants()
	}
	f := &Firewall{
		policy: p, granted: map[Grant]bool{}, client: clientEvents(), known: documented(),
		server: serverEvents(p), wordless: serverEvents(Policy{}), refused: map[Refusal]int64{},
		browser: newSenderLimits(p.Limits.BrowserRate, p.Limits.BrowserByteRate, p.Limits.MaxFromBrowser),
		agent:   newSenderLimits(p.Limits.AgentRate, p.Limits.AgentByteRate, p.Limits.MaxFromAgent),
	}
	for _, g := range p.Grants {
		f.granted[g] = true
	}
	f.update = updateShape(func(g Grant) bool { return f.granted[g] })
	return f
}

// FromBrowser judges a message of the caller's side that came at a time.
func (f *Firewall) FromBrowser(at time.Time, message []byte) Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, o := f.readLocked(&f.browser, FromBrowser, at, message)
	if v.Refusal != nil {
		if v.Refusal.Reason != ReasonRate {
			v.ToBrowser = [][]byte{f.refusalLocked(*v.Refusal, "")}
		}
		return v
	}
	eventID := o.id("event_id")
	if v.Event.Name == string(SessionUpdate) {
		f.updateLocked(&v, o)
		return v
	}
	reason, allowed := f.judge(v.Event, o)
	if reason != "" || isOwn(eventID) {
		f.refuseLocked(&v, FromBrowser, first(string(reason), string(ReasonNotAllowed)))
		v.ToBrowser = [][]byte{f.refusalLocked(*v.Refusal, eventID)}
		return v
	}
	v.ToAgent = [][]byte{allowed.encode()}
	return v
}

// judge returns what of a client's event is passed on, or why nothing is.
func (f *Firewall) judge(e *Event, o object) (Reason, object) {
	kind, known := f.client[Type(e.Name)]
	if !known {
		if e.Type == TranscriptionUpdate {
			return ReasonNotAllowed, nil
		}
		return ReasonUnknown, nil
	}
	grants, ok := kind.needs(o)
	if !ok {
		return ReasonNotAllowed, nil
	}
	for _, g := range grants {
		if !f.granted[g] {
			return ReasonNotAllowed, nil
		}
	}
	return "", kind.takes.takeObject(o)
}

// updateLocked passes on what of a session.update is granted. Nothing, as a rule:
// then it is answered here, for clients wait for the answer. mu must be held.
func (f *Firewall) updateLocked(v *Verdict, o object) {
	if asked := f.update.takeObject(o.object("session")); !isEmpty(asked) {
		asked = asked.with("type", first(o.object("session").id("type"), "realtime"))
		out := of("type", "event_id").takeObject(o).with("session", asked)
		v.ToAgent = [][]byte{out.encode()}
		return
	}
	if !f.heard {
		f.pending = min(f.pending+1, maxPendingUpdates)
		return
	}
	v.ToBrowser = [][]byte{f.updatedLocked()}
}

// FromAgent judges a message of the agent that came at a time.
func (f *Firewall) FromAgent(at time.Time, message []byte) Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, o := f.readLocked(&f.agent, FromAgent, at, message)
	if v.Refusal != nil {
		if v.Refusal.Reason == ReasonTooLarge {
			v.ToBrowser = [][]byte{f.tooLargeLocked(v.Refusal.Type, len(message))}
		}
		return v
	}
	f.showLocked(&v, o)
	f.answerPendingLocked(&v)
	return v
}

// showLocked puts what the caller's side may see of an agent's event into v. mu
// must be held.
func (f *Firewall) showLocked(v *Verdict, o object) {
	shown, known := f.server[v.Event.Type]
	switch {
	case v.Event.Type == SessionCreated, v.Event.Type == SessionUpdated:
		f.session = shownSession(f.policy).takeObject(o.object("session"))
	case v.Event.Type == ErrorEvent && isOwn(v.Event.Error.EventID):
		return // about what the server sent
	}
	switch {
	case f.policy.Operator && (f.policy.Captions || v.Event.Session != nil):
		v.ToBrowser = [][]byte{o.encode()}
	case !known:
		f.refuseLocked(v, FromAgent, string(ReasonUnknown))
	case v.Event.Type == ErrorEvent:
		v.ToBrowser = [][]byte{shownError(o).encode()}
	case shown == nil || !f.policy.isShownItem(o.object("item")):
	default:
		f.fitLocked(v, shown, f.policy.withoutSecrets(o))
	}
}

// fitLocked writes an event as the caller's side takes it: what is too large goes
// without its words, so that clients that count events don't lose count. mu must
// be held.
func (f *Firewall) fitLocked(v *Verdict, shown *shape, o object) {
	out := withEmptyWords(shown.takeObject(o)).encode()
	if len(out) <= f.policy.Limits.MaxToBrowser {
		v.ToBrowser = [][]byte{out}
		return
	}
	f.refuseLocked(v, FromAgent, string(ReasonTooLarge))
	said := f.tooLargeLocked(v.Event.Type, len(out))
	if plain := f.wordless[v.Event.Type]; plain != nil {
		if out = withEmptyWords(plain.takeObject(o)).encode(); len(out) <= f.policy.Limits.MaxToBrowser {
			v.ToBrowser = append(v.ToBrowser, out)
		}
	}
	v.ToBrowser = append(v.ToBrowser, said)
}

// answerPendingLocked answers the session.update that came before the agent said
// anything. mu must be held.
func (f *Firewall) answerPendingLocked(v *Verdict) {
	f.heard = true
	for ; f.pending > 0; f.pending-- {
		v.ToBrowser = append(v.ToBrowser, f.updatedLocked())
	}
}

// readLocked reads a message that is within the limits of its side. mu must be
// held.
func (f *Firewall) readLocked(g *senderLimits, way Direction, at time.Time, message []byte) (v Verdict, o object) {
	if !g.allow(at, len(message)) {
		f.refuseLocked(&v, way, string(ReasonRate))
		v.IsFlood = !g.overruns.AllowN(at, 1)
		return v, nil
	}
	if len(message) > g.maxMessage {
		f.refuseLocked(&v, way, string(ReasonTooLarge))
		return v, nil
	}
	o, err := parse(message)
	if err == nil {
		v.Event, err = newEvent(o)
	}
	switch {
	case errors.Is(err, errTooComplex):
		f.refuseLocked(&v, way, string(ReasonTooComplex))
	case err != nil:
		f.refuseLocked(&v, way, string(ReasonMalformed))
	}
	return v, o
}

// refuseLocked counts a refusal. mu must be held.
func (f *Firewall) refuseLocked(v *Verdict, way Direction, reason string) {
	t := TypeUnread
	if v.Event != nil {
		if t = v.Event.Type; !f.known[t] {
			t = TypeUnknown
		}
	}
	r := Refusal{way, t, Reason(reason)}
	f.refused[r]++
	v.Refusal = &r
}

// Refused returns how many messages did not pass, by what they were and why. There
// are at most as many keys as documented events times reasons.
func (f *Firewall) Refused() map[Refusal]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[Refusal]int64, len(f.refused))
	for r, n := range f.refused {
		all[r] = n
	}
	return all
}

// senderLimits is what one side may send.
type senderLimits struct {
	messages, bytes *rate.Limiter
	// overruns are messages over the rate that are dropped before the call is ended:
	// two seconds' worth, and then one a second.
	overruns   *rate.Limiter
	maxMessage int
}

func newSenderLimits(perSecond, bytesPerSecond, maxMessage int) senderLimits {
	return senderLimits{
		messages:   rate.NewLimiter(rate.Limit(perSecond), 2*perSecond),
		bytes:      rate.NewLimiter(rate.Limit(bytesPerSecond), maxMessage+bytesPerSecond),
		overruns:   rate.NewLimiter(1, 2*perSecond),
		maxMessage: maxMessage,
	}
}

// allow reports whether a message of n bytes is within the rates. One that is too
// large by itself costs what the largest does.
func (g *senderLimits) allow(at time.Time, n int) bool {
	return g.messages.AllowN(at, 1) && g.bytes.AllowN(at, min(n, g.maxMessage))
}
