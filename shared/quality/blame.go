package quality

import (
	"slices"

	"parley/shared/rtcstats"
)

// Owner is who has to be asked about a poor second of a call.
type Owner string

// The owners. OwnerNone: the second was not poor, or nothing was measured.
const (
	OwnerNone   Owner = ""
	OwnerCaller Owner = "caller_network" // the way between caller and server
	OwnerServer Owner = "server"         // this machine, or its own connection
	OwnerAgent  Owner = "agent_network"  // the way between server and agent
	OwnerModel  Owner = "agent"          // the agent itself: slow, or silent in its turn
)

// Owners are all there are, in the order in which audio goes.
var Owners = []Owner{OwnerCaller, OwnerServer, OwnerAgent, OwnerModel}

// SlowFirstWordMS is how long an agent may think: beyond it the wait is poor.
const SlowFirstWordMS = 1500

// FirstWordLevel is the band of a time to first word, in milliseconds. It is a scale of
// its own: no rating of a line has it.
func FirstWordLevel(ms float64) Level {
	switch {
	case ms <= 500:
		return Excellent
	case ms <= 800:
		return Good
	case ms <= SlowFirstWordMS:
		return Fair
	}
	return Poor
}

// Second is what was known of one second of a call. What is nil was not measured.
type Second struct {
	// Caller and Agent are the figures of each leg, by direction.
	Caller, Agent map[Direction]rtcstats.Figures
	// ServerDelayMS is how late this machine passed packets on.
	ServerDelayMS float64
	// ThinkingMS is how long the agent has been thinking; 0: it is not.
	ThinkingMS float64
	// IsAgentMute reports that nothing came of an agent in its turn, though its leg lives.
	IsAgentMute bool
}

// part is what one part of the way does to a voice: in ms, and in percent.
type part struct{ delay, loss float64 }

// then is what a voice meets that goes one way after the other.
func (p part) then(q part) part {
	return part{p.delay + q.delay, 100 - (100-p.loss)*(100-q.loss)/100}
}

// rate is what is left of a voice.
func (p part) rate() float64 {
	r, _ := Rate(CaptureMS+PacketMS+LookaheadMS+PlayoutMS+p.delay, p.loss, DefaultBitrate, false)
	return r
}

// partOf is what a leg does in one direction. What this machine is late by is in the
// round trips that it measures: it is taken out.
func partOf(d Direction, f rtcstats.Figures, late float64) part {
	p := part{delay: max(0, valueOr(f.RTTMS, 0)-late) / 2, loss: earLoss(d, f)}
	if d == ToCaller {
		p.delay += max(0, valueOr(f.BufferMS, 0)-BufferMS)
	}
	return p
}

// blameSecond tells whose a second is, if it is poor: from end to end, for it is what a
// caller hears. Of the parts of the way it is the one that alone would be the worst; of
// two that are silent at once it is what they have in common, this machine's
// connection. Where the way is fine, the agent may not be.
func blameSecond(s Second) Owner {
	var owner Owner
	worst := float64(FairR)
	for _, d := range []Direction{ToAgent, ToCaller} {
		caller, hasCaller := s.Caller[d]
		agent, hasAgent := s.Agent[d]
		if !hasCaller && !hasAgent {
			continue
		}
		parts := []part{{}, {delay: s.ServerDelayMS}, {}} // as OwnerCaller, OwnerServer, OwnerAgent
		if hasCaller {
			parts[0] = partOf(d, caller, s.ServerDelayMS)
		}
		if hasAgent {
			parts[2] = partOf(d, agent, s.ServerDelayMS)
		}
		if all := parts[0].then(parts[1]).then(parts[2]).rate(); all < worst {
			worst, owner = all, worstOf(parts)
		}
	}
	switch {
	case owner != OwnerNone && isCut(s.Caller) && isCut(s.Agent):
		return OwnerServer
	case owner == OwnerNone && (s.ThinkingMS > SlowFirstWordMS || s.IsAgentMute):
		return OwnerModel
	}
	return owner
}

func worstOf(parts []part) Owner {
	worst := 0
	for i := range parts {
		if parts[i].rate() < parts[worst].rate() {
			worst = i
		}
	}
	return Owners[worst]
}

// isCut reports whether no direction of a leg gives a sign of life.
func isCut(leg map[Direction]rtcstats.Figures) bool {
	for _, f := range leg {
		if !f.Silent && !f.Unanswered {
			return false
		}
	}
	return len(leg) > 0
}

// Blamer finds the owner of each second of one call. The zero value is ready. The
// way has to be poor in DownVotes of LookBack seconds, as levels have it, and its owner
// is who owned most of them; an agent's own slowness is no average that has to prove
// itself, and counts at once: unless the way to it has just been poor, for then what is
// waited for may have been lost or late there.
type Blamer struct {
	recent []Owner // newest last, at most LookBack
	isPoor bool    // the way
}

// Next takes a second and returns its owner.
func (b *Blamer) Next(s Second) Owner {
	now := blameSecond(s)
	ofWay := now
	if now == OwnerModel {
		ofWay = OwnerNone
	}
	if len(b.recent) == LookBack {
		b.recent = append(b.recent[:0], b.recent[1:]...)
	}
	b.recent = append(b.recent, ofWay)
	poor, most := b.count()
	b.isPoor = poor >= DownVotes || b.isPoor && poor > 0
	if b.isPoor {
		return most
	}
	switch {
	case now == OwnerModel && slices.Contains(b.recent, OwnerAgent):
		return OwnerAgent
	case now == OwnerModel:
		return now
	}
	return OwnerNone
}

// count returns how many of the recent seconds were poor, and whose most of them are:
// of two that own as many, the one who owned the newest.
func (b *Blamer) count() (poor int, most Owner) {
	counts := make(map[Owner]int, len(Owners))
	for _, o := range b.recent {
		if o == OwnerNone {
			continue
		}
		poor++
		counts[o]++
		if counts[o] >= counts[most] {
			most = o
		}
	}
	return poor, most
}
