package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/pion/stun/v4"
)

// errCheck: a message is no connectivity check that may be answered.
var errCheck = errors.New("not a connectivity check")

// A check is a connectivity check of a caller's (RFC 8445 §7.3), read but not verified.
type check struct {
	message     stun.Message
	ufrag       string // ours
	priority    uint32 // PRIORITY; 0: it has none
	isNominated bool   // it has USE-CANDIDATE
	isConflict  bool   // the caller says that it is controlled, too
}

// readCheck reads a check without changing the packet.
func readCheck(packet []byte) (check, error) {
	c := check{message: stun.Message{Raw: packet}}
	if err := c.message.Decode(); err != nil || c.message.Type != stun.BindingRequest {
		return c, errCheck
	}
	name, err := c.message.Get(stun.AttrUsername)
	if err != nil {
		return c, errCheck
	}
	ours, _, found := bytes.Cut(name, []byte{':'})
	if !found {
		return c, errCheck
	}
	c.ufrag = string(ours)
	if priority, err := c.message.Get(stun.AttrPriority); err == nil && len(priority) == 4 {
		c.priority = binary.BigEndian.Uint32(priority)
	}
	c.isNominated = c.message.Contains(stun.AttrUseCandidate)
	c.isConflict = c.message.Contains(stun.AttrICEControlled)
	return c, nil
}

// verify reports whether a check was made with a password.
func (c *check) verify(pwd string) bool {
	if c.message.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(&c.message) != nil {
		return false
	}
	return stun.NewShortTermIntegrity(pwd).Check(&c.message) == nil
}

// answer makes the answer to a check, which is never longer than the check: nil if it
// were.
func (c *check) answer(from netip.AddrPort, pwd string) []byte {
	mapped := stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}
	with := []stun.Setter{stun.NewTransactionIDSetter(c.message.TransactionID), stun.BindingSuccess, &mapped}
	if c.isConflict {
		with = []stun.Setter{stun.NewTransactionIDSetter(c.message.TransactionID), stun.BindingError, stun.CodeRoleConflict}
	}
	m, err := stun.Build(append(with, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...)
	if err != nil || len(m.Raw) > len(c.message.Raw) {
		return nil
	}
	return m.Raw
}

// isKeepalive reports whether a packet is a binding indication (RFC 8445 §11), which
// asks for no answer.
func isKeepalive(packet []byte) bool {
	return len(packet) >= 2 && stun.IsMessage(packet) &&
		binary.BigEndian.Uint16(packet) == stun.NewType(stun.MethodBinding, stun.ClassIndication).Value()
}
