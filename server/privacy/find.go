package privacy

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A patternFinder knows one kind of thing in a text. What it finds it replaces, or
// keeps as it is: later finders look only at what is left over.
type patternFinder struct {
	pattern    *regexp.Regexp
	isPossible func(textTraits) bool                        // what a text must have for the pattern to be in it
	replace    func(original, folded string) (string, bool) // false: it was not one
}

// textTraits of a text tell, at the cost of one look, which finders may find
// something: nearly all texts are done without a regular expression.
type textTraits struct {
	digits, dots, colons, dashes          int
	longestRun                            int // the longest of letters, digits, _ and -
	hasAt, hasEquals, isEncoded, isMasked bool
	isAnnounced                           bool // a word that a secret follows
}

func traitsOf(s string) (t textTraits) {
	lower := strings.ToLower(s)
	t.hasAt = containsAny(lower, "(at)", "[at]")
	t.isAnnounced = strings.Contains(lower, "bearer") || strings.Contains(lower, "basic")
	run := 0
	for _, r := range s {
		r = foldRune(r)
		switch {
		case r >= '0' && r <= '9':
			t.digits++
			run++
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
			run++
		case r == '-':
			t.dashes++
			run++
		default:
			run = 0
			t.countSign(r)
		}
		t.longestRun = max(t.longestRun, run)
	}
	return t
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

func (t *textTraits) countSign(r rune) {
	switch r {
	case '.':
		t.dots++
	case ':':
		t.colons++
	case '@':
		t.hasAt = true
	case '=':
		t.hasEquals = true
	case '%', '&':
		t.isEncoded = true
	case '•':
		t.isMasked = true
	}
}

// Shapes of tokens: a JWT (RFC 7519 §3: its header is an object, which encodes
// as eyJ), what providers and Parley itself put before a secret, what follows a
// word that announces one.
var (
	jwtPattern             = regexp.MustCompile(`eyJ[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*){0,4}`)
	apiKeyPattern          = regexp.MustCompile(`(?:ek|sk|pk|rk|whsec|gh[opusr]|github_pat|glpat|xox[abeoprs]|AKIA|ASIA|AIza|ya29|parley\.ticket)[_\-.]?[A-Za-z0-9_\-]{16,}`)
	announcedSecretPattern = regexp.MustCompile(`(?i)(?:bearer|basic)[ +]+[A-Za-z0-9._~+/\-]{8,}=*|(?:token|secret|passw(?:or)?d|api[_\-]?key|authorization|credential|jwt)["']?[=:]["']?[^\s&;,"'/]{8,}`)
	// randomPattern is a run that only a machine writes: long, of capitals, small
	// letters and digits at once.
	randomPattern = regexp.MustCompile(`[A-Za-z0-9_\-+=]{20,}`)
	// digestPattern is a run of hex digits that is longer than an id of 128 bits.
	digestPattern = regexp.MustCompile(`[0-9a-fA-F]{40,}`)
)

// What looks personal. An e-mail address is found without being checked (RFC
// 5322 allows far more): what isn't one is masked all the same.
var (
	emailPattern          = regexp.MustCompile(`(?i)(?:"[^"]*"|[^\s@<>()\[\]",;:|/\\=]+)(?:(?:@+|\s?[(\[]at[)\]]\s?)(?:\[[^\]]*\]|[^\s@<>()\[\]",;:|/\\=]+))+`)
	ipv4Pattern           = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}`)
	ipv6Pattern           = regexp.MustCompile(`[0-9A-Fa-f:.]*[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*`)
	phonePattern          = regexp.MustCompile(`\+?\(?\d(?:[\-. ()/+_~*]{0,4}\d){6,}`)
	alreadyMaskedPattern  = regexp.MustCompile(`\d{1,3}\.\d{1,3}\.\d{1,3}\.•|(?:[0-9A-Fa-f]{1,4}:){0,3}:•`)
	uuidPattern           = regexp.MustCompile(`[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}`)
	parleyIDPattern       = regexp.MustCompile(`\b(?:sess|req|alert|rev)_[A-Za-z0-9]{10,40}\b|\b(?:[A-Z2-7]{26}|[a-z2-7]{26})\b`)
	prefixedIDPattern     = regexp.MustCompile(`\b(?:sess|req|alert|rev)_[A-Za-z0-9]{10,40}\b`)
	datePattern           = regexp.MustCompile(`\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+\-]\d\d:\d\d)?)?\b|\b(?:19|20)\d\d/(?:0[1-9]|1[0-2])/(?:0[1-9]|[12]\d|3[01])\b|\b(?:0[1-9]|[12]\d|3[01])[./](?:0[1-9]|1[0-2])[./](?:19|20)\d\d\b`)
	browserVersionPattern = regexp.MustCompile(`\b(?:AppleWebKit|Chrome|Chromium|HeadlessChrome|CriOS|Edg|EdgA|EdgiOS|Firefox|FxiOS|Gecko|Mobile|OPR|Safari|SamsungBrowser|Version|CFNetwork|Darwin)/(?:20100101\b|15E148\b|\d{1,4}(?:\.\d{1,4}){0,3}\b)`)
	objectIDPattern       = regexp.MustCompile(`\b[0-9a-f]{24}\b`)
)

func keepMatch(original, _ string) (string, bool) { return original, true }

// keepBetweenLetters keeps digits between letters; a number stands by itself.
func keepBetweenLetters(original, _ string) (string, bool) {
	return original, len(strings.FieldsFunc(original, unicode.IsDigit)) > 2
}

func hideMatch(string, string) (string, bool) { return hiddenText, true }

// Shapes are looked for in texts that can hold them.
func hasRunOf8(t textTraits) bool   { return t.longestRun >= 8 }
func hasRunOf14(t textTraits) bool  { return t.longestRun >= 14 }
func hasUUID(t textTraits) bool     { return t.longestRun >= 36 && t.dashes >= 4 }
func hasNumber(t textTraits) bool   { return t.digits >= minPhoneDigits }
func hasIPv4(t textTraits) bool     { return t.digits >= 4 && t.dots >= 3 }
func hasIPv6(t textTraits) bool     { return t.colons >= 2 }
func hasAt(t textTraits) bool       { return t.hasAt }
func hasMask(t textTraits) bool     { return t.isMasked }
func isAnnounced(t textTraits) bool { return t.isAnnounced || t.hasEquals || t.colons > 0 }

// apiKeyFinders are the tokens that can be told from an opaque id. Ids that say what
// they name come first: by chance one in thirty begins like a provider's key.
var apiKeyFinders = []patternFinder{{prefixedIDPattern, hasRunOf14, keepMatch}, {jwtPattern, hasRunOf8, hideMatch}, {apiKeyPattern, hasRunOf14, hideMatch}, {announcedSecretPattern, isAnnounced, hideMatch}}

// tokenFinders are all of them. Ids of Parley's own and UUIDs are none.
var tokenFinders = append(append([]patternFinder{}, apiKeyFinders...),
	patternFinder{uuidPattern, hasUUID, keepMatch}, patternFinder{parleyIDPattern, hasRunOf14, keepMatch}, patternFinder{randomPattern, hasRunOf14, hideRandom}, patternFinder{digestPattern, hasRunOf14, hideDigest})

// personFinders are found in what is left. What was masked already stays. Dates and the
// versions of browsers have as many digits as a phone number and are none.
var personFinders = []patternFinder{
	{alreadyMaskedPattern, hasMask, keepMatch}, {uuidPattern, hasUUID, keepMatch}, {parleyIDPattern, hasRunOf14, keepMatch}, {browserVersionPattern, hasNumber, keepMatch},
	{objectIDPattern, hasRunOf14, keepBetweenLetters},
	{emailPattern, hasAt, hideEmail}, {datePattern, hasNumber, keepMatch}, {ipv6Pattern, hasIPv6, hideIPv6}, {ipv4Pattern, hasIPv4, hideIPv4},
	{phonePattern, hasNumber, hidePhone},
}

// domainPattern is looked for in what follows the sign of an e-mail address.
var domainPattern = []patternFinder{{alreadyMaskedPattern, hasMask, keepMatch}, {ipv6Pattern, hasIPv6, hideIPv6}, {ipv4Pattern, hasIPv4, hideIPv4}, {phonePattern, hasNumber, hidePhone}}

func hideRandom(_, folded string) (string, bool) {
	lower := strings.ContainsAny(folded, "abcdefghijklmnopqrstuvwxyz")
	upper := strings.ContainsAny(folded, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	return hiddenText, lower && upper && strings.ContainsAny(folded, "0123456789")
}

func hideDigest(_, folded string) (string, bool) {
	return hiddenText, strings.ContainsAny(folded, "0123456789") && strings.ContainsAny(folded, "abcdefABCDEF")
}

// hideEmail leaves the domain, but for what stands in it.
func hideEmail(original, folded string) (string, bool) {
	if !strings.Contains(folded, "@") { // ada (at) example.com
		return firstLetter(original) + hiddenText, true
	}
	short := maskEmail(strings.TrimPrefix(original, `"`))
	at := strings.LastIndexAny(short, "@＠")
	_, size := utf8.DecodeRuneInString(short[at:])
	domain := short[at+size:]
	var out strings.Builder
	out.WriteString(short[:at+size])
	for _, p := range replaceAll([]textPiece{{text: domain}}, traitsOf(domain), domainPattern) {
		out.WriteString(p.text)
	}
	return out.String(), true
}

