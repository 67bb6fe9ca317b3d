package rtcstats

import (
	"encoding/json"
	"errors"
	"fmt"
)

// MaxReports bounds the reports of one getStats call: a call with one audio
// stream has about twenty; a pair for each two candidates adds to them.
const MaxReports = 1000

// reports are the objects of one getStats call, sorted by what is read of them.
type reports struct {
	inbound       []head
	outbound      []head
	remoteInbound []head
	pairs         []head
	transports    []head
	sources       []head
	playouts      []head
	byID          map[string]head
	first         head // of any type that has a time
}

// head is what all reports are told apart by, and how they refer to each other.
type head struct {
	Timestamp  float64 `json:"timestamp"`
	ID         string  `json:"id"`
	Type       string  `json:"type"`
	Kind       string  `json:"kind"`
	LocalID    string  `json:"localId"`
	CodecID    string  `json:"codecId"`
	SourceID   string  `json:"mediaSourceId"`
	PlayoutID  string  `json:"playoutId"`
	LocalCand  string  `json:"localCandidateId"`
	RemoteCand string  `json:"remoteCandidateId"`
	PairID     string  `json:"selectedCandidatePairId"`
	State      string  `json:"state"`
	Nominated  bool    `json:"nominated"`
	Selected   bool    `json:"selected"` // Firefox's own
	LastPacket float64 `json:"lastPacketReceivedTimestamp"`
	Packets    int64   `json:"packetsReceived"`

	raw json.RawMessage
}

// FromReports reads what a browser's getStats gave, as
// JSON.stringify(Array.from(report.values())): the audio stream each way, what
// the far end says of ours, and the candidate pair in use. Addresses are not
// read.
func FromReports(array []byte) (Sample, error) {
	r, err := sortReports(array)
	if err != nil {
		return Sample{}, fmt.Errorf("rtcstats: read reports: %w", err)
	}
	s, err := r.sample()
	if err != nil {
		return Sample{}, fmt.Errorf("rtcstats: read reports: %w", err)
	}
	s = s.WithoutImplausible()
	return s, s.Check()
}

func sortReports(array []byte) (*reports, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(array, &raws); err != nil {
		return nil, err
	}
	if len(raws) > MaxReports {
		return nil, fmt.Errorf("%d reports, %d are read", len(raws), MaxReports)
	}
	r := &reports{byID: make(map[string]head, len(raws))}
	for _, raw := range raws {
		h := head{raw: raw}
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, err
		}
		r.byID[h.ID] = h
		if r.first.Timestamp <= 0 {
			r.first = h
		}
		r.put(h)
	}
	return r, nil
}

func (r *reports) put(h head) {
	if h.Kind != "" && h.Kind != "audio" {
		return
	}
	switch h.Type {
	case "inbound-rtp":
		r.inbound = append(r.inbound, h)
	case "outbound-rtp":
		r.outbound = append(r.outbound, h)
	case "remote-inbound-rtp":
		r.remoteInbound = append(r.remoteInbound, h)
	case "candidate-pair":
		r.pairs = append(r.pairs, h)
	case "transport":
		r.transports = append(r.transports, h)
	case "media-source":
		r.sources = append(r.sources, h)
	case "media-playout":
		r.playouts = append(r.playouts, h)
	}
}

func (r *reports) sample() (Sample, error) {
	in, out := newest(r.inbound), newest(r.outbound)
	pair := r.pair()
	s := Sample{
		Inbound:       parseReport[Inbound](in),
		Outbound:      parseReport[Outbound](out),
		RemoteInbound: parseReport[RemoteInbound](findReferring(r.remoteInbound, func(h head) bool { return h.LocalID == out.ID })),
		CandidatePair: r.readPair(pair),
		Transport:     parseReport[Transport](newest(r.transports)),
		MediaSource:   parseReport[MediaSource](findReferring(r.sources, func(h head) bool { return h.ID == out.SourceID })),
		MediaPlayout:  parseReport[MediaPlayout](findReferring(r.playouts, func(h head) bool { return h.ID == in.PlayoutID })),
		Codec:         parseReport[Codec](r.byID[out.CodecID]),
	}
	// The streams' own time counts: remote reports carry the time at which the
	// far end's word came in.
	for _, h := range []head{in, out, newest(r.transports), pair, r.first} {
		if h.Timestamp > 0 {
			s.Timestamp = h.Timestamp
			return s, nil
		}
	}
	return s, errors.New("none has a time")
}

// newest picks one of several streams: the one that got a packet last.
func newest(of []head) head {
	var best head
	for _, h := range of {
		if best.ID == "" || h.LastPacket > best.LastPacket ||
			h.LastPacket == best.LastPacket && h.Packets > best.Packets {
			best = h
		}
	}
	return best
}

// findReferring picks the report that refers to the stream, or the only one there is.
func findReferring(of []head, refers func(head) bool) head {
	for _, h := range of {
		if refers(h) {
			return h
		}
	}
	if len(of) == 1 {
		return of[0]
	}
	return head{}
}

// pair is the candidate pair in use. After an ICE restart several are nominated
// and have succeeded, so the transport's word comes first; Firefox marks the
// pair itself.
func (r *reports) pair() head {
	for _, t := range r.transports {
		if h, ok := r.byID[t.PairID]; ok && h.Type == "candidate-pair" {
			return h
		}
	}
	var marked, working []head
	for _, h := range r.pairs {
		switch {
		case h.Selected:
			marked = append(marked, h)
		case h.Nominated && h.State == "succeeded":
			working = append(working, h)
		}
	}
	if len(marked) > 0 {
		return newest(marked)
	}
	return newest(working)
}

func (r *reports) readPair(h head) *CandidatePair {
	pair := parseReport[CandidatePair](h)
	if pair == nil {
		return nil
	}
	var local, remote struct {
		CandidateType string `json:"candidateType"`
		Protocol      string `json:"protocol"`
		RelayProtocol string `json:"relayProtocol"`
		NetworkType   string `json:"networkType"`
	}
	// A candidate that can't be read leaves its kind unknown, as one that is withheld.
	_ = json.Unmarshal(r.byID[h.LocalCand].raw, &local)
	_ = json.Unmarshal(r.byID[h.RemoteCand].raw, &remote)
	pair.LocalCandidateType, pair.RemoteCandidateType = local.CandidateType, remote.CandidateType
	pair.Protocol, pair.RelayProtocol, pair.NetworkType = local.Protocol, local.RelayProtocol, local.NetworkType
	return pair
}

// parseReport gives the report as a T, or nil where there is none or it can't be read:
// a browser that reports one thing wrongly is still heard on the others.
func parseReport[T any](h head) *T {
	if h.raw == nil {
		return nil
	}
	var v T
	if err := json.Unmarshal(h.raw, &v); err != nil {
		return nil
	}
	return &v
}
