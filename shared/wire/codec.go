package wire

import (
	"encoding/json"
	"fmt"
)

// Type is found in one of these two: the closed set of what each side may send,
// and how it is read.
var (
	clientDecoders = map[Type]func([]byte) (Message, error){
		TypeOffer: decodeStrict[Offer], TypeCandidate: decodeStrict[Candidate], TypeReport: decodeStrict[Report],
		TypeActivity: decodeStrict[Activity], TypeResume: decodeStrict[Resume], TypePing: decodeStrict[Ping], TypeBye: decodeStrict[Bye],
	}
	serverDecoders = map[Type]func([]byte) (Message, error){
		TypeHello: decodeTrusted[Hello], TypeAnswer: decodeTrusted[Answer], TypeCandidate: decodeTrusted[Candidate],
		TypeState: decodeTrusted[State], TypeWarning: decodeTrusted[Warning], TypeEnded: decodeTrusted[Ended],
		TypeError: decodeTrusted[Error], TypePong: decodeTrusted[Pong],
	}
)

// ServerMessages are the messages that a server may send, each without a value.
func ServerMessages() []Message {
	return []Message{Hello{}, Answer{}, Candidate{}, State{}, Warning{}, Ended{}, Error{}, Pong{}}
}

// ClientMessages are the messages that a client may send, each without a value.
func ClientMessages() []Message {
	return []Message{Offer{}, Candidate{}, Report{}, Activity{}, Resume{}, Ping{}, Bye{}}
}

// A DecodeError says why a frame is not a message of the set.
type DecodeError struct {
	Code  ErrorCode
	Field string // at fault, where one is; at most 64 bytes
	err   error
}

// Error implements error.
func (e *DecodeError) Error() string {
	s := "wire: " + string(e.Code)
	if e.Field != "" {
		s += " " + e.Field
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

// Unwrap gives the underlying error, or nil.
func (e *DecodeError) Unwrap() error { return e.err }

func newDecodeError(code ErrorCode, field string, err error) *DecodeError {
	return &DecodeError{Code: code, Field: field[:min(len(field), 64)], err: err}
}

func checkSize(frame []byte) error {
	if len(frame) > MaxFrame {
		return newDecodeError(ErrOutOfRange, "", fmt.Errorf("%d bytes, the limit is %d", len(frame), MaxFrame))
	}
	return nil
}

// Encode writes m as one frame. It refuses what its reader would refuse.
func Encode(m Message) ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("wire: encode %s: %w", m.Type(), err)
	}
	frame := []byte(`{"type":"` + string(m.Type()) + `"`)
	if len(body) > len(`{}`) {
		frame = append(frame, ',')
	}
	frame = append(frame, body[1:]...)
	return frame, checkSize(frame)
}
