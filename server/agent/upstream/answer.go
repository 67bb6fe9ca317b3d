package upstream

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"

	"parley/server/leg"
	"parley/server/leg/peerconn"
)

const (
	// maxDescription is the largest description that is taken.
	maxDescription = 32 << 10
	// maxCandidates is how many candidates an answer may have: services have two to
	// eight.
	maxCandidates = 32
)

// readAnswer reads a service's description, and gives it back as the parser wrote it,
// so that no second reader of the text can understand it otherwise. It returns what
// was agreed on, too.
func readAnswer(text string) (string, leg.Mapping, error) {
	var none leg.Mapping
	if len(text) > maxDescription {
		return "", none, answerError("the description is larger than 32 KiB")
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return "", none, answerError("the answer has no session description")
	}
	candidates := 0
	for _, m := range d.MediaDescriptions {
		for _, a := range m.Attributes {
			if a.Key == sdp.AttrKeyCandidate {
				candidates++
			}
		}
	}
	if candidates > maxCandidates {
		return "", none, answerError(fmt.Sprintf("the description has %d candidates", candidates))
	}
	clean, err := d.Marshal()
	if err != nil {
		return "", none, answerError("the answer has no session description")
	}
	for part := range strings.SplitSeq(string(clean), "\r\nm=") {
		if strings.HasPrefix(part, "audio ") && !strings.HasPrefix(part, "audio 0 ") {
			if mapping := peerconn.ReadMapping(part); mapping.PayloadType != 0 {
				return string(clean), mapping, nil
			}
		}
	}
	return "", none, answerError("the description takes no Opus")
}
