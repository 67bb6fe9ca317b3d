//go:build js

package browser

import (
	"context"
	"fmt"
	"syscall/js"
)

// MaxAnswer bounds the body of one answer that is read as a whole, in bytes: no
// page of a list comes near.
const MaxAnswer = 16 << 20

// Request is one HTTP request.
type Request struct {
	Method string // GET, POST, …
	// URL is a path of the page's own origin, which gets the page's cookie, or the
	// address of another (https://parley.example/api/v1/me), which gets none: show
	// it a token in Header.
	URL    string
	Header map[string]string // by name
	Body   []byte            // nil sends none
}

// Response is an HTTP answer, of whatever status.
type Response struct {
	Status int // of HTTP
	// Header has Content-Type, Retry-After and X-Request-Id, as far as they came.
	Header map[string]string
	Body   []byte // at most MaxAnswer bytes
}

// answerHeaders are the headers that pages look at, with canonical names.
var answerHeaders = [...]string{"Content-Type", "Retry-After", "X-Request-Id"}

// Fetch makes a request and reads the whole answer, of whatever status. An
// error means that no answer came, or that ctx ended.
func Fetch(ctx context.Context, r Request) (Response, error) {
	a, err := send(ctx, r)
	if err != nil {
		return Response{}, err
	}
	defer a.stop()
	return a.readAll(ctx)
}

// Open makes a request. Of an answer with status 200 it gives each piece of the
// body to chunk as it comes, after calling open once; it returns when the body
// ends, breaks, or ctx ends. Any other answer is read as by Fetch.
func Open(ctx context.Context, r Request, open func(), chunk func([]byte)) (Response, error) {
	a, err := send(ctx, r)
	if err != nil {
		return Response{}, err
	}
	defer a.stop()
	if a.response.Status != 200 {
		return a.readAll(ctx)
	}
	open()
	return a.response, a.readChunks(ctx, chunk)
}

// answer is one whose body is still to come.
type answer struct {
	response Response
	body     js.Value // ReadableStreamDefaultReader, or null
	abort    js.Value // AbortController
}

func send(ctx context.Context, r Request) (a answer, err error) {
	defer recoverJSError(&err)
	a.abort = js.Global().Get("AbortController").New()
	res, err := await(ctx, js.Global().Call("fetch", r.URL, r.options(a.abort)))
	if err != nil {
		a.stop()
		return a, err
	}
	a.response = Response{Status: res.Get("status").Int(), Header: make(map[string]string)}
	for _, name := range answerHeaders {
		if v := stringOrEmpty(res.Get("headers").Call("get", name)); v != "" {
			a.response.Header[name] = v
		}
	}
	if a.body = res.Get("body"); isPresent(a.body) {
		a.body = a.body.Call("getReader")
	}
	return a, nil
}

func (r Request) options(abort js.Value) map[string]any {
	headers := make(map[string]any, len(r.Header))
	for name, value := range r.Header {
		headers[name] = value
	}
	options := map[string]any{
		"method": r.Method, "headers": headers, "signal": abort.Get("signal"),
		"credentials": "same-origin", "cache": "no-store", "redirect": "error",
	}
	if r.Body != nil {
		body := js.Global().Get("Uint8Array").New(len(r.Body))
		js.CopyBytesToJS(body, r.Body)
		options["body"] = body
	}
	return options
}

// stop ends the request, and what still comes of its answer.
func (a answer) stop() { a.abort.Call("abort") }

func (a answer) readAll(ctx context.Context) (Response, error) {
	var tooLong error
	err := a.readChunks(ctx, func(b []byte) {
		if a.response.Body = append(a.response.Body, b...); len(a.response.Body) > MaxAnswer {
			tooLong = fmt.Errorf("browser: an answer of more than %d bytes", MaxAnswer)
			a.stop()
		}
	})
	if tooLong != nil {
		return Response{}, tooLong
	}
	return a.response, err
}

func (a answer) readChunks(ctx context.Context, chunk func([]byte)) (err error) {
	defer recoverJSError(&err)
	if !isPresent(a.body) {
		return nil
	}
	for {
		piece, err := await(ctx, a.body.Call("read"))
		if err != nil {
			return err
		}
		if piece.Get("done").Bool() {
			return nil
		}
		chunk(bytesOf(piece.Get("value")))
	}
}
