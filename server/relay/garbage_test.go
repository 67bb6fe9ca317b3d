package relay_test

import (
	"crypto/rand"

	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v4"
)

// sha1 is the profile that every browser has.
const sha1 = dtls.SRTP_AES128_CM_HMAC_SHA1_80

// garbage is what a stranger may send: each protocol of the port, cut, wrong,
// or by someone who has no business here.
func garbage() [][]byte {
	noise := make([]byte, 1200)
	_, _ = rand.Read(noise)
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername("nobody:none"), stun.NewShortTermIntegrity("guess"), stun.Fingerprint)
	bare := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	liar := append([]byte(nil), check.Raw...)
	liar[2], liar[3] = 0xff, 0xfc // says it is longer than it is
	of := func(first byte, n int) []byte {
		return append([]byte{first}, noise[:n]...)
	}
	return [][]byte{
		{}, {0}, noise, check.Raw, bare.Raw, check.Raw[:21], liar,
		// DTLS: a ClientHello cut, one that says to be a fragment of 16 MB, an alert, data.
		{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 9},
		append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 32, 1, 255, 255, 255, 0, 0, 255, 0, 0, 0, 0, 20}, noise[:20]...),
		{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40},
		of(23, 1199), of(20, 0), of(63, 12),
		// RTP and RTCP: short, with extensions that aren't there, with 15 CSRCs.
		{128}, {144, 111, 0, 1}, of(0x9f, 11), of(0xbf, 1199), {128, 200, 0, 1, 0, 0, 0, 0}, of(0x81, 40),
		of(64, 100), of(255, 100),
	}
}
