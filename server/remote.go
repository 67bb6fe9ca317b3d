package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"parley/app/client"
	"parley/server/auth"
	"parley/shared/rest"
)

// remoteFlags say which running server is asked, and as whom.
type remoteFlags struct {
	Server    string `default:"http://localhost:8080" help:"Address of the running server, such as https://voice.example.org."`
	TokenFile string `type:"path" help:"File with the token of an admin, which only this user may read; or give it by PARLEY_TOKEN. parley token makes one."`
}

// remoteTokenVariable is the way of the token beside a file: a flag would stand in every
// process list.
const remoteTokenVariable = "PARLEY_TOKEN"

// remoteTimeout is for a whole answer, of 10,000 sessions over a slow line, too.
const remoteTimeout = time.Minute

// Validate holds the address; kong calls it after parsing.
func (f *remoteFlags) Validate() error {
	if err := checkOrigin(f.Server); err != nil {
		return fmt.Errorf("--server takes the address of a server, such as https://voice.example.org: %w", err)
	}
	u, err := url.Parse(f.Server)
	if err == nil && u.Scheme == "http" && !isThisMachine(u.Hostname()) {
		return errors.New("--server takes https:// for another machine: anybody on the way could read the token")
	}
	return err
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// client asks the server as the holder of the token.
func (f *remoteFlags) client() (*client.Client, error) {
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	return client.New(&bearerFetcher{base: strings.TrimRight(f.Server, "/"), token: token}, nil), nil
}

func (f *remoteFlags) token() (string, error) {
	given := os.Getenv(remoteTokenVariable)
	switch {
	case given != "" && f.TokenFile != "":
		return "", usage("give the token by --token-file or by %s, not both", remoteTokenVariable)
	case f.TokenFile != "":
		content, err := auth.ReadPrivateFile(f.TokenFile)
		if err != nil {
			return "", usage("--token-file: %w", err)
		}
		given = string(content)
	}
	given = strings.TrimSpace(given)
	if given == "" || strings.ContainsAny(given, " \t\r\n") {
		return "", usage("the token of an admin is needed: write it to a file and name that with --token-file, or give it by %s; parley token --sub makes one", remoteTokenVariable)
	}
	return given, nil
}

// explain puts what went wrong into a sentence with what to do.
func (f *remoteFlags) explain(err error) error {
	problem, isProblem := errors.AsType[*rest.Problem](err)
	switch {
	case errors.Is(err, client.ErrNetwork):
		return fmt.Errorf("no server answers at %s: %w", f.Server, err)
	case !isProblem:
		return err
	}
	said := map[rest.ProblemCode]string{
		rest.CodeUnauthorized: "doesn't take this token: it has run out, was revoked, or is of another server or mode; parley token makes one",
		rest.CodeForbidden:    "says that the holder of this token is no admin who may do that",
		rest.CodeReadOnly:     "says that the holder of this token is an auditor, who changes nothing",
		rest.CodeNetwork:      "lets no admin in from this address: it isn't on the list of --admin-allow",
		rest.CodeNotFound:     "knows nothing of that: it is over, or was never there",
	}[problem.Code]
	if problem.Status >= 300 && problem.Status < 400 {
		said = "sends on to another address: write that one with --server"
	}
	said = cmp.Or(said, "answers: "+problem.Title)
	if problem.Detail != "" {
		said += " (" + problem.Detail + ")"
	}
	if problem.RetryAfterS > 0 {
		said += fmt.Sprintf("; try again in %d s", problem.RetryAfterS)
	}
	return fmt.Errorf("the server at %s %s (%s)", f.Server, said, problem.Code)
}

// bearerFetcher makes requests with a token and follows no redirect: the token is for
// the server that was named.
type bearerFetcher struct{ base, token string }

// Fetch implements client.Fetcher.
func (f *bearerFetcher) Fetch(ctx context.Context, r client.Request) (client.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, f.base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return client.Response{}, err
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true} // a command asks once or twice
	res, err := transport.RoundTrip(req)
	if err != nil {
		return client.Response{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, client.MaxAnswer))
	out := client.Response{Status: res.StatusCode, Body: body, Header: map[string]string{}}
	for _, name := range []string{"Content-Type", "Retry-After", "X-Request-Id"} {
		out.Header[name] = res.Header.Get(name)
	}
	return out, err
}

// printJSON writes what programs read: the interface's own form, and no mark-up escapes.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
