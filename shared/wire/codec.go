package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Side is the end that sent a message.
type Side int

// The two ends.
const (
	Client Side = iota
	Server
)

// decoders is the closed set: which types each side may send, and how each is read.
var decoders = map[Side]map[Type]func([]byte) (Message, error){
	Client: {
		TypeOffer: decode[Offer], TypeCandidate: decode[Candidate], TypeReport: decode[Report],
		TypeActivity: decode[Activity], TypeResume: decode[Resume], TypePing: decode[Ping], TypeBye: decode[Bye],
	},
	Server: {
		TypeHello: decode[Hello], TypeAnswer: decode[Answer], TypeCandidate: decode[Candidate],
		TypeState: decode[State], TypeWarning: decode[Warning], TypeEnded: decode[Ended],
		TypeError: decode[Error], TypePong: decode[Pong],
	},
}

// A DecodeError says why a frame is not a message of the set.
type DecodeError struct {
	Code  ErrorCode
	Field string // at fault, where one is; at most 64 bytes
	err   error
}

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

func refuse(code ErrorCode, field string, err error) *DecodeError {
	return &DecodeError{Code: code, Field: field[:min(len(field), 64)], err: err}
}

// Decode reads one text frame sent by side from. Anything but one flat JSON
// object of the set, exactly spelt, each name once, every value in its range,
// is a *DecodeError.
func Decode(from Side, frame []byte) (Message, error) {
	if len(frame) > MaxFrame {
		return nil, refuse(ErrOutOfRange, "", fmt.Errorf("%d bytes, the limit is %d", len(frame), MaxFrame))
	}
	if !utf8.Valid(frame) {
		return nil, refuse(ErrMalformed, "", errors.New("not UTF-8"))
	}
	if !json.Valid(frame) {
		return nil, refuse(ErrMalformed, "", errors.New("not one JSON value"))
	}
	var head struct {
		Type Type `json:"type"`
	}
	if err := json.Unmarshal(frame, &head); err != nil {
		return nil, refuse(ErrMalformed, "type", err)
	}
	read, ok := decoders[from][head.Type]
	if !ok {
		return nil, refuse(ErrUnknownType, "type", nil)
	}
	return read(frame)
}

func decode[M Message](frame []byte) (Message, error) {
	var m M
	if err := scan(frame, m); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, refuse(ErrOutOfRange, wrong.Field, err)
		}
		return nil, refuse(ErrMalformed, "", err)
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// Encode writes m as one frame. It refuses what Decode would refuse.
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
	if len(frame) > MaxFrame {
		return nil, refuse(ErrOutOfRange, "", fmt.Errorf("%d bytes, the limit is %d", len(frame), MaxFrame))
	}
	return frame, nil
}
