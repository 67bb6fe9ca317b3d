package ui

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// JSONView shows a value as JSON with names apart from values, and a button
// that copies it.
type JSONView struct {
	Value any
	Label string // what it is: "line"
}

// UI draws the view.
func (v JSONView) UI() app.UI {
	text := IndentJSON(v.Value)
	lines := strings.Split(text, "\n")
	body := make([]app.UI, 0, len(lines))
	for _, line := range lines {
		body = append(body, jsonLine(line))
	}
	return app.Div().Class("json").Body(
		app.Pre().Class("json-text").TabIndex(0).Role("region").Aria("label", "JSON of the "+v.Label).Body(body...),
		&CopyButton{Label: "Copy JSON", Said: "JSON copied.", Text: func() string { return text }},
	)
}

// jsonLine marks the name in a line of indented JSON.
func jsonLine(line string) app.UI {
	begin := len(line) - len(strings.TrimLeft(line, " "))
	end := strings.Index(line, `": `)
	if end < 0 || line[begin] != '"' {
		return app.Span().Text(line + "\n")
	}
	return app.Span().Body(app.Text(line[:begin]), app.Span().Class("json-name").Text(line[begin:end+1]), app.Text(line[end+1:]+"\n"))
}

// IndentJSON writes a value as JSON, two spaces a level.
func IndentJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// JSONField is one field of an object: a text as it is, all else as JSON.
type JSONField struct{ Name, Value string }

// JSONFields are the fields of an object in their order.
func JSONFields(v any) []JSONField {
	raw, err := json.Marshal(v)
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, _ := d.Token(); err != nil || token != json.Delim('{') {
		return nil
	}
	var found []JSONField
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return found
		}
		text := string(value)
		if value[0] == '"' && json.Unmarshal(value, &text) != nil {
			return found
		}
		if key, isName := name.(string); isName {
			found = append(found, JSONField{key, text})
		}
	}
	return found
}
