package api

import (
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// timeFormat is how times are told: RFC 3339, UTC, always three digits of
// milliseconds, so that they order as text.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Encoder is the one way that resources become JSON: encoding/json's, but for
// times, and for lists and maps without items, which are lists and objects.
type Encoder struct {
	options json.Options // made once: marshalers are looked up by identity
}

// NewEncoder makes an Encoder.
func NewEncoder() Encoder {
	return Encoder{json.JoinOptions(
		jsonv1.DefaultOptionsV1(),
		json.FormatNilSliceAsNull(false),
		json.FormatNilMapAsNull(false),
		json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
			return enc.WriteToken(jsontext.String(t.UTC().Format(timeFormat)))
		})),
	)}
}

// Encode returns a resource as the interface writes it.
func (e Encoder) Encode(v any) ([]byte, error) { return json.Marshal(v, e.options) }

// Write writes a resource to w.
func (e Encoder) Write(w io.Writer, v any) error { return json.MarshalWrite(w, v, e.options) }
