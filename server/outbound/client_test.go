package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/outbound"
	"parley/shared/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is of a client whose server is beside it: no test waits for its end.
const patience = 20 * time.Second

// endpoint serves answer, for whom loopback is allowed or not, and returns what one
// request to it comes to.
func endpoint(t *testing.T, allowPrivate bool, answer http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	res, err := outbound.NewClient(outbound.Addresses{AllowPrivate: allowPrivate}, patience).Get(server.URL)
	if err == nil {
		t.Cleanup(func() { res.Body.Close() })
	}
	return res, err
}

func TestARedirectIsTheAnswer(t *testing.T) {
	asked := 0
	res, err := endpoint(t, true, func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect || asked != 1 {
		t.Errorf("%v, %v after %d requests", res, err, asked)
	}
}

func TestALoopbackAddressIsNotAsked(t *testing.T) {
	asked := false
	_, err := endpoint(t, false, func(http.ResponseWriter, *http.Request) { asked = true })
	if !errors.Is(err, outbound.ErrAddress) || asked {
		t.Errorf("%v, asked %v", err, asked)
	}
}

func TestAnAnswersHeaderIsBounded(t *testing.T) {
	for size, ok := range map[int]bool{15 << 10: true, 17 << 10: false} {
		_, err := endpoint(t, true, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("a", size))
		})
		if (err == nil) != ok {
			t.Errorf("a header of %d bytes: %v", size, err)
		}
	}
}

func TestNoConnectionServesTwoRequests(t *testing.T) {
	var peers []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { peers = append(peers, r.RemoteAddr) }))
	defer server.Close()
	client := outbound.NewClient(outbound.Addresses{AllowPrivate: true}, patience)
	for range 2 {
		res, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	if len(peers) != 2 || peers[0] == peers[1] {
		t.Errorf("connections from %v", peers)
	}
}

// TestSign against a signature made by `openssl dgst -sha256 -hmac`.
func TestSign(t *testing.T) {
	const want = "t=1772600769,v1=3e55b099151b257416a554d963b603dbd20092a3af3e57d1faad178f5f5aeb97"
	if got := outbound.Sign("s3cret", time.Unix(1772600769, 999), []byte(`{"a":1}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheAddressIsTakenOutOfAnError(t *testing.T) {
	inner := errors.New("no route")
	for _, test := range []struct{ err, want error }{
		{&url.Error{Op: "Post", URL: "https://hooks.example/?key=s3cret", Err: inner}, inner},
		{inner, inner},
		{nil, nil},
	} {
		if got := outbound.WithoutURL(test.err); got != test.want {
			t.Errorf("%v became %v", test.err, got)
		}
	}
}

func TestFaultsHaveWords(t *testing.T) {
	wrap := func(err error) error { return &url.Error{Op: "Post", URL: "https://hooks.example", Err: err} }
	for _, test := range []struct {
		status int
		err    error
		want   string
	}{
		{300, nil, rest.DeliveryRedirect},
		{399, nil, rest.DeliveryRedirect},
		{400, nil, rest.DeliveryStatus},
		{503, nil, rest.DeliveryStatus},
		{0, wrap(fmt.Errorf("dial: %w", outbound.ErrAddress)), rest.DeliveryForbidden},
		{0, wrap(&net.DNSError{Err: "no such host", IsTimeout: true}), rest.DeliveryUnresolved},
		{0, wrap(context.DeadlineExceeded), rest.DeliveryTimeout},
		{0, wrap(&net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}), rest.DeliveryTimeout},
		{0, wrap(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), rest.DeliveryUnreachable},
		{0, wrap(syscall.EHOSTUNREACH), rest.DeliveryUnreachable},
		{0, wrap(io.ErrUnexpectedEOF), rest.DeliveryBroken},
	} {
		if got := outbound.FaultOf(test.status, test.err); got != test.want {
			t.Errorf("%d, %v: %s, want %s", test.status, test.err, got, test.want)
		}
	}
}

func TestACertificateOfNobodyIsAFaultOfTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	_, err := outbound.NewClient(outbound.Addresses{AllowPrivate: true}, patience).Get(server.URL)
	if got := outbound.FaultOf(0, err); got != rest.DeliveryTLS {
		t.Errorf("%v is %s", err, got)
	}
}
