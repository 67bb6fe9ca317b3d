package auth_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
	"parley/server/logtest"
)

// logged is an Auth whose log is read.
func logged(t testing.TB, level slog.Level, change func(*auth.Config)) (*auth.Auth, *logtest.Buffer) {
	t.Helper()
	out := new(logtest.Buffer)
	k := newKeys(t)
	return newAuth(t, func(c *auth.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
		c.MaskAddress = func(a string) string { return "masked " + a[:3] }
		c.Keys = auth.KeySource{File: keyFile(t, k.usual(t)), Patience: time.Nanosecond}
		if change != nil {
			change(c)
		}
	}), out
}

// refusals are the lines of a log, as event, cause and remote.
func refusals(t testing.TB, out *logtest.Buffer) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(out.String()) {
		var l struct{ Event, Cause, Remote string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if l.Event != "keys" {
			found = append(found, l.Event+" "+l.Cause+" "+l.Remote)
		}
	}
	return found
}

// TestWhyATokenIsRefused: one stable word in the log, and nothing of the token.
func TestWhyATokenIsRefused(t *testing.T) {
	k := newKeys(t)
	good := sign(header, payload(""))
	for cause, test := range map[string][]string{
		"malformed":          {"Authorization", "Bearer alice.x"},
		"too_long":           {"Authorization", "Bearer " + strings.Repeat("a", auth.MaxToken+1)},
		"not_bearer":         {"Authorization", "Basic " + good},
		"two_tokens":         {"Authorization", "Bearer " + good, "Authorization", "Bearer " + good},
		"no_token":           {},
		"two_cookies":        {"Cookie", "parley_session=x; parley_session=y"},
		"not_a_session_id":   {"Cookie", "parley_session=" + good},
		"unknown_session":    {"Cookie", "parley_session=" + strings.Repeat("A", 43)},
		"signature":          {"Authorization", "Bearer " + good[:len(good)-43] + strings.Repeat("A", 43)},
		"algorithm":          {"Authorization", "Bearer " + sign(`{"alg":"HS512"}`, payload(""))},
		"header_not_allowed": {"Authorization", "Bearer " + sign(`{"alg":"HS256","crit":["exp"]}`, payload(""))},
		"duplicate_name":     {"Authorization", "Bearer " + sign(header, payload(`,"sub":"root"`))},
		"wrong_case":         {"Authorization", "Bearer " + sign(header, payload(`,"Sub":"root"`))},
		"wrong_type":         {"Authorization", "Bearer " + sign(header, payload(`,"jti":7`))},
		"no_kid":             {"Authorization", "Bearer " + issue(t, jwt.SigningMethodRS256, k.rsa, nil)},
		"unknown_key":        {"Authorization", "Bearer " + issue(t, jwt.SigningMethodRS256, k.rsa, byKid("old"))},
		"expired":            {"Authorization", "Bearer " + sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()-600, now.Unix()-60)))},
		"not_yet_valid":      {"Authorization", "Bearer " + sign(header, payload(fmt.Sprintf(`,"nbf":%d`, now.Unix()+61)))},
		"issued_in_future":   {"Authorization", "Bearer " + sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()+61, now.Unix()+600)))},
		"issuer":             {"Authorization", "Bearer " + sign(header, strings.Replace(payload(""), `"iss":"parley"`, `"iss":"other"`, 1))},
		"audience":           {"Authorization", "Bearer " + sign(header, strings.Replace(payload(""), `"aud":"parley"`, `"aud":"other"`, 1))},
		"claim_missing":      {"Authorization", "Bearer " + sign(header, times(fmt.Sprintf(`"iat":%d`, now.Unix())))},
		"lifetime":           {"Authorization", "Bearer " + sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix(), now.Unix()+86401)))},
		"subject":            {"Authorization", "Bearer " + sign(header, subject(`"root "`))},
		"mode":               {"Authorization", "Bearer " + sign(header, payload(`,"mode":"demo"`))},
		"revoked":            {"Authorization", "Bearer " + sign(header, payload(`,"jti":"gone"`))},
		"unknown_ticket":     {"Upgrade", "websocket", "Sec-WebSocket-Protocol", "parley.ticket.alice"},
	} {
		t.Run(cause, func(t *testing.T) {
			a, out := logged(t, slog.LevelDebug, nil)
			a.Revoke("gone", now.Add(time.Hour))
			r := httptest.NewRequest("GET", "http://parley.test/", nil)
			for i := 0; i < len(test); i += 2 {
				r.Header.Add(test[i], test[i+1])
			}
			if _, err := a.Authenticate(r); err == nil {
				t.Fatal("it was taken")
			}
			if got := refusals(t, out); len(got) != 1 || got[0] != "token "+cause+" masked 192" {
				t.Fatalf("got %q", got)
			}
			for i := 1; i < len(test); i += 2 {
				if _, value, ok := strings.Cut(test[i], " "); ok && strings.Contains(out.String(), value) || strings.Contains(out.String(), "alice") {
					t.Fatalf("the log tells of the token: %s", out.String())
				}
			}
		})
	}
}

