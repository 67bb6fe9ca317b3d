package tool_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/agent/tool"
	"parley/server/outbound"
	"parley/shared/rest"
)

const (
	schema = `{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","maximum":7}},"required":["city"],"additionalProperties":false}`
	secret = "a secret of 32 bytes, or so it is"
)

// endpoint serves h over TLS and returns a tool that calls it.
func endpoint(t *testing.T, h http.HandlerFunc, change func(*tool.Config)) *tool.Tool {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	cfg := tool.Config{Name: "weather", Parameters: []byte(schema), URL: server.URL, Secret: secret}
	if change != nil {
		change(&cfg)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	tl, err := tool.New(cfg, tool.Options{Addresses: outbound.Addresses{AllowPrivate: true}, RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

func use(t *testing.T, tl *tool.Tool, arguments string) (string, rest.ToolUse) {
	t.Helper()
	return tl.Use(t.Context(), tool.Call{Session: "s", CallID: "call_1", Function: "weather", Arguments: arguments})
}

func answer(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or who still writes may find nobody there
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

func TestAToolIsCalledOnceSignedAndItsAnswerGoesToTheModel(t *testing.T) {
	var got *http.Request
	var body []byte
	tl := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		answer("application/json; charset=utf-8", `{"degrees":7}`)(w, r)
	}, nil)
	output, used := use(t, tl, `{"city":"Ulm"}`)
	if output != `{"degrees":7}` || used.Result != tool.ResultOK {
		t.Fatalf("output %s, %+v", output, used)
	}
	if want := `{"session_id":"s","call_id":"call_1","tool":"weather","arguments":{"city":"Ulm"}}`; string(body) != want {
		t.Errorf("sent %s", body)
	}
	stamp, _, _ := strings.Cut(strings.TrimPrefix(got.Header.Get(outbound.HeaderSignature), "t="), ",")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || got.Header.Get(outbound.HeaderSignature) != outbound.Sign(secret, time.Unix(seconds, 0), body) {
		t.Errorf("signed %q", got.Header.Get(outbound.HeaderSignature))
	}
	hash := sha256.Sum256(body)
	want := rest.ToolUse{
		At: used.At, Session: "s", Tool: "weather", Result: "ok", TookMS: used.TookMS,
		ArgumentBytes: 14, ResultBytes: 13, RequestSHA256: hex.EncodeToString(hash[:]),
	}
	if used != want || used.TookMS <= 0 {
		t.Errorf("recorded %+v", used)
	}
}

func TestArgumentsThatDoNotFitReachNoEndpoint(t *testing.T) {
	for name, test := range map[string]struct{ arguments, result string }{
		"one is missing":       {`{}`, tool.ResultArguments},
		"one too many":         {`{"city":"Ulm","x":1}`, tool.ResultArguments},
		"a wrong kind":         {`{"city":7}`, tool.ResultArguments},
		"out of range":         {`{"city":"Ulm","days":8}`, tool.ResultArguments},
		"no object":            {`"Ulm"`, tool.ResultArguments},
		"no JSON":              {`{"city":`, tool.ResultArguments},
		"nothing":              {``, tool.ResultArguments},
		"two values":           {`{"city":"Ulm"}{}`, tool.ResultArguments},
		"a name that is twice": {`{"city":"Ulm","\u0063ity":"Bonn"}`, tool.ResultArguments},
		"too large":            {`{"city":"` + strings.Repeat("x", tool.MaxArguments) + `"}`, tool.ResultTooLarge},
		"deep":                 {strings.Repeat("[", 30_000), tool.ResultArguments},
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			tl := endpoint(t, func(http.ResponseWriter, *http.Request) { called = true }, nil)
			output, used := use(t, tl, test.arguments)
			if called || used.Result != test.result || !strings.Contains(output, `"error":"`+test.result+`"`) {
				t.Errorf("called %v, output %s, %+v", called, output, used)
			}
		})
	}
}

func TestArgumentsUpToTheLimitAreSent(t *testing.T) {
	tl := endpoint(t, answer("text/plain", "fine"), nil)
	arguments := `{"city":"` + strings.Repeat("x", tool.MaxArguments-len(`{"city":""}`)) + `"}`
	if output, used := use(t, tl, arguments); output != "fine" || used.Result != tool.ResultOK {
		t.Errorf("output %s, %+v", output, used)
	}
}

func TestAnAnswerThatIsNoGoodIsToldByItsKind(t *testing.T) {
	const most = 100
	for name, test := range map[string]struct {
		serve  http.HandlerFunc
		result string
	}{
		"at the limit": {answer("text/plain", strings.Repeat("x", most)), tool.ResultOK},
		"a byte more":  {answer("text/plain", strings.Repeat("x", most+1)), tool.ResultTooLarge},
		"huge":         {func(w http.ResponseWriter, _ *http.Request) { endless(w) }, tool.ResultTooLarge},
		"nothing":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, tool.ResultOK},
		"HTML":         {answer("text/html", "<p>SECRET"), tool.ResultWrongType},
		"no JSON":      {answer("application/json", "SECRET{"), tool.ResultWrongType},
		"no UTF-8":     {answer("text/plain", "SECRET\xff"), tool.ResultWrongType},
		"of no kind":   {answer(";", "SECRET"), tool.ResultWrongType},
		"a fault":      {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "SECRET", http.StatusInternalServerError) }, rest.DeliveryStatus},
		"another place": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/SECRET", http.StatusTemporaryRedirect)
		}, rest.DeliveryRedirect},
		"the end in middle": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, rest.DeliveryBroken},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			tl := endpoint(t, func(w http.ResponseWriter, r *http.Request) { calls++; test.serve(w, r) }, func(c *tool.Config) { c.MaxResult = most })
			output, used := use(t, tl, `{"city":"Ulm"}`)
			if used.Result != test.result || calls != 1 || strings.Contains(output, "SECRET") {
				t.Errorf("%d calls, output %s, %+v", calls, output, used)
			}
			if test.result != tool.ResultOK && output != `{"error":"`+test.result+`"}` {
				t.Errorf("output %s", output)
			}
		})
	}
}

