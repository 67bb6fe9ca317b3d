package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/netip"
	"net/url"
	"strings"
)

// hiddenText stands for what was taken out.
const hiddenText = "•••"

// maskSign ends an address whose last part was taken out.
const maskSign = "•"

// minPhoneDigits is the shortest number that is taken for a phone's: what is
// shorter is a room, a year or a count.
const minPhoneDigits = 7

// maxDecodings bounds how often percent-encoding is undone (RFC 3986 §2.1):
// proxies encode once more what was encoded, and nobody needs more than that.
const maxDecodings = 5

// Address masks an IP address, with or without a port: the last octet of IPv4,
// all below /48 of IPv6. What is no address is hidden whole.
func (p *Privacy) Address(s string) string {
	s = withoutPort(s)
	if !p.On() || s == "" || isMaskedAddress(s) {
		return s
	}
	return maskAddress(s)
}

func withoutPort(s string) string {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String()
	}
	return s
}

// isMaskedAddress tells what maskAddress made: masking twice is masking once.
func isMaskedAddress(s string) bool {
	begin, ok := strings.CutSuffix(s, maskSign)
	if !ok {
		return false
	}
	if network, ok := strings.CutSuffix(begin, "."); ok {
		_, err := netip.ParseAddr(network + ".0")
		return err == nil
	}
	network, err := netip.ParseAddr(begin)
	return err == nil && netip.PrefixFrom(network, 48).Masked().Addr() == network
}

func maskAddress(s string) string {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return hiddenText
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		text := ip.String()
		return text[:strings.LastIndexByte(text, '.')+1] + maskSign
	}
	network, _ := ip.Prefix(48) // never fails for an address without zone
	return strings.TrimSuffix(network.Addr().String(), "::") + "::" + maskSign
}

// Email masks an e-mail address: its first letter and its domain stay.
func (p *Privacy) Email(s string) string {
	if !p.On() || s == "" {
		return s
	}
	return maskEmail(s)
}

func maskEmail(s string) string {
	at := strings.LastIndexAny(s, "@＠")
	if at < 0 {
		return hiddenText
	}
	return firstLetter(s[:at]) + hiddenText + s[at:]
}

func firstLetter(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// Phone masks a phone number: its first three signs and its last two digits stay.
func (p *Privacy) Phone(s string) string {
	if !p.On() || s == "" {
		return s
	}
	return maskPhone(s)
}

func maskPhone(s string) string {
	if strings.Contains(s, hiddenText) {
		return s
	}
	signs := []rune(s)
	if len(signs) < minPhoneDigits {
		return hiddenText
	}
	return string(signs[:3]) + hiddenText + string(signs[len(signs)-2:])
}

// Person masks the parts of a subject that look like an e-mail address, a phone
// number or an address; an opaque id stays as it is. A token is no subject: it
// is taken out in either mode.
func (p *Privacy) Person(sub string) string { return maskText(sub, p.On(), apiKeyFinders) }

// Text masks every e-mail address, phone number and IP address in words that a
// person wrote, such as a name or an admin's reason; and, in either mode,
// whatever has the shape of a token.
func (p *Privacy) Text(s string) string { return maskText(s, p.On(), tokenFinders) }

// Path masks the parts of a request's path that name a person, and those that
// have the shape of a token, however they are encoded.
func (p *Privacy) Path(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = p.Text(part)
	}
	whole := strings.Join(parts, "/")
	if !hasNumber(traitsOf(whole)) {
		return whole
	}
	return p.Text(whole) // a number may stand across a slash, such as 0555/1234567
}

// decodeText undoes percent-encoding and the references of HTML, however often it
// was done.
func decodeText(s string) string {
	for range maxDecodings {
		plain, err := url.PathUnescape(s)
		if err != nil {
			plain = unescapeLeniently(s)
		}
		plain = html.UnescapeString(plain)
		if plain == s {
			return s
		}
		s = plain
	}
	return s
}

// unescapeLeniently undoes each encoded byte of a text in which others are
// broken: one stray percent sign hides nobody.
func unescapeLeniently(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if b, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				out.WriteByte(b[0])
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// UserKey is what a subject is found by where only its mask is kept: a keyed
// hash, in both modes, that nobody without this server's key can make or undo.
func (p *Privacy) UserKey(sub string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(sub))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