func hidePhone(original, _ string) (string, bool) { return maskPhone(original), true }

func hideIPv4(_, folded string) (string, bool) {
	_, err := netip.ParseAddr(folded)
	return maskAddress(folded), err == nil
}

// hideIPv6 masks the address that a run of groups holds, from the first group on
// that begins one: words before it may seem to be groups, and what follows it is
// no business of its reader. std::string is no address.
func hideIPv6(_, folded string) (string, bool) {
	if !strings.ContainsAny(folded, "0123456789") && len(strings.Trim(folded, ":.")) < 2 {
		return "", false
	}
	for first := range folded {
		if first > 0 && folded[first-1] != ':' && folded[first-1] != '.' && first != max(0, strings.IndexByte(folded, ':')-4) {
			continue
		}
		for last := len(folded); last > first+2; last-- {
			if last < len(folded) && folded[last] != ':' && folded[last] != '.' {
				continue
			}
			if ip, err := netip.ParseAddr(folded[first:last]); err == nil {
				return folded[:first] + maskAddress(ip.String()), true
			}
		}
	}
	return maskTrimmedIPv6(folded)
}

// maskTrimmedIPv6 is for an address that signs are glued to.
func maskTrimmedIPv6(folded string) (string, bool) {
	ip, err := netip.ParseAddr(trimIPv6Groups(folded))
	return maskAddress(ip.String()), err == nil
}

