package turn_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/turn"
)

func TestWhereACallerFindsTheServer(t *testing.T) {
	at := func() ([]netip.AddrPort, error) {
		return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:8081"), netip.MustParseAddrPort("[2001:db8::1]:8081")}, nil
	}
	issuer := turn.NewIssuer(turn.IssuerConfig{Addrs: at})
	plain := []string{
		"turn:192.0.2.1:8081?transport=tcp", "turn:[2001:db8::1]:8081?transport=tcp",
	}
	for host, more := range map[string][]string{
		"":                   nil,
		"voice.example.org":  {"turns:voice.example.org:443?transport=tcp"},
		"voice.example:8443": {"turns:voice.example:8443?transport=tcp"},
		"[2001:db8::1]":      {"turns:[2001:db8::1]:443?transport=tcp"},
	} {
		servers := issuer.ICEServers(turn.Holder{Session: "s1", Host: host})
		if len(servers) != 1 || !slices.Equal(servers[0].URLs, append(slices.Clone(plain), more...)) {
			t.Errorf("%q: %+v", host, servers)
		}
	}
	look := issuer.ICEServers(turn.Holder{Account: "ada"})
	if want := append(plain, "turn:192.0.2.1:8081?transport=udp", "turn:[2001:db8::1]:8081?transport=udp"); !slices.Equal(look[0].URLs, want) {
		t.Errorf("before a call: %q", look[0].URLs)
	}
	if none := turn.NewIssuer(turn.IssuerConfig{}).ICEServers(turn.Holder{Session: "s1"}); none == nil || len(none) != 0 {
		t.Errorf("without any: %#v", none)
	}
}

func TestWhenCredentialsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for what, c := range map[string]struct {
			holder turn.Holder
			after  time.Duration
		}{
			"with the token":       {turn.Holder{Session: "s1", Expires: now.Add(time.Hour)}, time.Hour},
			"a day at most":        {turn.Holder{Session: "s1", Expires: now.Add(turn.Life + time.Second)}, turn.Life},
			"a token without":      {turn.Holder{Session: "s1"}, turn.Life},
			"a look at the line":   {turn.Holder{Account: "ada", Expires: now.Add(time.Hour)}, turn.CheckLife},
			"a token that is over": {turn.Holder{Session: "s1", Expires: now.Add(-time.Second)}, -time.Second},
		} {
			name := turn.NewIssuer(turn.IssuerConfig{Addrs: func() ([]netip.AddrPort, error) {
				return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:8081")}, nil
			}}).ICEServers(c.holder)[0].Username
			at, id, _ := strings.Cut(name, ":")
			if want := strconv.FormatInt(now.Add(c.after).Unix(), 10); at != want || strings.Contains(id, "ada") {
				t.Errorf("%s: %s, want %s", what, name, want)
			}
		}
	})
}