// endless writes until the other side has had enough.
func endless(w http.ResponseWriter) {
	for range 1000 {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

func TestASlowEndpointIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	tl := endpoint(t, func(http.ResponseWriter, *http.Request) { <-release }, func(c *tool.Config) { c.Timeout = 50 * time.Millisecond })
	t.Cleanup(func() { close(release) }) // before the server waits for it
	if output, used := use(t, tl, `{"city":"Ulm"}`); used.Result != rest.DeliveryTimeout || used.TookMS < 50 {
		t.Errorf("output %s, %+v", output, used)
	}
}

func TestATrickledAnswerIsGivenUpToo(t *testing.T) {
	tl := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that the other side left
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "x")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // a return would end the answer in order
	}, func(c *tool.Config) { c.Timeout = 50 * time.Millisecond })
	if output, used := use(t, tl, `{"city":"Ulm"}`); used.Result != rest.DeliveryTimeout {
		t.Errorf("output %s, %+v", output, used)
	}
}

func TestWhereAToolMayNotGo(t *testing.T) {
	called := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	cfg := tool.Config{Name: "weather", Parameters: []byte(schema), Secret: secret}
	cfg.URL = "https://localhost:" + server.URL[strings.LastIndex(server.URL, ":")+1:]
	tl, err := tool.New(cfg, tool.Options{}) // a name: only its address tells
	if err != nil {
		t.Fatal(err)
	}
	if output, used := use(t, tl, `{"city":"Ulm"}`); called || used.Result != rest.DeliveryForbidden {
		t.Errorf("called %v, output %s, %+v", called, output, used)
	}
	cfg.URL = server.URL
	stranger, err := tool.New(cfg, tool.Options{Addresses: outbound.Addresses{AllowPrivate: true}})
	if err != nil {
		t.Fatal(err)
	}
	if output, used := use(t, stranger, `{"city":"Ulm"}`); called || used.Result != rest.DeliveryTLS {
		t.Errorf("a certificate of nobody: output %s, %+v", output, used)
	}
}