// trimIPv6Groups cuts the first and the last group to the four digits that a group
// may have.
func trimIPv6Groups(s string) string {
	s = strings.Trim(s, ".")
	first, last := strings.IndexByte(s, ':'), strings.LastIndexByte(s, ':')
	if first < 0 {
		return s
	}
	return s[max(0, first-4):min(len(s), last+5)]
}

// maskText replaces tokens and, where it is asked to, people. A text that says
// something only once it is decoded stands decoded in the answer.
func maskText(s string, withPeople bool, tokens []patternFinder) string {
	t := traitsOf(s)
	if t.isEncoded {
		if plain := decodeText(s); plain != s {
			if found := maskPlain(plain, traitsOf(plain), withPeople, tokens); found != plain {
				return found
			}
		}
	}
	return maskPlain(s, t, withPeople, tokens)
}

func maskPlain(s string, t textTraits, withPeople bool, tokens []patternFinder) string {
	pieces := replaceAll([]textPiece{{text: s}}, t, tokens)
	if withPeople {
		pieces = replaceAll(pieces, t, personFinders)
	}
	var out strings.Builder
	for _, p := range pieces {
		out.WriteString(p.text)
	}
	return out.String()
}

// A textPiece is a part of a text: found, or still to be looked at.
type textPiece struct {
	text  string
	found bool
}

func replaceAll(pieces []textPiece, t textTraits, finders []patternFinder) []textPiece {
	for _, f := range finders {
		if !f.isPossible(t) {
			continue
		}
		var next []textPiece
		for _, p := range pieces {
			if p.found {
				next = append(next, p)
			} else {
				next = f.split(next, p.text)
			}
		}
		pieces = next
	}
	return pieces
}

// split appends the pieces of a text, what was found among what was not.
func (f patternFinder) split(pieces []textPiece, text string) []textPiece {
	folded, origin := foldText(text)
	done := 0
	for _, at := range f.pattern.FindAllStringIndex(folded, -1) {
		from, to := origin(at[0]), origin(at[1])
		replacement, ok := f.replace(text[from:to], folded[at[0]:at[1]])
		if !ok || from < done {
			continue
		}
		if from > done {
			pieces = append(pieces, textPiece{text: text[done:from]})
		}
		pieces = append(pieces, textPiece{replacement, true})
		done = to
	}
	if done < len(text) {
		pieces = append(pieces, textPiece{text: text[done:]})
	}
	return pieces
}

// foldText writes a text in the signs that shapes are made of: digits of any script
// as ASCII digits, full-width letters as ASCII, every dash, space and invisible
// sign as one of its kind. origin tells where a byte of it came from.
func foldText(s string) (folded string, origin func(int) int) {
	if isASCII(s) {
		return s, func(i int) int { return i }
	}
	var out strings.Builder
	from := make([]int, 0, len(s)+1)
	for i, r := range s {
		n, _ := out.WriteRune(foldRune(r))
		for range n {
			from = append(from, i)
		}
	}
	from = append(from, len(s))
	return out.String(), func(i int) int { return from[i] }
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case r >= 0xFF01 && r <= 0xFF5E: // full-width forms
		return r - 0xFF01 + '!'
	case unicode.Is(unicode.Nd, r):
		return '0' + digitValue(r)
	case unicode.Is(unicode.Pd, r), r == '−', unicode.Is(unicode.Cf, r):
		return '-'
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return r
}

// The mathematical digits stand in five rows of ten without a gap (Unicode
// §22.3); every other script has ten in a row, and its zero first (§4.6).
const firstMathDigit, lastMathDigit = 0x1D7CE, 0x1D7FF

func digitValue(r rune) rune {
	if r >= firstMathDigit && r <= lastMathDigit {
		return (r - firstMathDigit) % 10
	}
	var n rune
	for unicode.Is(unicode.Nd, r-n-1) {
		n++
	}
	return n
}
