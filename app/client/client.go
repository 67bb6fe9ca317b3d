// Package client owns how a page asks the server: typed requests over a small
// Fetcher, problems as errors, and Watch, which keeps the monitoring stream
// open through gaps, refusals and dead networks. It knows no transport of its
// own, no browser and no page: whoever builds it brings the Fetcher.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"parley/shared/rest"
)

// MaxAnswer bounds one whole answer and one event of a stream: a full list of
// 10,000 sessions with their trends is about 12 MiB.
const MaxAnswer = 16 << 20

// Request is one HTTP request to the page's own origin.
type Request struct {
	Method string            // GET, POST, PUT, PATCH, DELETE
	Path   string            // absolute, with its query: /api/v1/me
	Header map[string]string // canonical names
	Body   []byte            // nil for none
}

// Response is an HTTP answer. Header keeps what a page may need, with
// canonical names: Content-Type, Retry-After, X-Request-Id.
type Response struct {
	Status int
	Header map[string]string
	Body   []byte
}

// Fetcher makes requests with the page's cookie. An HTTP status of any kind is
// a Response; an error means that no answer came, or that ctx ended.
type Fetcher interface {
	Fetch(ctx context.Context, r Request) (Response, error)
}

// Streams reads answers that come bit by bit (fetch with a body reader:
// EventSource hides the status, the problem and Retry-After).
type Streams interface {
	// Open makes the request. If the answer is 200, open is called once and then
	// chunk with each piece of the body as it arrives, all from one goroutine and
	// never after Open has returned. Open returns when the body ends (nil error),
	// breaks, or ctx ends, having stopped the request. Of any other status it
	// returns the whole answer like Fetch. A chunk is the callee's to keep.
	Open(ctx context.Context, r Request, open func(), chunk func([]byte)) (Response, error)
}

// ErrNetwork marks that no answer came: no network, or no server there.
var ErrNetwork = errors.New("no answer from the server")

// Client asks one server. It keeps no state of its own and may be used from
// many goroutines.
type Client struct {
	fetcher Fetcher
	streams Streams
}

// New makes a client. streams may be nil where nothing is watched.
func New(f Fetcher, s Streams) *Client { return &Client{fetcher: f, streams: s} }

// Me tells who the server takes you for.
func (c *Client) Me(ctx context.Context) (rest.Me, error) {
	return get[rest.Me](ctx, c, rest.PathMe)
}

// SignIn turns a token into the session cookie.
func (c *Client) SignIn(ctx context.Context, token string) error {
	_, err := c.do(ctx, Request{Method: "POST", Path: rest.PathAuthSession,
		Header: map[string]string{"Authorization": "Bearer " + token}})
	return err
}

// EnterDemo signs in at a demo server, without a token.
func (c *Client) EnterDemo(ctx context.Context, as rest.DemoSignIn) error {
	_, err := send[struct{}](ctx, c, "POST", rest.PathDemoSignIn, as, rest.AnyVersion)
	return err
}

// SignOut clears the cookie and revokes its token. It gives where the browser signs out at
// the identity provider, too; "": nowhere.
func (c *Client) SignOut(ctx context.Context) (providerLogout string, err error) {
	res, err := c.do(ctx, Request{Method: "DELETE", Path: rest.PathAuthSession})
	if err != nil || len(res.Body) == 0 {
		return "", err
	}
	var out rest.SignedOutHere
	err = json.Unmarshal(res.Body, &out)
	return out.ProviderLogout, err
}

// Admission asks whether a call may start now.
func (c *Client) Admission(ctx context.Context) (rest.Admission, error) {
	return get[rest.Admission](ctx, c, rest.PathAdmission)
}

// Active lists the live sessions, all pages of them.
func (c *Client) Active(ctx context.Context) ([]rest.Session, error) {
	all := []rest.Session{}
	cursor := ""
	for range maxPages {
		query := url.Values{"limit": {fmt.Sprint(rest.MaxLimit)}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		page, err := get[rest.Page[rest.Session]](ctx, c, rest.PathActive+"?"+query.Encode())
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return all, nil
		}
	}
	return nil, fmt.Errorf("list sessions: more than %d pages", maxPages)
}

// maxPages bounds a list: the largest cap is 10,000 sessions, 20 pages of 500.
// Twice that, because sessions may come and go while the pages are read.
const maxPages = 40

// Stats asks for the counts.
func (c *Client) Stats(ctx context.Context) (rest.Stats, error) {
	return get[rest.Stats](ctx, c, rest.PathStats)
}

// Span narrows Connection. A zero field is left to the server.
type Span struct {
	From, To time.Time
	Step     time.Duration // whole seconds
}

// Connection asks for the quality of one session.
func (c *Client) Connection(ctx context.Context, id string, s Span) (rest.Connection, error) {
	query := url.Values{}
	if !s.From.IsZero() {
		query.Set("from", s.From.UTC().Format(time.RFC3339Nano))
	}
	if !s.To.IsZero() {
		query.Set("to", s.To.UTC().Format(time.RFC3339Nano))
	}
	if s.Step > 0 {
		query.Set("step_s", fmt.Sprint(int(s.Step/time.Second)))
	}
	path := atPath(rest.PathConnection, id)
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return get[rest.Connection](ctx, c, path)
}

// EndSession ends a session now; the caller sees the reason.
func (c *Client) EndSession(ctx context.Context, id, reason string) error {
	_, err := send[struct{}](ctx, c, "POST", atPath(rest.PathEnd, id), rest.EndRequest{Reason: reason}, rest.AnyVersion)
	return err
}

// ExtendSession begins the idle time of a live session anew.
func (c *Client) ExtendSession(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, "POST", atPath(rest.PathExtend, id), nil, rest.AnyVersion)
	return err
}

// EndOwnSession ends a session of one's own, wherever it is held.
func (c *Client) EndOwnSession(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, "POST", atPath(rest.PathEndOwn, id), nil, rest.AnyVersion)
	return err
}

// atPath puts an id or a subject into a path.
func atPath(path, id string) string {
	name := url.PathEscape(id)
	return strings.NewReplacer("{id}", name, "{sub}", name, "{name}", name).Replace(path)
}

func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	var out T
	res, err := c.do(ctx, Request{Method: "GET", Path: path,
		Header: map[string]string{"Accept": "application/json"}})
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(res.Body, &out); err != nil {
		return out, fmt.Errorf("read %s: %w", path, err)
	}
	return out, nil
}

// do makes a request and turns whatever is not a success into an error:
// *rest.Problem for an answer, ErrNetwork for none, ctx's own when it ended.
func (c *Client) do(ctx context.Context, r Request) (Response, error) {
	res, err := c.fetcher.Fetch(ctx, r)
	if err != nil {
		return res, networkError(ctx, r.Path, err)
	}
	if res.Status < 200 || res.Status > 299 {
		return res, problem(res)
	}
	return res, nil
}

func networkError(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s: %w (%w)", path, ErrNetwork, err)
}
