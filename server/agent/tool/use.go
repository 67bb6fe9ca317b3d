package tool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parley/server/outbound"
	"parley/shared/rest"
)

// Results of a use that are no fault of the connection; those are rest.Delivery's.
const (
	ResultOK        = "ok"
	ResultArguments = "invalid_arguments" // they don't fit the schema
	ResultUnknown   = "unknown_tool"
	ResultTooLarge  = "too_large"  // the answer, or the arguments
	ResultWrongType = "wrong_type" // the answer is neither JSON nor text
	ResultBusy      = "busy"       // too many at once, or in one call
)

// Call is a model's wish to use a function.
type Call struct {
	Session   string
	CallID    string // the provider's
	Function  string
	Arguments string // JSON, as the model wrote it
}

// request is the body of what the endpoint gets.
type request struct {
	Session   string          `json:"session_id"`
	CallID    string          `json:"call_id"`
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments"`
}

// Use calls the endpoint once. Its output is for the model: what the endpoint
// answered, or why it did not. The record is for the operator.
func (t *Tool) Use(ctx context.Context, c Call) (output string, use rest.ToolUse) {
	begun := time.Now()
	use = rest.ToolUse{At: begun.UTC(), Session: c.Session, Tool: t.cfg.Name, ArgumentBytes: int64(len(c.Arguments))}
	output, err := t.run(ctx, c, &use)
	use.TookMS = float64(time.Since(begun).Microseconds()) / 1000
	if err != nil {
		output = refusalFor(use.Result, err)
	}
	return output, use
}

func (t *Tool) run(ctx context.Context, c Call, use *rest.ToolUse) (string, error) {
	if len(c.Arguments) > MaxArguments {
		use.Result = ResultTooLarge
		return "", errors.New("the arguments are too large")
	}
	if err := t.check(c.Arguments); err != nil {
		use.Result = ResultArguments
		return "", err
	}
	body, err := json.Marshal(request{c.Session, c.CallID, t.cfg.Name, json.RawMessage(c.Arguments)})
	if err != nil {
		use.Result = ResultArguments
		return "", err
	}
	hash := sha256.Sum256(body)
	use.RequestSHA256 = hex.EncodeToString(hash[:])
	answer, status, err := t.post(ctx, c.CallID, body)
	use.ResultBytes, use.Result = int64(len(answer)), ResultOK
	switch {
	case errors.Is(err, errTooLarge):
		use.Result = ResultTooLarge
	case errors.Is(err, errWrongType):
		use.Result = ResultWrongType
	case err != nil:
		use.Result = outbound.FaultOf(status, err)
	}
	return string(answer), err
}

// check says what does not fit the schema. The endpoint gets arguments as they are,
// so that there must be one way to read them.
func (t *Tool) check(arguments string) error {
	if !jsontext.Value(arguments).IsValid() { // a name that stands twice, too
		return errors.New("the arguments are not one JSON value with each name once")
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(arguments))
	if err != nil {
		return errors.New("the arguments are not JSON")
	}
	return t.schema.Validate(v)
}

// What an endpoint's answer may be at fault for.
var (
	errTooLarge  = errors.New("the answer is too large")
	errWrongType = errors.New("the answer is neither JSON nor text in UTF-8")
)

// post makes the request and returns the answer of an endpoint that was content.
func (t *Tool) post(ctx context.Context, callID string, body []byte) (answer []byte, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/plain")
	req.Header.Set("User-Agent", "Parley-Tool")
	req.Header.Set("Idempotency-Key", headerValue(callID))
	req.Header.Set(outbound.HeaderSignature, outbound.Sign(t.cfg.Secret, time.Now(), body))
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, 0, outbound.WithoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, resp.StatusCode, fmt.Errorf("status %d", resp.StatusCode)
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, int64(t.cfg.MaxResult)+1))
	switch {
	case err != nil:
		return nil, 0, outbound.WithoutURL(err)
	case len(answer) > t.cfg.MaxResult:
		return nil, 0, errTooLarge
	case len(answer) > 0 && !isText(resp.Header.Get("Content-Type"), answer):
		return nil, 0, errWrongType
	}
	return answer, resp.StatusCode, nil
}

// isText reports whether an answer is what a model reads: JSON that is JSON, or
// plain text.
func isText(mediaType string, answer []byte) bool {
	kind, _, err := mime.ParseMediaType(mediaType)
	switch {
	case err != nil || !utf8.Valid(answer):
		return false
	case kind == "application/json":
		return json.Valid(answer)
	}
	return kind == "text/plain"
}

// refusalFor tells the model that it gets nothing, so that it can say so. Of the
// endpoint it learns the kind of fault alone; of its own arguments what is wrong.
func refusalFor(result string, err error) string {
	detail := ""
	if result == ResultArguments {
		detail = err.Error()
	}
	out, _ := json.Marshal(struct { // of two texts: it can't fail
		Error  string `json:"error"`
		Detail string `json:"detail,omitempty"`
	}{result, detail})
	return string(out)
}

// headerValue takes out of a provider's id what no header may hold.
func headerValue(id string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, id)
}

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}
