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

// encoding is the one way that resources become JSON: encoding/json's, but for
// times, and for lists without items, which are lists. Its rows of options are
// made once: they are looked up by identity.
func encoding() json.Options {
	return json.JoinOptions(
		jsonv1.DefaultOptionsV1(),
		json.FormatNilSliceAsNull(false),
		json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, t time.Time) error {
			return enc.WriteToken(jsontext.String(t.UTC().Format(timeFormat)))
		})),
	)
}

// Encode gives a resource as the interface writes it, for who encodes a frame
// once for many readers: as Frame.Data, it is written as it is.
func (a *API) Encode(v any) ([]byte, error) { return json.Marshal(v, a.encoding) }

func (a *API) encode(w io.Writer, v any) error { return json.MarshalWrite(w, v, a.encoding) }
