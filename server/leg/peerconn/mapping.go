package peerconn

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"parley/server/leg"
)

// ReadMapping reads what the audio section of an answer agrees on. Without Opus its
// payload type is 0.
func ReadMapping(section string) (m leg.Mapping) {
	for line := range strings.SplitSeq(section, "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		id, what, _ := strings.Cut(value, " ")
		n, err := strconv.ParseUint(id, 10, 8)
		switch {
		case err != nil:
		case key == "a=rtpmap" && strings.HasPrefix(strings.ToLower(what), "opus/48000"):
			m.PayloadType = uint8(n)
		case key == "a=extmap" && strings.HasPrefix(what, sdp.AudioLevelURI):
			m.AudioLevelID = uint8(n)
		}
	}
	return m
}
