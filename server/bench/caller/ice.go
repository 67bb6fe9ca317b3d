package caller

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pion/stun/v4"
)

// checkInterval is how long the answer to a check may take before the next one.
const checkInterval = 100 * time.Millisecond

// hostPriority is that of a pair's only candidate (RFC 8445 §5.1.2).
const hostPriority = 2130706431

// findPath makes checks until one is answered.
func (c *Caller) findPath(ctx context.Context) error {
	b := make([]byte, 1500)
	for !c.isAnswered.Load() {
		if err := c.Check(); err != nil {
			return err
		}
		_ = c.socket.SetReadDeadline(time.Now().Add(checkInterval))
		for !c.isAnswered.Load() {
			if _, err := c.read(b); errors.Is(err, os.ErrDeadlineExceeded) {
				break
			} else if err != nil {
				return fmt.Errorf("caller: ICE: %w", err)
			}
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("caller: ICE: %w", err)
		}
	}
	return c.socket.SetReadDeadline(time.Time{})
}

// Check makes a connectivity check that nominates the path, and asks for consent to go on.
func (c *Caller) Check() error {
	priority := binary.BigEndian.AppendUint32(nil, hostPriority)
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.answer.ufrag+":"+c.ufrag),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: []byte(c.pwd[:8])},
		stun.RawAttribute{Type: stun.AttrPriority, Value: priority},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(c.answer.pwd), stun.Fingerprint)
	if err != nil {
		return fmt.Errorf("caller: check: %w", err)
	}
	return c.write(m.Raw)
}

// receiveCheck answers a check of the server's, or notes that one of ours was answered.
func (c *Caller) receiveCheck(packet []byte) {
	m := stun.Message{Raw: packet}
	if m.Decode() != nil {
		return
	}
	switch m.Type {
	case stun.BindingSuccess:
		c.isAnswered.Store(true)
	case stun.BindingRequest:
		at := stun.XORMappedAddress{IP: c.answer.candidate.Addr().AsSlice(), Port: int(c.answer.candidate.Port())}
		reply, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess, &at,
			stun.NewShortTermIntegrity(c.pwd), stun.Fingerprint)
		if err == nil {
			_ = c.write(reply.Raw) // lost like any packet
		}
	}
}
