package privacy_test

import (
	"regexp"
	"strings"
	"testing"

	"parley/server/privacy"
)

func newPrivacy(t testing.TB, on bool) *privacy.Privacy {
	t.Helper()
	p, err := privacy.New(privacy.Config{On: on, Key: []byte("0123456789abcdef0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMasks(t *testing.T) {
	p := newPrivacy(t, true)
	cases := map[string]struct {
		mask     func(string) string
		in, want string
	}{
		"IPv4":                      {p.Address, "203.0.113.7", "203.0.113.•"},
		"IPv4 with port":            {p.Address, "203.0.113.7:4711", "203.0.113.•"},
		"IPv6":                      {p.Address, "2001:db8:1:2::7", "2001:db8:1::•"},
		"IPv6 with port":            {p.Address, "[2001:db8:1:2::7]:80", "2001:db8:1::•"},
		"IPv6 with zone":            {p.Address, "fe80::1%eth0", "fe80::•"},
		"mapped IPv4":               {p.Address, "::ffff:203.0.113.7", "203.0.113.•"},
		"loopback":                  {p.Address, "::1", "::•"},
		"no address":                {p.Address, "ada's phone", "•••"},
		"no remote":                 {p.Address, "", ""},
		"e-mail":                    {p.Email, "ada@example.com", "a•••@example.com"},
		"e-mail of one letter":      {p.Email, "a@example.com", "a•••@example.com"},
		"e-mail with two ats":       {p.Email, "a@b@example.com", "a•••@example.com"},
		"e-mail without at":         {p.Email, "ada", "•••"},
		"phone":                     {p.Phone, "+905551234534", "+90•••34"},
		"short phone":               {p.Phone, "112", "•••"},
		"subject: e-mail":           {p.Person, "ada@example.com", "a•••@example.com"},
		"subject: phone":            {p.Person, "+905551234534", "+90•••34"},
		"subject: phone, no plus":   {p.Person, "905551234534", "905•••34"},
		"subject: phone, scheme":    {p.Person, "tel:+90-555-123-4534", "tel:+90•••34"},
		"subject: provider, e-mail": {p.Person, "oidc|ada@example.com", "oidc|a•••@example.com"},
		"subject: opaque":           {p.Person, "user-42", "user-42"},
		"subject: six digits":       {p.Person, "123456", "123456"},
		"subject: seven digits":     {p.Person, "1234567", "123•••67"},
		"subject: uuid":             {p.Person, "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"},
		"reason":                    {p.Text, "ada@example.com called from 203.0.113.7, reach her at +90 555 123 45 34", "a•••@example.com called from 203.0.113.•, reach her at +90•••34"},
		"reason with a time":        {p.Text, "maintenance at 12:30, back by 14:00", "maintenance at 12:30, back by 14:00"},
		"path with a person":        {p.Path, "/api/v1/monitoring/users/ada@example.com/revoke", "/api/v1/monitoring/users/a•••@example.com/revoke"},
		"path, escaped":             {p.Path, "/users/ada%40example.com/revoke", "/users/a•••@example.com/revoke"},
		"path with a session":       {p.Path, "/api/v1/sessions/sess_i4yk2s", "/api/v1/sessions/sess_i4yk2s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.mask(c.in); got != c.want {
				t.Errorf("%q is masked as %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestOutOfPrivacyModeNothingIsMasked(t *testing.T) {
	p := newPrivacy(t, false)
	for name, mask := range map[string]func(string) string{"email": p.Email, "phone": p.Phone, "person": p.Person, "text": p.Text, "path": p.Path} {
		if got := mask("ada@example.com"); got != "ada@example.com" {
			t.Errorf("%s masks %q with privacy off", name, got)
		}
	}
	if got := p.Address("203.0.113.7:4711"); got != "203.0.113.7" {
		t.Errorf("address is %q with privacy off, want it without its port", got)
	}
	p.Set(true)
	if got := p.Address("203.0.113.7:4711"); got != "203.0.113.•" {
		t.Errorf("address is %q once privacy is on again", got)
	}
}

func TestUserKeys(t *testing.T) {
	p, same := newPrivacy(t, true), newPrivacy(t, false)
	other, err := privacy.New(privacy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	key := p.UserKey("ada@example.com")
	if len(key) != 32 || strings.Contains(key, "ada") {
		t.Errorf("the key is %q, want 16 bytes in hex", key)
	}
	if key != same.UserKey("ada@example.com") {
		t.Error("the key differs between modes: the owner's calls would be lost")
	}
	if key == p.UserKey("Ada@example.com") || key == other.UserKey("ada@example.com") {
		t.Error("another person, or another server, has the same key")
	}
}

// What may never be left after masking: the shape of an e-mail address, of a
// full IPv4 address, and a long run of digits.
var (
	emailShape = regexp.MustCompile(`[A-Za-z0-9._%+-]{2,}@[A-Za-z0-9]`)
	ipv4Shape  = regexp.MustCompile(`\b(?:[1-9]\d{0,2})\.(?:\d{1,3})\.(?:\d{1,3})\.(?:[1-9]\d{0,2})\b`)
	longNumber = regexp.MustCompile(`\+?\d{7,}`)
)

func FuzzMasking(f *testing.F) {
	p := newPrivacy(f, true)
	for _, seed := range []string{
		"ada@example.com", "call +90 555 123 45 34", "from 203.0.113.7:80", "2001:db8::7", "a@b@c", "@@", "1.2.3.4.5",
		"tel:+905551234534|ada@example.com", "….•@•", "１２３４５６７",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, got := range map[string]string{"text": p.Text(s), "person": p.Person(s)} {
			if found := emailShape.FindString(got); found != "" {
				t.Errorf("%s of %q leaves an e-mail address: %q", name, s, got)
			}
		}
		if got := p.Text(s); longNumber.MatchString(got) {
			t.Errorf("text of %q leaves a number: %q", s, got)
		}
		if got := p.Address(s); ipv4Shape.MatchString(got) {
			t.Errorf("address of %q leaves it: %q", s, got)
		}
	})
}
