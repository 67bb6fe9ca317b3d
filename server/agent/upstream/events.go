package upstream

import (
	"encoding/json"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/server/agent/realtime"
	"parley/server/leg/peerconn"
)

// serveEvents reads the service's events until the channel is closed.
func (l *upstreamLeg) serveEvents(dc *webrtc.DataChannel) {
	l.trial.channelOpened()
	if !l.agent.dialect.takesSession() {
		l.updateSession()
	}
	channel, err := peerconn.Detach(dc)
	if err != nil {
		return
	}
	l.channel.Serve(channel, func(text []byte) bool {
		v := l.firewall.FromAgent(time.Now(), text)
		l.carryOut(v, true)
		if l.agent.cfg.Sideband != nil {
			l.sidebands.tell(text, v.Event)
		}
		return l.ctx.Err() == nil
	})
}

// updateSession has a service that takes no session with its request know what the
// agent is, as the first event of all.
func (l *upstreamLeg) updateSession() {
	event, err := json.Marshal(map[string]any{
		"type": string(realtime.SessionUpdate), "event_id": "parley_session", "session": l.agent.cfg.Session.update(l.agent.cfg.definitions()),
	})
	if err == nil {
		l.toAgent(event)
	}
}

// HandleMessage implements leg.Handler: it takes an event of the caller's.
func (l *upstreamLeg) HandleMessage(text []byte) {
	l.carryOut(l.firewall.FromBrowser(time.Now(), text), false)
}

// carryOut does what the firewall decided on a message.
func (l *upstreamLeg) carryOut(v realtime.Verdict, isFromAgent bool) {
	if v.Refusal != nil {
		l.agent.log.Debug("event refused", "session", l.call.Session, "event", "firewall",
			"direction", v.Refusal.Direction, "type", v.Refusal.Type, "cause", v.Refusal.Reason)
	}
	if v.Event != nil && isFromAgent { // of what the agent says, no client can make anything up
		now := time.Now()
		l.turns.observe(v.Event, now)
		l.measures.observe(v.Event, now)
		l.trial.observe(v.Event)
		if l.trial == nil { // a tool may do something for a caller, who isn't there
			l.tools.observe(v.Event)
		}
		l.words.observe(v.Event, l)
	}
	if v.Refusal != nil {
		l.measures.refused(*v.Refusal)
	}
	for _, text := range v.ToAgent {
		l.toAgent(text)
	}
	for _, text := range v.ToBrowser {
		if err := l.call.Messages.WriteMessage(text); err != nil {
			l.agent.log.Debug("event not sent to the caller", "session", l.call.Session, "event", "messages", "err", err)
		}
	}
	if v.IsFlood {
		l.fail(l.agent.problem(Flooding, "more events come than any call has"))
	}
}

func (l *upstreamLeg) toAgent(text []byte) {
	if err := l.channel.WriteMessage(text); err != nil {
		l.agent.log.Warn("event not sent to the agent", "session", l.call.Session, "event", "messages", "err", err)
	}
}
