package reload

import (
	"fmt"
	"strings"
	"sync/atomic"

	"parley/server/auth"
)

// MinToken is the fewest characters of a Token: what can't be guessed at any rate
// that a network has.
const MinToken = 16

// Token is a bearer token. One of a file may change while the server runs.
type Token struct {
	name, file string
	value      atomic.Pointer[string]
}

// FixedToken makes a token that stays as it is; name is of where it came from.
func FixedToken(name, value string) (*Token, error) {
	t := newToken(name, "")
	return t, t.set(value)
}

// LoadToken reads a token from a file; name is of the flag that names the file.
func LoadToken(name, file string) (*Token, error) {
	t := newToken(name, file)
	_, err := t.Reload()
	return t, err
}

// NoToken makes a token that is never asked for: its value is empty.
func NoToken() *Token { return newToken("", "") }

func newToken(name, file string) *Token {
	t := &Token{name: name, file: file}
	t.value.Store(new(string))
	return t
}

// Value returns the token as it is now; "" where there is none.
func (t *Token) Value() string { return *t.value.Load() }

// Reload takes up the file as it is now, if it has a token that may be one.
func (t *Token) Reload() (changed bool, err error) {
	raw, err := auth.ReadPrivateFile(t.file)
	if err != nil {
		return false, fmt.Errorf("%s: %w", t.name, err)
	}
	before := t.Value()
	err = t.set(string(raw))
	return t.Value() != before, err
}

func (t *Token) set(value string) error {
	if value = strings.TrimSpace(value); len(value) < MinToken {
		return fmt.Errorf("%s has %d characters: write %d or more", t.name, len(value), MinToken)
	}
	t.value.Store(&value)
	return nil
}
