package oidc

import (
	"encoding/json"

	"parley/server/auth"
)

// claimSet is what a provider says of somebody, by the claims' names.
type claimSet map[string]json.RawMessage

func (s claimSet) isMissing(name string) bool { return len(s[name]) == 0 || string(s[name]) == "null" }

// add takes the claims that aren't there yet: those of the ID token are signed.
func (s claimSet) add(more interface{ Claims(any) error }) error {
	var others claimSet
	if err := more.Claims(&others); err != nil {
		return err
	}
	for name, value := range others {
		if s.isMissing(name) {
			s[name] = value
		}
	}
	return nil
}

// claims reads the standard ones (OpenID Connect Core §5.1) and those that the
// configuration names. One of another type is as if it weren't there.
func (s claimSet) claims(c Config) auth.ProviderClaims {
	return auth.ProviderClaims{
		Name: s.text("name"), Email: s.text("email"), Phone: s.text("phone_number"),
		EmailVerified: s.isTrue("email_verified"), PhoneVerified: s.isTrue("phone_number_verified"),
		Org: s.text(c.OrgClaim), Groups: s.texts(c.GroupClaim), Session: s.text("sid"),
	}
}

func (s claimSet) text(name string) (text string) {
	if json.Unmarshal(s[name], &text) != nil {
		return ""
	}
	return text
}

func (s claimSet) isTrue(name string) bool { return string(s[name]) == "true" }

// texts reads a list, or the one that stands for itself.
func (s claimSet) texts(name string) (texts []string) {
	if json.Unmarshal(s[name], &texts) == nil {
		return texts
	}
	if one := s.text(name); one != "" {
		return []string{one}
	}
	return nil
}
