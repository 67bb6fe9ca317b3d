package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The joiners shape letters and emoji, and show nothing by themselves.
const (
	zwnj = '\u200c' // ZERO WIDTH NON-JOINER
	zwj  = '\u200d' // ZERO WIDTH JOINER
)

// isPlainText reports whether s is short and has only characters that show, and
// joiners where they are spelling.
func isPlainText(s string) bool {
	return utf8.RuneCountInString(s) <= MaxText && RemoveInvisible(s) == s
}

// displayName makes a name safe to show and log: people's names come from
// outside, and a name alone is no reason to refuse its owner.
func displayName(s string) string {
	s = strings.TrimSpace(RemoveInvisible(s))
	if r := []rune(s); len(r) > MaxText {
		s = strings.TrimRight(string(r[:MaxText]), string([]rune{zwnj, zwj}))
	}
	return s
}

// RemoveInvisible takes out the characters of s that don't show: controls and those of
// format, bidirectional overrides and zero-width ones among them. A joiner stays
// where a script needs it: the name علی‌رضا is spelled with one.
func RemoveInvisible(s string) string {
	in, out := []rune(s), make([]rune, 0, len(s))
	for i, r := range in {
		switch {
		case r == zwnj || r == zwj:
			if len(out) == 0 || !isJoinerSpelling(r, out[len(out)-1], firstRune(in[i+1:])) {
				continue
			}
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp), r == utf8.RuneError:
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

func firstRune(rest []rune) rune {
	if len(rest) == 0 {
		return 0
	}
	return rest[0]
}

// isJoinerSpelling reports whether a joiner between before and after is spelling, after the
// rules of RFC 5892 Appendix A.1 and A.2, and for emoji those of UTS #51 §2.3:
// after a virama, between letters of a joining script, or (ZWJ) between pictures.
func isJoinerSpelling(joiner, before, after rune) bool {
	switch {
	case isVirama(before):
		return true
	case unicode.In(before, joiningScripts()...) && unicode.In(after, joiningScripts()...):
		return !unicode.IsDigit(before) && !unicode.IsDigit(after)
	}
	return joiner == zwj && (isPicture(before) || isModifier(before)) && isPicture(after)
}

// joiningScripts write letters in forms that depend on their neighbours.
func joiningScripts() []*unicode.RangeTable {
	return []*unicode.RangeTable{
		unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Nko, unicode.Mongolian, unicode.Phags_Pa,
		unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
		unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar,
	}
}

// isVirama tells the signs that join two consonants (canonical combining class
// 9) of the scripts above.
func isVirama(r rune) bool {
	switch r {
	case '\u094d', '\u09cd', '\u0a4d', '\u0acd', '\u0b4d', '\u0bcd', '\u0c4d', '\u0ccd', '\u0d4d', '\u0dca', '\u17d2', '\u1039', '\u103a':
		return true
	}
	return false
}

// isPicture tells the symbols that emoji are made of.
func isPicture(r rune) bool { return unicode.Is(unicode.So, r) }

// isModifier tells what may follow a picture within an emoji: its variation
// selector and the tones of skin.
func isModifier(r rune) bool { return r == '\ufe0f' || r >= '\U0001f3fb' && r <= '\U0001f3ff' }