func TestAWrongToolIsRefusedWithTheField(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*tool.Config)
		field  string
	}{
		"no name":         {func(c *tool.Config) { c.Name = "" }, "name"},
		"a name of 65":    {func(c *tool.Config) { c.Name = strings.Repeat("a", 65) }, "name"},
		"a short secret":  {func(c *tool.Config) { c.Secret = c.Secret[:tool.MinSecret-1] }, "secret"},
		"too patient":     {func(c *tool.Config) { c.Timeout = tool.MaxTimeout + 1 }, "timeout"},
		"too large":       {func(c *tool.Config) { c.MaxResult = tool.MaxMaxResult + 1 }, "max_result"},
		"plain HTTP":      {func(c *tool.Config) { c.URL = "http://example.com/" }, "url"},
		"a private place": {func(c *tool.Config) { c.URL = "https://10.0.0.1/" }, "url"},
		"no place":        {func(c *tool.Config) { c.URL = "" }, "url"},
		"no schema":       {func(c *tool.Config) { c.Parameters = nil }, "parameters"},
		"no object":       {func(c *tool.Config) { c.Parameters = []byte(`{"type":"string"}`) }, "parameters"},
		"a wrong schema":  {func(c *tool.Config) { c.Parameters = []byte(`{"type":"object","required":7}`) }, "parameters"},
		"a schema of more": {func(c *tool.Config) {
			c.Parameters = []byte(`{"type":"object","properties":{"a":{"$ref":"https://example.com/x"}}}`)
		}, "parameters"},
		"a huge schema": {func(c *tool.Config) { c.Parameters = make([]byte, tool.MaxSchema+1) }, "parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := tool.Config{Name: "weather", Parameters: []byte(schema), URL: "https://example.com/", Secret: secret}
			if _, err := tool.New(cfg, tool.Options{}); err != nil {
				t.Fatalf("before: %v", err)
			}
			test.change(&cfg)
			var wrong *tool.FieldError
			if _, err := tool.New(cfg, tool.Options{}); !errors.As(err, &wrong) || wrong.Field != test.field || wrong.Detail == "" {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func TestASetKnowsItsToolsAndBoundsACall(t *testing.T) {
	entered, release := make(chan struct{}, tool.MaxParallel), make(chan struct{})
	tl := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
		answer("text/plain", "fine")(w, r)
	}, nil)
	if _, err := tool.NewSet([]*tool.Tool{tl, tl}); err == nil {
		t.Error("two tools of one name")
	}
	set, err := tool.NewSet([]*tool.Tool{tl})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(set.Definitions()); string(got) != `[{"type":"function","name":"weather","parameters":`+schema+`}]` {
		t.Errorf("told the provider %s", got)
	}
	uses := set.NewUses()
	ask := func(function string) rest.ToolUse {
		_, used := uses.Use(context.Background(), tool.Call{Function: function, Arguments: `{"city":"Ulm"}`})
		return used
	}
	if used := ask("SECRET words"); used.Result != tool.ResultUnknown || used.Tool != "" {
		t.Errorf("unknown: %+v", used)
	}
	results := make(chan string, tool.MaxParallel)
	var running sync.WaitGroup
	for range tool.MaxParallel {
		running.Go(func() { results <- ask("weather").Result })
	}
	for range tool.MaxParallel {
		<-entered
	}
	if used := ask("weather"); used.Result != tool.ResultBusy {
		t.Errorf("one more at once: %+v", used)
	}
	close(release)
	running.Wait()
	for range tool.MaxParallel {
		if got := <-results; got != tool.ResultOK {
			t.Errorf("one of those at once: %s", got)
		}
	}
	for i := tool.MaxParallel + 1; i < tool.MaxUses; i++ {
		if _, used := uses.Use(t.Context(), tool.Call{Function: "weather", Arguments: `{}`}); used.Result != tool.ResultArguments {
			t.Fatalf("use %d: %+v", i, used)
		}
	}
	if used := ask("weather"); used.Result != tool.ResultBusy {
		t.Errorf("one more than a call may make: %+v", used)
	}
}

func ExampleFieldError() {
	_, err := tool.New(tool.Config{Name: "two words"}, tool.Options{})
	fmt.Println(err)
	// Output: name: use 1 to 64 of A-Z a-z 0-9 _ -
}
