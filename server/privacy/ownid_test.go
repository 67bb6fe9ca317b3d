package privacy_test

import (
	"testing"

	"parley/server/privacy"
)

// What names a session or a request stays, even where it happens to look like
// the key of a provider: the record is searched by it.
func TestOwnIDsStay(t *testing.T) {
	p, err := privacy.New(privacy.Config{On: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{
		"sess_ek4tj7yqoykeo77omkzqwwelaw", "sess_fghpsqbfhxm6dnp2hrkeikcjmv", "sess_io2bnthpkcmz7gu6eaactr6wr6",
		"req_SK7QAKIA2ASIA3AIZAYA", "sess_2345672345672345672345672a",
	} {
		for _, text := range []string{id, "/api/v1/monitoring/sessions/" + id + "/end", "ended " + id + " by hand"} {
			for name, mask := range map[string]func(string) string{"a subject": p.Person, "a text": p.Text, "a path": p.Path} {
				if got := mask(text); got != text {
					t.Errorf("as %s %q is %q", name, text, got)
				}
			}
		}
	}
	for _, secret := range []string{"ek_4tj7yqoykeo77omkzqwwelaw", "sk-abcdefghijklmnopqrstuvwxyz"} {
		if got := p.Person(secret); got == secret {
			t.Errorf("%q stays", secret)
		}
	}
}
