package upstream

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"parley/server/agent"
)

// Dialect is how a service is asked for calls.
type Dialect string

// The dialects, a file each.
const (
	OpenAI  Dialect = "openai"
	RawSDP  Dialect = "raw-sdp"
	JSONSDP Dialect = "json-sdp"
)

// Dialects lists them all.
func Dialects() []Dialect { return []Dialect{OpenAI, RawSDP, JSONSDP} }

func dialects() map[Dialect]dialect {
	return map[Dialect]dialect{OpenAI: openAI{}, RawSDP: rawSDP{}, JSONSDP: jsonSDP{}}
}

// dialect is one way to ask a service for a call. It builds requests and reads
// answers; who sends them checks status, sizes and addresses.
type dialect interface {
	// newCall returns the request for a call.
	newCall(to *url.URL, offer string, cfg *Config, call agent.Call) (*http.Request, error)
	// readCall reads the answer to it: a description, and what the call is hung up by,
	// "" if the service tells nothing of that. An answer that can't be used may still
	// tell what to hang up.
	readCall(header http.Header, body []byte) (answer, reference string, err error)
	// newHangUp returns the request that ends a call; nil if there is none in this
	// dialect.
	newHangUp(to *url.URL, reference string) (*http.Request, error)
	// sidebandURL returns the WebSocket that a call is steered by; "" if there is none.
	sidebandURL(to *url.URL, reference string) string
	// takesSession reports whether the request for a call carries the whole session.
	// Else it is sent as the first event.
	takesSession() bool
}

// reference is what a call may be named by. It becomes part of a path.
var reference = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,255}$`)

// answerError says what is wrong with an answer.
type answerError string

func (e answerError) Error() string { return string(e) }

// readLocation returns the last part of the Location's path, "" if there is none.
// The address itself is not gone to: a service may say nothing of where else to
// send its key.
func readLocation(header http.Header) (string, error) {
	text := header.Get("Location")
	if text == "" {
		return "", nil
	}
	at, err := url.Parse(text)
	if err != nil {
		return "", answerError("Location is no address")
	}
	last := at.Path[strings.LastIndexByte(at.Path, '/')+1:]
	if !reference.MatchString(last) {
		return "", answerError("Location names no call")
	}
	return last, nil
}

// checkMediaType refuses an answer of another type than the dialect's.
func checkMediaType(header http.Header, want string) error {
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || kind != want {
		return answerError("the answer is no " + want)
	}
	return nil
}

// readSDPCall reads an answer whose body is the description and whose Location is
// the call.
func readSDPCall(header http.Header, body []byte) (answer, ref string, err error) {
	if ref, err = readLocation(header); err == nil {
		err = checkMediaType(header, "application/sdp")
	}
	return string(body), ref, err
}
