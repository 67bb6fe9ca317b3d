package bus

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// Version is of the messages. What a newer release adds, an older one leaves alone where it
// is a field; what an older one would misunderstand has a higher version, which it ignores.
const Version = 1

// errUnknownVersion: a message of another release.
var errUnknownVersion = errors.New("a message of an unknown version")

// envelope is what each message is in.
type envelope struct {
	Version int             `json:"v"`
	From    string          `json:"from"`
	Data    json.RawMessage `json:"data,omitempty"`
	Error   string          `json:"error,omitempty"` // of an answer: why there is none
}

func (b *Bus) encode(message any) ([]byte, error) {
	data, err := json.Marshal(message)
	if err == nil {
		data, err = json.Marshal(envelope{Version: Version, From: b.config.Node, Data: data})
	}
	if err == nil && len(data) > MaxMessage {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	return data, nil
}

// decode counts what can't be read: nobody else is told of it.
func (b *Bus) decode(data []byte, message any) (e envelope, err error) {
	b.counted.received.Add(1)
	if err = json.Unmarshal(data, &e); err == nil && e.Version != Version {
		b.counted.unknown.Add(1)
		return e, errUnknownVersion
	}
	if err == nil && e.Error == "" {
		err = json.Unmarshal(e.Data, message)
	}
	if err != nil {
		b.counted.unread.Add(1)
		b.log.Warn("a message of the bus can't be read", "event", "bus", "err", err)
	}
	return e, err
}

// Subjects begin alike, so that a NATS cluster that others use, too, can give an account
// its rights by them.
const subjectPrefix = "parley."

func toAll(topic string) string { return subjectPrefix + "all." + topic }

// toNode names a node in a subject, which takes neither dots nor spaces.
func toNode(node, topic string) string {
	return subjectPrefix + "node." + base64.RawURLEncoding.EncodeToString([]byte(node)) + "." + topic
}
