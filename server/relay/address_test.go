package relay_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"

	"parley/server/relay"
	"parley/shared/wire"
)

// where says when media may be sent to an address.
type where int

const (
	never where = iota
	privately
	always
)

var hosts = map[string]where{
	"8.8.8.8": always, "193.0.14.129": always, "2a00:1450:4001::1": always, "100.63.255.255": always, "172.32.0.1": always,

	"127.0.0.1": privately, "127.8.9.10": privately, "::1": privately,
	"10.0.0.1": privately, "172.16.0.1": privately, "172.31.255.255": privately, "192.168.1.1": privately, "fd00::1": privately,
	"169.254.169.254": privately, "fe80::1": privately,
	"100.64.0.1": privately, "100.127.255.255": privately,

	"0.0.0.0": never, "0.1.2.3": never, "::": never, "255.255.255.255": never, "240.0.0.1": never,
	"224.0.0.251": never, "239.1.1.1": never, "ff02::fb": never,
	"192.0.2.1": never, "198.18.0.1": never, "198.51.100.1": never, "203.0.113.9": never, "192.0.0.8": never,
	// Another address inside, which would go unchecked.
	"::ffff:127.0.0.1": never, "::ffff:8.8.8.8": never, "::ffff:7f00:1": never, "::127.0.0.1": never,
	"64:ff9b::7f00:1": never, "2002:7f00:1::": never, "2001:0:4136:e378::": never, "2001:db8::1": never, "fec0::1": never,
	// Spellings that others read as an address.
	"127.1": never, "0177.0.0.1": never, "010.0.0.1": never, "2130706433": never, "0x7f000001": never, "127.0.0.1.": never,
	"127.0.0.01": never, "[::1]": never, "fe80::1%eth0": never, "8.8.8.8:53": never, " 8.8.8.8": never, "": never,
	"localhost": never, "example.com": never, "metadata.google.internal": never, "１２７.0.0.1": never,
}

func TestWhereMediaMayGo(t *testing.T) {
	for host, want := range hosts {
		t.Run(host, func(t *testing.T) {
			for allow, least := range map[bool]where{false: always, true: privately} {
				err := relay.CheckHost(host, allow)
				if ok := want >= least; (err == nil) != ok {
					t.Errorf("with private addresses allowed %v: %v, want ok %v", allow, err, ok)
				}
				if err != nil && !errors.Is(err, relay.ErrAddress) {
					t.Errorf("%v is not ErrAddress", err)
				}
			}
		})
	}
}

func TestCandidates(t *testing.T) {
	const host = "candidate:1 1 udp 2122260223 8.8.8.8 50000 typ host"
	for name, test := range map[string]struct {
		in    string
		taken bool
		fails error // nil with not taken: left out without a word
	}{
		"a host":                 {host + " generation 0 ufrag abcd network-cost 999", true, nil},
		"without the prefix":     {strings.TrimPrefix(host, "candidate:"), true, nil},
		"server reflexive":       {"candidate:2 1 udp 1686052607 8.8.8.8 50000 typ srflx raddr 10.0.0.1 rport 50000", true, nil},
		"an mDNS name":           {"candidate:1 1 udp 2122260223 a0b1c2d3-aaaa-bbbb-cccc-ddddeeeeffff.local 50000 typ host", false, nil},
		"TCP active":             {"candidate:3 1 tcp 1518280447 8.8.8.8 9 typ host tcptype active", false, nil},
		"TCP passive":            {"candidate:3 1 tcp 1518280447 8.8.8.8 25 typ host tcptype passive", false, nil},
		"TCP to a private place": {"candidate:3 1 tcp 1518280447 10.0.0.1 25 typ host tcptype passive", false, nil},
		"a private one":          {strings.Replace(host, "8.8.8.8", "192.168.1.5", 1), false, nil},
		"a carrier's":            {strings.Replace(host, "8.8.8.8", "100.64.3.4", 1), false, nil},
		"a link-local one":       {strings.Replace(host, "8.8.8.8", "fe80::1", 1), false, nil},
		"loopback":               {strings.Replace(host, "8.8.8.8", "::1", 1), false, nil},
		"a VPN's":                {strings.Replace(host, "8.8.8.8", "198.18.0.1", 1), false, nil},
		"an octal one":           {strings.Replace(host, "8.8.8.8", "0177.0.0.1", 1), false, relay.ErrCandidate},
		"a name":                 {strings.Replace(host, "8.8.8.8", "example.com", 1), false, relay.ErrCandidate},
		"a mapped one":           {strings.Replace(host, "8.8.8.8", "::ffff:10.0.0.1", 1), false, relay.ErrAddress},
		"port 0":                 {strings.Replace(host, "50000", "0", 1), false, relay.ErrCandidate},
		"nonsense":               {"candidate:nonsense", false, relay.ErrCandidate},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := relay.Candidate(test.in, false)
			if (got != "") != test.taken {
				t.Errorf("taken as %q, want taken %v", got, test.taken)
			}
			if !errors.Is(err, test.fails) {
				t.Errorf("error %v, want %v", err, test.fails)
			}
		})
	}
}

