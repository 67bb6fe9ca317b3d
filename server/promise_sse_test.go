package main

import (
	"bufio"
	"io"
	"iter"
	"strings"
)

// eventsOf reads server-sent events (WHATWG HTML §9.2.6) until the end.
func eventsOf(body io.Reader) iter.Seq[sseEvent] {
	return func(yield func(sseEvent) bool) {
		var e sseEvent
		for lines := bufio.NewReader(body); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
			switch name {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data += value
			case "":
				if e.name != "" && !yield(e) {
					return
				}
				e = sseEvent{}
			}
		}
	}
}