// TestWhyARequestIsRefused: origins, hosts and what proxies say.
func TestWhyARequestIsRefused(t *testing.T) {
	for want, test := range map[string]struct {
		check   func(*auth.Auth, *http.Request) error
		prepare []string
	}{
		"origin origin_not_allowed masked 192":    {(*auth.Auth).CheckOrigin, []string{"Origin", "https://evil.example"}},
		"origin two_origins masked 192":           {(*auth.Auth).CheckOrigin, []string{"Origin", "http://parley.test", "Origin", "http://x"}},
		"origin cookie_without_origin masked 192": {(*auth.Auth).CheckOrigin, []string{"Cookie", "parley_session=x"}},
		"origin cross_site masked 192":            {(*auth.Auth).CheckOrigin, []string{"Sec-Fetch-Site", "cross-site"}},
		"host host_not_served masked 192":         {(*auth.Auth).CheckHost, []string{"Host", "other.test"}},
		"host host_malformed masked 192":          {(*auth.Auth).CheckHost, []string{"Host", "a b"}},
		"proxy proxy_not_trusted masked 192":      {(*auth.Auth).CheckHost, []string{"X-Forwarded-For", "203.0.113.7"}},
		"proxy forwarded_for_malformed masked 10": {(*auth.Auth).CheckHost, []string{"X-Forwarded-For", "unknown", "Peer", "10.0.0.1:80"}},
	} {
		t.Run(want, func(t *testing.T) {
			a, out := logged(t, slog.LevelInfo, func(c *auth.Config) {
				c.Hosts, c.TrustedProxies = []string{"parley.test"}, []string{"10.0.0.1"}
			})
			r := httptest.NewRequest("POST", "http://parley.test/", nil)
			for i := 0; i < len(test.prepare); i += 2 {
				switch name, value := test.prepare[i], test.prepare[i+1]; name {
				case "Host":
					r.Host = value
				case "Peer":
					r.RemoteAddr = value
				default:
					r.Header.Add(name, value)
				}
			}
			err := test.check(a, r)
			if got := refusals(t, out); len(got) != 1 || !strings.HasPrefix(got[0], want) || (err == nil) != strings.HasPrefix(want, "proxy") {
				t.Fatalf("got %q, %v", got, err)
			}
			if strings.Contains(out.String(), "evil.example") || strings.Contains(out.String(), "203.0.113.7") {
				t.Fatalf("the log tells what was sent: %s", out.String())
			}
		})
	}
}

// TestRefusalsAreLoggedOnceASecondAndAddress, to the nanosecond, and not beyond
// the bound of all addresses.
func TestRefusalsAreLoggedOnceASecondAndAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(logtest.Buffer)
		a, err := auth.New(auth.Config{Secret: testSecret, Logger: slog.New(slog.NewJSONHandler(out, nil))})
		if err != nil {
			t.Fatal(err)
		}
		refuse := func(peer string) {
			r := httptest.NewRequest("GET", "http://parley.test/", nil)
			r.RemoteAddr = peer
			r.Header.Set("Authorization", "Bearer x")
			_, _ = a.Authenticate(r)
		}
		count := func(want int) {
			t.Helper()
			if got := len(refusals(t, out)); got != want {
				t.Fatalf("%d lines, want %d", got, want)
			}
		}
		refuse("192.0.2.1:1")
		refuse("192.0.2.1:2")
		count(1)
		refuse("192.0.2.2:1")
		count(2)
		time.Sleep(time.Second - time.Nanosecond)
		refuse("192.0.2.1:1")
		count(2)
		time.Sleep(time.Nanosecond)
		refuse("192.0.2.1:1")
		count(3)
		time.Sleep(time.Second)
		for i := range auth.MaxRefusalLogs + 50 {
			refuse(fmt.Sprintf("[2001:db8::%x]:1", i))
		}
		count(3 + auth.MaxRefusalLogs)
		time.Sleep(time.Second)
		refuse("192.0.2.1:1")
		count(4 + auth.MaxRefusalLogs)
	})
}
