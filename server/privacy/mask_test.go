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
		"path with a session":       {p.Path, "/api/v1/sessions/oqwzz4fk7n2234567777aaaa66", "/api/v1/sessions/oqwzz4fk7n2234567777aaaa66"},
		"path, escaped twice":       {p.Path, "/users/ada%2540example.com", "/users/a•••@example.com"},
		"path, beside a stray sign": {p.Path, "/100%/ada%40example.com", "/100%/a•••@example.com"},
		"path, phone escaped":       {p.Path, "/call/%2B90%20555%20123%2045%2034", "/call/+90•••34"},
		"path with a key":           {p.Path, "/v1/sk-proj-abcdefghijklmnop1234/x", "/v1/•••/x"},
		"phone before an address":   {p.Text, "+90 555 123 45 34 203.0.113.7", "+90•••34 203.0.113.•"},
		"phone after an address":    {p.Text, "203.0.113.7 05551234534", "203.0.113.• 055•••34"},
		"phone glued to an address": {p.Text, "+905551234534,203.0.113.7", "+90•••34,203.0.113.•"},
		"phone in words":            {p.Text, "call(0555)123-4534now", "call(05•••34now"},
		"phone, Persian digits":     {p.Text, "تلفن ۰۹۱۲۳۴۵۶۷۸۹ است", "تلفن ۰۹۱•••۸۹ است"},
		"phone, Arabic digits":      {p.Text, "٠٥٥٥١٢٣٤٥٣٩", "٠٥٥•••٣٩"},
		"phone, full width":         {p.Text, "＋９０５５５１２３４５３４", "＋９０•••３４"},
		"phone, hidden joiners":     {p.Text, "+90\u200b555\u200b1234534", "+90•••34"},
		"phone, long dashes":        {p.Text, "0555–123–4534", "055•••34"},
		"subject: phone inside":     {p.Person, "acme-905551234534-eu", "acme-905•••34-eu"},
		"subject: number glued":     {p.Person, "user905551234534", "user905•••34"},
		"subject: address":          {p.Person, "host|203.0.113.7", "host|203.0.113.•"},
		"subject: opaque, mixed":    {p.Person, "Zk3uXYv8aGh2LmN4pQrS6tUvWx1Y", "Zk3uXYv8aGh2LmN4pQrS6tUvWx1Y"},
		"subject: hex":              {p.Person, "auth0|5f7c8ec7c33c6c004bbafe82", "auth0|5f7c8ec7c33c6c004bbafe82"},
		"name with an e-mail":       {p.Text, "Ada <ada@example.com>", "Ada <a•••@example.com>"},
		"name with joiners":         {p.Text, "علی\u200cرضا", "علی\u200cرضا"},
		"e-mail, full-width at":     {p.Text, "ada＠example.com", "a•••＠example.com"},
		"IPv6 in words":             {p.Text, "from 2001:db8:1:2::7.", "from 2001:db8:1::•"},
		"IPv6 in brackets":          {p.Text, "[2001:db8:1:2::7]:443", "[2001:db8:1::•]:443"},
		"IPv4 escaped":              {p.Text, "203%2E0%2E113%2E7", "203.0.113.•"},
		"a date":                    {p.Text, "on 2026-11-25 at 20:11:05", "on 2026-11-25 at 20:11:05"},
		"a date, other way":         {p.Text, "since 25.11.2026", "since 25.11.2026"},
		"a number before a date":    {p.Text, "05551234534 2026-11-25", "055•••34 2026-11-25"},
		"a version":                 {p.Text, "parley v1.12.3 (go1.26.8)", "parley v1.12.3 (go1.26.8)"},
		"a browser": {p.Text, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 Chrome/120.0.6099.109 Safari/537.36",
			"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 Chrome/120.0.6099.109 Safari/537.36"},
		"a request id": {p.Text, "see req_ABCDEFGHIJ234567", "see req_ABCDEFGHIJ234567"},
		"a mask":       {p.Text, "a•••@example.com +90•••34 203.0.113.• 2001:db8:1::•", "a•••@example.com +90•••34 203.0.113.• 2001:db8:1::•"},
		"an IPv4 mask": {p.Address, "203.0.113.•", "203.0.113.•"},
		"an IPv6 mask": {p.Address, "2001:db8:1::•", "2001:db8:1::•"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.mask(c.in); got != c.want {
				t.Errorf("%q is masked as %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// Tokens are no people: they are taken out whatever the mode.
func TestTokensAreTakenOutInEitherMode(t *testing.T) {
	const jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLXRoaXM"
	for _, on := range []bool{true, false} {
		p := newPrivacy(t, on)
		for name, c := range map[string]struct {
			mask     func(string) string
			in, want string
		}{
			"a JWT in a path":        {p.Path, "/sign-in/" + jwt, "/sign-in/•••"},
			"its beginning alone":    {p.Text, "Bot/1 " + jwt[:36] + " x", "Bot/1 ••• x"},
			"a JWT, escaped":         {p.Path, "/sign-in/" + strings.ReplaceAll(jwt, ".", "%2E"), "/sign-in/•••"},
			"a JWT as a subject":     {p.Person, jwt, "•••"},
			"an ephemeral key":       {p.Text, "client ek_68af296e8e408191a1120ab6383263c2 is mine", "client ••• is mine"},
			"a provider's key":       {p.Text, "sk-proj-Ab3dEfGhIjKlMnOpQrStUv", "•••"},
			"behind bearer":          {p.Text, "curl Bearer abcdef0123456789", "curl •••"},
			"behind a name":          {p.Path, "/x/token=abcdefgh12", "/x/•••"},
			"random":                 {p.Text, "my Zk3uXYv8aGh2LmN4pQrS6tUvWx1Y", "my •••"},
			"a ticket":               {p.Text, "parley.ticket.ABCDEFGHIJKLMNOP234567", "•••"},
			"not: a word":            {p.Text, "internationalization-of-everything", "internationalization-of-everything"},
			"not: an id of a page":   {p.Path, "/api/v1/monitoring/alerts/ABCDEFGHIJKLMNOPQRSTUVWXYZ/acknowledge", "/api/v1/monitoring/alerts/ABCDEFGHIJKLMNOPQRSTUVWXYZ/acknowledge"},
			"not: a UUID":            {p.Text, "550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"},
			"not: a hashed asset":    {p.Path, "/web/app.wasm", "/web/app.wasm"},
			"not: the word a bearer": {p.Text, "the bearer of news", "the bearer of news"},
		} {
			if got := c.mask(c.in); got != c.want {
				t.Errorf("privacy %v, %s: %q is %q, want %q", on, name, c.in, got, c.want)
			}
		}
	}
}

func TestMaskingTwiceIsMaskingOnce(t *testing.T) {
	p := newPrivacy(t, true)
	for _, s := range []string{
		"ada@example.com", "+905551234534", "203.0.113.7", "2001:db8:1:2::7", "call 0555 123 45 34 from 10.1.2.3, ada@example.com",
		"acme|+90-555-1234534", "۰۹۱۲۳۴۵۶۷۸۹", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
	} {
		for name, mask := range map[string]func(string) string{"text": p.Text, "person": p.Person, "path": p.Path, "address": p.Address, "phone": p.Phone, "email": p.Email} {
			once := mask(s)
			if twice := mask(once); twice != once {
				t.Errorf("%s of %q is %q, and again %q", name, s, once, twice)
			}
		}
	}
}

func BenchmarkTextOfABrowser(b *testing.B) {
	p := newPrivacy(b, true)
	for b.Loop() {
		p.Text("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36")
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
	// What stays although it has digits: ids, and versions of browsers.
	stays = regexp.MustCompile(`[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|(?:sess|req|alert|rev)_[A-Za-z0-9]{10,40}|[A-Z2-7]{26}|[a-z2-7]{26}|[A-Za-z]+/[0-9A-Z.]+`)
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
		if got := p.Text(s); longNumber.MatchString(stays.ReplaceAllString(got, " ")) {
			t.Errorf("text of %q leaves a number: %q", s, got)
		}
		if got := p.Address(s); ipv4Shape.MatchString(got) {
			t.Errorf("address of %q leaves it: %q", s, got)
		}
	})
}
