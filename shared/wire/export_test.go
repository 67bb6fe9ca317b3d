package wire

import (
	"reflect"
	"strings"
)

// Side is the end that sends a message.
type Side int

// The two ends.
const (
	Client Side = iota
	Server
)

func decodersOf(from Side) map[Type]func([]byte) (Message, error) {
	if from == Client {
		return clientDecoders
	}
	return serverDecoders
}

func messagesOf(from Side) []Message {
	if from == Client {
		return ClientMessages()
	}
	return ServerMessages()
}

// FieldNames gives the fields of each type that a side may send, as JSON names
// them.
func FieldNames(from Side) map[Type][]string {
	names := map[Type][]string{}
	for _, m := range messagesOf(from) {
		if _, sent := decodersOf(from)[m.Type()]; sent {
			names[m.Type()] = jsonNames(reflect.TypeOf(m))
		}
	}
	return names
}

// Types counts the types that a side may send.
func Types(from Side) int { return len(decodersOf(from)) }

func jsonNames(t reflect.Type) []string {
	names := []string{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
