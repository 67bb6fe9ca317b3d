package wire

import (
	"encoding/json"
	"errors"
)

// DecodeServer reads one text frame that the server sent. It is a client's: its
// server is whom it trusts, and a field that a newer one adds is passed over,
// so that a page which a browser kept outlives an update. So is a word outside its set,
// such as a new cause of an end, taken as it is. It uses encoding/json,
// which every page has anyway; the strict reader would add a twentieth to the
// program.
func DecodeServer(frame []byte) (Message, error) {
	if err := checkSize(frame); err != nil {
		return nil, err
	}
	var head struct {
		Type Type `json:"type"`
	}
	if err := json.Unmarshal(frame, &head); err != nil {
		return nil, newDecodeError(ErrMalformed, "", err)
	}
	read, ok := serverDecoders[head.Type]
	if !ok {
		return nil, newDecodeError(ErrUnknownType, "type", nil)
	}
	return read(frame)
}

func decodeTrusted[M Message](frame []byte) (Message, error) {
	var m M
	err := json.Unmarshal(frame, &m)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return nil, newDecodeError(ErrOutOfRange, wrong.Field, err)
	}
	if err != nil {
		return nil, newDecodeError(ErrMalformed, "", err)
	}
	if err := m.validate(); err != nil && !errors.Is(err, errNewWord) {
		return nil, err
	}
	return m, nil
}
