package transport_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"

	"parley/server/relay/transport"
)

var (
	somewhere   = netip.MustParseAddrPort("192.0.2.1:5000")
	somewhereV6 = netip.MustParseAddrPort("[2001:db8::1]:5000")
)

// binding makes a connectivity check as browsers do.
func binding(ufrag, pwd string, with ...stun.Setter) []byte {
	return bindingOf(110, ufrag, pwd, with...)
}

// bindingOf makes one of a path that the caller likes so much.
func bindingOf(liking byte, ufrag, pwd string, with ...stun.Setter) []byte {
	priority := stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{liking, 0, 1, 255}}
	controlling := stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)}
	all := []stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufrag + ":far"), priority}
	if len(with) == 0 {
		with = []stun.Setter{controlling}
	}
	all = append(append(all, with...), stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	return stun.MustBuild(all...).Raw
}

// A check is answered with the address it came from, verifiably, and by no more than it
// has itself.
func TestAChecksAnswer(t *testing.T) {
	for name, from := range map[string]netip.AddrPort{"IPv4": somewhere, "IPv6": somewhereV6} {
		packet := binding("ours", "secret")
		answer := transport.AnswerCheck(bytes.Clone(packet), from, "secret")
		if answer == nil || len(answer) > len(packet) {
			t.Fatalf("%s: %d bytes for %d", name, len(answer), len(packet))
		}
		m := stun.Message{Raw: answer}
		var mapped stun.XORMappedAddress
		if err := m.Decode(); err != nil || m.Type != stun.BindingSuccess || stun.NewShortTermIntegrity("secret").Check(&m) != nil || stun.Fingerprint.Check(&m) != nil {
			t.Fatalf("%s: %v %v", name, m, err)
		}
		if !bytes.Equal(m.TransactionID[:], packet[8:20]) {
			t.Errorf("%s: another transaction", name)
		}
		if err := mapped.GetFrom(&m); err != nil || mapped.Port != int(from.Port()) || !mapped.IP.Equal(from.Addr().AsSlice()) {
			t.Errorf("%s: mapped to %v, %v", name, mapped, err)
		}
	}
}

func TestWhatIsNoCheck(t *testing.T) {
	broken := binding("ours", "secret")
	broken[len(broken)-1] ^= 1
	for name, packet := range map[string][]byte{
		"another password":    binding("ours", "guess"),
		"a wrong fingerprint": broken,
		"no user name":        stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewShortTermIntegrity("secret")).Raw,
		"a name of one part":  stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("ours"), stun.NewShortTermIntegrity("secret")).Raw,
		"no integrity":        stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("ours:far"), stun.Fingerprint).Raw,
		"an answer":           stun.MustBuild(stun.TransactionID, stun.BindingSuccess, stun.NewUsername("ours:far"), stun.NewShortTermIntegrity("secret")).Raw,
		"an allocation":       stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewUsername("ours:far"), stun.NewShortTermIntegrity("secret")).Raw,
		"cut":                 binding("ours", "secret")[:40],
		"nothing":             nil,
		// Its answer would be longer than itself.
		"a check that says too little": stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("o:f"), stun.NewShortTermIntegrity("secret")).Raw,
	} {
		if answer := transport.AnswerCheck(packet, somewhereV6, "secret"); answer != nil {
			t.Errorf("%s is answered", name)
		}
	}
}

// Who says that it is controlled, too, is told so (RFC 8445 §7.3.1.1).
func TestARoleConflict(t *testing.T) {
	controlled := stun.RawAttribute{Type: stun.AttrICEControlled, Value: make([]byte, 8)}
	m := stun.Message{Raw: transport.AnswerCheck(binding("ours", "secret", controlled), somewhere, "secret")}
	var code stun.ErrorCodeAttribute
	if err := m.Decode(); err != nil || m.Type != stun.BindingError || code.GetFrom(&m) != nil || code.Code != stun.CodeRoleConflict {
		t.Errorf("%v %v %v", m, code, err)
	}
}

// FuzzCheck: whatever comes, an answer is no longer than what it answers, and what it
// answers was made with the password.
func FuzzCheck(f *testing.F) {
	f.Add(binding("ours", "secret"))
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw)
	f.Fuzz(func(t *testing.T, packet []byte) {
		answer := transport.AnswerCheck(bytes.Clone(packet), somewhereV6, "secret")
		m := stun.Message{Raw: bytes.Clone(packet)}
		if answer != nil && (len(answer) > len(packet) || m.Decode() != nil || stun.NewShortTermIntegrity("secret").Check(&m) != nil) {
			t.Fatalf("%x is answered by %x", packet, answer)
		}
	})
}
