package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// hidden stands for what was taken out.
const hidden = "•••"

// minPhoneDigits is the shortest number that is taken for a phone's: what is
// shorter is a room, a year or a count.
const minPhoneDigits = 7

// What looks personal inside other text. An e-mail address is found without
// being checked (RFC 5322 allows far more): what isn't one is masked all the same.
var (
	emailIn   = regexp.MustCompile(`[^\s@<>()\[\]",;:|/\\=]+(?:@+[^\s@<>()\[\]",;:|/\\=]+)+`)
	phoneIn   = regexp.MustCompile(`\+?\d[\d\-. ()]{4,}\d`)
	addressIn = regexp.MustCompile(`[0-9A-Fa-f:.]*(?:\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)`)
)

// Address masks an IP address, with or without a port: the last octet of IPv4,
// all below /48 of IPv6. What is no address is hidden whole.
func (p *Privacy) Address(s string) string {
	if !p.On() || s == "" {
		return withoutPort(s)
	}
	return maskAddress(withoutPort(s))
}

func withoutPort(s string) string {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String()
	}
	return s
}

func maskAddress(s string) string {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return hidden
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		text := ip.String()
		return text[:strings.LastIndexByte(text, '.')+1] + "•"
	}
	network, _ := ip.Prefix(48) // never fails for an address without zone
	return strings.TrimSuffix(network.Addr().String(), "::") + "::•"
}

// Email masks an e-mail address: its first letter and its domain stay.
func (p *Privacy) Email(s string) string {
	if !p.On() || s == "" {
		return s
	}
	return maskEmail(s)
}

func maskEmail(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return hidden
	}
	return firstLetter(s[:at]) + hidden + s[at:]
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
	if len(s) < minPhoneDigits {
		return hidden
	}
	return s[:3] + hidden + s[len(s)-2:]
}

// Person masks the parts of a subject that look like an e-mail address, a phone
// number or an address; an opaque id stays as it is.
func (p *Privacy) Person(sub string) string {
	if !p.On() {
		return sub
	}
	if prefix, number := lastCutAny(sub, ":|"); isPhone(number) {
		return prefix + maskPhone(number)
	}
	return maskText(sub, false)
}

// lastCutAny cuts after the last of the separators, which stays with the prefix.
func lastCutAny(s, separators string) (prefix, rest string) {
	i := strings.LastIndexAny(s, separators) + 1
	return s[:i], s[i:]
}

func isPhone(s string) bool {
	digits := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, r == '-', r == '.':
		default:
			return false
		}
	}
	return digits >= minPhoneDigits
}

// Text masks every e-mail address, phone number and IP address in words that a
// person wrote, such as an admin's reason.
func (p *Privacy) Text(s string) string {
	if !p.On() {
		return s
	}
	return maskText(s, true)
}

func maskText(s string, numbers bool) string {
	s = emailIn.ReplaceAllStringFunc(s, maskEmail)
	s = addressIn.ReplaceAllStringFunc(s, func(found string) string {
		if _, err := netip.ParseAddr(strings.Trim(found, ".")); err != nil {
			return found
		}
		return maskAddress(strings.Trim(found, "."))
	})
	if !numbers {
		return s
	}
	return maskPhones(s)
}

// maskPhones leaves what is left of a masked address alone.
func maskPhones(s string) string {
	var out strings.Builder
	done := 0
	for _, at := range phoneIn.FindAllStringIndex(s, -1) {
		found := s[at[0]:at[1]]
		if !enoughDigits(found) || strings.HasPrefix(s[at[1]:], ".•") {
			continue
		}
		out.WriteString(s[done:at[0]])
		out.WriteString(maskPhone(found))
		done = at[1]
	}
	return out.String() + s[done:]
}

func enoughDigits(s string) bool {
	digits := 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	return digits >= minPhoneDigits
}

// Path masks the parts of a request's path that name a person.
func (p *Privacy) Path(path string) string {
	if !p.On() {
		return path
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			plain = part
		}
		if masked := p.Person(plain); masked != plain {
			parts[i] = masked
		}
	}
	return strings.Join(parts, "/")
}

// UserKey is what a subject is found by where only its mask is kept: a keyed
// hash, in both modes, that nobody without this server's key can make or undo.
func (p *Privacy) UserKey(sub string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(sub))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
