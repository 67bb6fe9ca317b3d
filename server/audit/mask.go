package audit

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"parley/shared/rest"
)

// Limits of a line.
const (
	// MaxField bounds its texts, in characters: none of ours comes near.
	MaxField = 300
	// MaxText bounds a text in its details, which may be the address of a webhook.
	MaxText = 2048
	// MaxDetails bounds its details in bytes: the largest request twice, old and
	// new, and the ids of a page of 500 besides.
	MaxDetails = 256 << 10
	// leastID is the number of digits from which a number names a row and not a
	// person: E.164 has none beyond 15.
	leastID = 16
)

// ErrDetails: details that can't be kept. It is a defect of the caller.
var ErrDetails = errors.New("audit details can't be kept")

// Mask takes people out of texts; in a server without privacy mode it gives
// them back as they are.
type Mask interface {
	Address(string) string
	Person(string) string
	Path(string) string
	Text(string) string
}

// maskedNames are the keys in details whose values are names that the server itself
// made. They may hold long runs of digits and are masked as a person's name is,
// not as what a person wrote.
var maskedNames = map[string]bool{
	"id": true, "ids": true, "session": true, "sessions": true, "alert": true, "alerts": true, "rule": true, "rules": true,
	"request_id": true, "cursor": true, "next_cursor": true, "resource": true, "stream": true, "jti": true, "user_key": true,
	"anchor_hash": true, "hash": true,
}

// filters is the key in details of what an admin asked for, in their own words.
const filters = "filters"

// prepare makes a line fit to be kept: filled in, without people, without
// anything that isn't seen when it is read.
func (l *Log[Tx]) prepare(e rest.AuditEntry) (rest.AuditEntry, error) {
	m := l.cfg.Mask
	kept := rest.AuditEntry{
		T: e.T, Action: e.Action, Outcome: e.Outcome, Node: e.Node,
		Actor:     cutText(m.Person(visible(e.Actor)), MaxField),
		ActorOrg:  cutText(visible(e.ActorOrg), MaxField),
		Org:       cutText(visible(e.Org), MaxField),
		Remote:    cutText(m.Address(visible(e.Remote)), MaxField),
		Target:    cutText(maskTarget(m, visible(e.Target)), MaxField),
		Reason:    cutText(m.Text(visible(e.Reason)), MaxField),
		RequestID: cutText(m.Person(visible(e.RequestID)), MaxField),
	}
	if kept.T.IsZero() {
		kept.T = l.cfg.Now()
	}
	kept.T = kept.T.UTC().Truncate(time.Millisecond)
	if kept.Node == "" {
		kept.Node = l.cfg.Node
	}
	if kept.Outcome == "" {
		kept.Outcome = Done
	}
	var err error
	kept.Details, err = maskDetails(m, e.Details)
	return kept, err
}

// maskTarget: a target is a path, a name, or words.
func maskTarget(m Mask, s string) string {
	switch {
	case strings.HasPrefix(s, "/"):
		return m.Path(s)
	case strings.ContainsRune(s, ' '):
		return m.Text(s)
	}
	return m.Person(s)
}

func maskDetails(m Mask, details map[string]any) (map[string]any, error) {
	if len(details) == 0 {
		return nil, nil
	}
	plain, err := normalized(details)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDetails, err)
	}
	masked := maskValue(m, "", plain).(map[string]any)
	text, err := encode(masked)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDetails, err)
	}
	if len(text) > MaxDetails {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrDetails, len(text), MaxDetails)
	}
	return masked, nil
}

// maskValue masks a value of details and all that is in it. The keys of a map
// may be data, too.
func maskValue(m Mask, key string, v any) any {
	switch v := v.(type) {
	case string:
		return cutText(maskText(m, key, visible(v)), MaxText)
	case []any:
		for i := range v {
			v[i] = maskValue(m, key, v[i])
		}
	case map[string]any:
		masked := make(map[string]any, len(v))
		for k, value := range v {
			holds := k
			if key == filters {
				holds = "" // whatever a session is asked for by, it need not be one
			}
			masked[cutText(maskText(m, "", visible(k)), MaxField)] = maskValue(m, holds, value)
		}
		return masked
	}
	return v
}

func maskText(m Mask, key, s string) string {
	switch {
	case isTime(s), isRow(s):
		return s
	case strings.HasPrefix(s, "/"):
		return m.Text(m.Path(s))
	case maskedNames[key] && !strings.ContainsRune(s, ' '):
		return m.Person(s)
	}
	return m.Text(s)
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isRow(s string) bool {
	return len(s) >= leastID && strings.Trim(s, "0123456789") == ""
}

// visible leaves out what isn't seen: control and format characters, of which
// those for direction turn a text around, and those of no width hide a number
// from the mask. Any space becomes a plain one. A joiner between letters that have
// no case is spelling, as in علی‌رضا, and stays.
func visible(s string) string {
	in, out := []rune(s), make([]rune, 0, len(s))
	for i, r := range in {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case unicode.Is(unicode.Join_Control, r):
			if i == 0 || i+1 == len(in) || !isCaseless(in[i-1]) || !isCaseless(in[i+1]) {
				continue
			}
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

func isCaseless(r rune) bool { return unicode.In(r, unicode.Lo, unicode.M) }

// cutText comes after masking: half of a number would not be taken for one.
func cutText(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i]
		}
		n++
	}
	return s
}