func TestToldAddresses(t *testing.T) {
	public := netip.MustParseAddr("8.8.8.8")
	for name, test := range map[string]struct {
		cfg   relay.Config
		bound string
		want  []string // nil: refused
	}{
		"a public one":             {relay.Config{PublicIPs: []netip.Addr{public}}, "::", []string{"8.8.8.8"}},
		"a public one that is not": {relay.Config{PublicIPs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}, "::", nil},
		"a private one, allowed":   {relay.Config{PublicIPs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, AllowPrivate: true}, "::", []string{"10.0.0.1"}},
		"the bound one":            {relay.Config{}, "127.0.0.1", []string{"127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := relay.AdvertisedOn(test.cfg, test.bound)
			var text []string
			for _, ip := range got {
				text = append(text, ip.String())
			}
			if (err != nil) != (test.want == nil) || !slices.Equal(text, test.want) {
				t.Errorf("%v, %v; want %v", text, err, test.want)
			}
		})
	}
}

// FuzzCandidate: what is taken is plain, public, and means the same to pion.
func FuzzCandidate(f *testing.F) {
	for host := range hosts {
		f.Add("candidate:1 1 udp 2122260223 " + host + " 50000 typ host generation 0")
	}
	f.Add("candidate:3 1 tcp 1518280447 8.8.8.8 9 typ host tcptype active")
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := relay.Candidate(raw, false)
		if err != nil || got == "" {
			return
		}
		c, err := ice.UnmarshalCandidate(got)
		if err != nil {
			t.Fatalf("%q was taken as %q, which no one reads: %v", raw, got, err)
		}
		ip, err := netip.ParseAddr(c.Address())
		if err != nil || relay.CheckIP(ip, false) != nil || ip.IsPrivate() || ip.IsLoopback() || ip.Is4In6() {
			t.Fatalf("%q was taken as %q", raw, got)
		}
	})
}

// FuzzOffer: an offer that is taken has no candidate left that may not be used, and an
// answer to each of its sections.
func FuzzOffer(f *testing.F) {
	for host := range hosts {
		f.Add(strings.ReplaceAll(offer, "HOST", host))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, n, err := relay.ReadOffer(raw, false)
		if err != nil {
			return
		}
		if n > wire.MaxCandidates {
			t.Fatalf("%d candidates", n)
		}
		for line := range strings.Lines(got) {
			if text, ok := strings.CutPrefix(line, "a=candidate:"); ok {
				if again, err := relay.Candidate(strings.TrimSpace(text), false); err != nil || again == "" {
					t.Fatalf("%q is left in the offer: %v", line, err)
				}
			}
		}
		var offered, answered sdp.SessionDescription
		answer, err := relay.Answer(raw)
		if err != nil || offered.UnmarshalString(raw) != nil || answered.UnmarshalString(answer) != nil {
			t.Fatalf("what was taken has an answer that nobody reads: %v\n%s", err, answer)
		}
		if n, want := len(answered.MediaDescriptions), len(offered.MediaDescriptions); n != want {
			t.Fatalf("%d sections are answered, %d were offered", n, want)
		}
	})
}
