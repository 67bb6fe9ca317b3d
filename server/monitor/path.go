package monitor

import (
	"slices"

	"parley/shared/rest"
	"parley/shared/rtcstats"
)

// newPath takes from what a browser says of its pair of candidates how packets go.
// Of words that are none of the standard's there is no path.
func newPath(pair *rtcstats.CandidatePair) *rest.MediaPath {
	if pair == nil || !slices.Contains([]string{"udp", "tcp"}, pair.Protocol) {
		return nil
	}
	path := &rest.MediaPath{Protocol: pair.Protocol}
	if pair.LocalCandidateType == "relay" && slices.Contains([]string{"udp", "tcp", "tls"}, pair.RelayProtocol) {
		path.Relay = pair.RelayProtocol
	}
	return path
}
