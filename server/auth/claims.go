package auth

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// claims are those we read. golang-jwt checks the registered ones, after
// preCheck held them to their types.
type claims struct {
	jwt.RegisteredClaims
	optionalClaims
}

// optionalClaims are claims that a token may do without. What isn't a plain
// value of the right type under the exact name is as if it weren't there.
type optionalClaims struct {
	Name          string `json:"name,omitempty"`
	Phone         string `json:"phone,omitempty"`
	Email         string `json:"email,omitempty"`
	Mode          string `json:"mode,omitempty"`
	Org           string `json:"org,omitempty"`
	Role          string `json:"role,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
	PhoneVerified bool   `json:"phone_number_verified,omitempty"`
}

// UnmarshalJSON reads the claims by their exact names: encoding/json would take
// "Role" for the role.
func (c *claims) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &c.RegisteredClaims); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	c.optionalClaims = optionalClaims{
		Name: stringClaim(all["name"]), Mode: stringClaim(all["mode"]),
		Phone: plainClaim(all["phone"]), Email: plainClaim(all["email"]),
		Org: orgClaim(all["org"]), Role: plainClaim(all["role"]),
		EmailVerified: isTrue(all["email_verified"]),
		PhoneVerified: isTrue(all["phone_number_verified"]),
	}
	c.addPhoneNumber(plainClaim(all["phone_number"]))
	return nil
}

// addPhoneNumber takes the name that OpenID Connect gives the phone. It is what
// phone_number_verified speaks of, so a phone beside it that differs is not.
func (c *optionalClaims) addPhoneNumber(number string) {
	switch {
	case c.Phone == "":
		c.Phone = number
	case number != "" && number != c.Phone:
		c.PhoneVerified = false
	}
}

// stringClaim is the string in raw, or "" for anything else.
func stringClaim(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// plainClaim is stringClaim for what is compared, logged and shown: a text with hidden
// characters, or an endless one, says nothing.
func plainClaim(raw json.RawMessage) string {
	if s := stringClaim(raw); isPlainText(s) {
		return s
	}
	return ""
}

// orgClaim is plainClaim but for spaces: around a name they would make two of one that
// look alike.
func orgClaim(raw json.RawMessage) string {
	if s := plainClaim(raw); strings.TrimSpace(s) == s {
		return s
	}
	return ""
}

func isTrue(raw json.RawMessage) bool { return bytes.Equal(raw, []byte("true")) }
