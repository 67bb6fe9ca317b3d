// Package tool owns the functions that a model may call: each is a name, a JSON
// schema and an HTTPS endpoint of the operator's. The server calls it, once, and
// gives the model what it answers; the caller's side sees neither. What it keeps of
// a use is that it was, and how it went, never what was said.
package tool

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"parley/server/outbound"
)

// Limits of a tool, and the defaults of what may be set.
const (
	// DefaultTimeout is what a caller waits in silence before an answer seems lost.
	DefaultTimeout = 10 * time.Second
	MaxTimeout     = 60 * time.Second
	// DefaultMaxResult is bytes of an answer: all of it is read by the model, in
	// each turn to come.
	DefaultMaxResult = 16 << 10
	MaxMaxResult     = 256 << 10
	// MaxArguments is bytes of what a model passes.
	MaxArguments = 64 << 10
	// MaxSchema is bytes of a schema.
	MaxSchema = 64 << 10
	// MinSecret is bytes of the secret that requests are signed with, as webhooks'.
	MinSecret = 16
)

// Config is one tool as an operator describes it.
type Config struct {
	Name        string
	Description string // for the model
	Parameters  []byte // a JSON schema of an object
	URL         string // https
	Secret      string // that requests are signed with
	Timeout     time.Duration
	MaxResult   int // bytes
}

// Options are those of all tools of a server.
type Options struct {
	Addresses outbound.Addresses
	RootCAs   *x509.CertPool // nil: the system's
}

// Tool is one function that a model may call.
type Tool struct {
	cfg    Config
	schema *jsonschema.Schema
	client *http.Client
}

// A FieldError names the field of a Config that can't be taken, as a
// configuration file calls it, and says what to write.
type FieldError struct{ Field, Detail string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// namePattern is what models take as a function's name.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// New checks a tool, without a request.
func New(c Config, o Options) (*Tool, error) {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxResult == 0 {
		c.MaxResult = DefaultMaxResult
	}
	if err := checkFields(c, o); err != nil {
		return nil, err
	}
	schema, err := compile(c.Parameters)
	if err != nil {
		return nil, &FieldError{"parameters", err.Error()}
	}
	client := outbound.NewClient(o.Addresses, c.Timeout)
	client.Transport.(*http.Transport).TLSClientConfig = tlsConfig(o.RootCAs)
	return &Tool{cfg: c, schema: schema, client: client}, nil
}

func checkFields(c Config, o Options) error {
	switch {
	case !namePattern.MatchString(c.Name):
		return &FieldError{"name", "use 1 to 64 of A-Z a-z 0-9 _ -"}
	case len(c.Secret) < MinSecret:
		return &FieldError{"secret", fmt.Sprintf("use at least %d bytes", MinSecret)}
	case c.Timeout < 0 || c.Timeout > MaxTimeout:
		return &FieldError{"timeout", fmt.Sprintf("use at most %v", MaxTimeout)}
	case c.MaxResult < 0 || c.MaxResult > MaxMaxResult:
		return &FieldError{"max_result", fmt.Sprintf("use at most %d bytes", MaxMaxResult)}
	}
	if err := o.Addresses.CheckURL(c.URL); err != nil {
		return &FieldError{"url", err.Error()}
	}
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "https" {
		return &FieldError{"url", "use https: what callers say goes there"}
	}
	return nil
}

// errRemote: a schema is whole, and nothing is fetched for it.
var errRemote = errors.New("it refers to another document: write it in one")

// noDocuments is a loader that loads nothing.
type noDocuments struct{}

func (noDocuments) Load(string) (any, error) { return nil, errRemote }

// compile reads a schema of an object.
func compile(text []byte) (*jsonschema.Schema, error) {
	if len(text) > MaxSchema {
		return nil, fmt.Errorf("use at most %d bytes", MaxSchema)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if o, ok := doc.(map[string]any); !ok || o["type"] != "object" {
		return nil, errors.New(`a function's parameters are a schema with "type": "object"`)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noDocuments{})
	if err := c.AddResource("parameters.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("parameters.json")
}

// Name returns what the model calls the tool.
func (t *Tool) Name() string { return t.cfg.Name }
