package wire

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeClient reads one text frame that a client sent. Anything but one flat
// JSON object of the set, exactly spelt, each name once, every value in its
// range, is a *DecodeError.
func DecodeClient(frame []byte) (Message, error) {
	if err := checkSize(frame); err != nil {
		return nil, err
	}
	if !utf8.Valid(frame) {
		return nil, newDecodeError(ErrMalformed, "", errors.New("not UTF-8"))
	}
	t, err := typeOf(frame)
	if err != nil {
		return nil, err
	}
	read, ok := clientDecoders[t]
	if !ok {
		return nil, newDecodeError(ErrUnknownType, "type", nil)
	}
	return read(frame)
}

// typeOf finds the type of a message. Every client of ours writes it first,
// where it takes no reading of the whole.
func typeOf(frame []byte) (Type, error) {
	if rest, ok := bytes.CutPrefix(frame, []byte(`{"type":"`)); ok {
		if name, _, ok := bytes.Cut(rest, []byte(`"`)); ok && !bytes.ContainsRune(name, '\\') {
			return Type(name), nil
		}
	}
	var head struct {
		Type Type `json:"type"`
	}
	err := json.Unmarshal(frame, &head, lenientText())
	if wrong := (*json.SemanticError)(nil); errors.As(err, &wrong) && isJSON(frame) {
		return "", newDecodeError(ErrMalformed, "type", err)
	}
	return head.Type, refusal(frame, err)
}

func decodeStrict[M Message](frame []byte) (Message, error) {
	var m struct {
		Type Type `json:"type"`
		Body M    `json:",inline"`
	}
	err := json.Unmarshal(frame, &m, json.RejectUnknownMembers(true), lenientText())
	if err != nil {
		return nil, refusal(frame, err)
	}
	if err := m.Body.validate(); err != nil {
		return nil, err
	}
	return m.Body, nil
}

// lenientText takes half of a surrogate pair, escaped, for U+FFFD, as a browser
// does: a text cut in the middle of an emoji is no reason to refuse it. That the
// bytes are UTF-8 is checked before. Names that stand twice are refused by the
// library anyhow, and it never folds case.
func lenientText() json.Options { return jsontext.AllowInvalidUTF8(true) }

func isJSON(frame []byte) bool { return jsontext.Value(frame).IsValid(lenientText()) }

// refusal turns the library's error into what the peer is told. What is no JSON
// as a whole is malformed, whatever was met before.
func refusal(frame []byte, err error) error {
	var syntax *jsontext.SyntacticError
	var wrong *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName):
		return newDecodeError(ErrMalformed, syntax.JSONPointer.LastToken(), err)
	case !errors.As(err, &wrong) || !isJSON(frame):
		return newDecodeError(ErrMalformed, "", err)
	case errors.Is(err, json.ErrUnknownName):
		return newDecodeError(ErrUnknownField, wrong.JSONPointer.LastToken(), err)
	}
	return newDecodeError(ErrOutOfRange, fieldPath(wrong.JSONPointer), err)
}

// fieldPath names a field by its objects: which sample of a report it was in
// says nothing to who reads it.
func fieldPath(p jsontext.Pointer) string {
	var names []string
	for name := range p.Tokens() {
		if strings.Trim(name, "0123456789") != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ".")
}
