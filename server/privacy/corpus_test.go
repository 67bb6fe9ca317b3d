package privacy_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"os"
	"strings"
	"testing"
)

// corpus is what must not survive, how it is written, and what must stay.
type corpus struct {
	Forms, Tokens    []form
	Around, Ordinary []string
}

type form struct {
	Text     string
	Secrets  []string
	IsRandom bool // an opaque id of a person may look alike: it stays in a subject
}

func readCorpus(t testing.TB) (c corpus) {
	t.Helper()
	data, err := os.ReadFile("testdata/corpus.json")
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// encodings are the ways in which a text reaches a path or a field.
var encodings = map[string]func(string) string{
	"plain":           func(s string) string { return s },
	"percent":         url.PathEscape,
	"query":           url.QueryEscape,
	"percent twice":   func(s string) string { return url.PathEscape(url.PathEscape(s)) },
	"percent 3 times": func(s string) string { return url.PathEscape(url.PathEscape(url.PathEscape(s))) },
	"every byte": func(s string) string {
		var out strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&out, "%%%02x", s[i])
		}
		return out.String()
	},
	"HTML": func(s string) string {
		var out strings.Builder
		for _, r := range s {
			fmt.Fprintf(&out, "&#%d;", r)
		}
		return out.String()
	},
}

// plainest undoes what a curious reader would undo.
func plainest(s string) string {
	for range 8 {
		next, err := url.PathUnescape(html.UnescapeString(s))
		if err != nil {
			return s
		}
		s = next
	}
	return s
}

func TestNothingOfTheCorpusSurvives(t *testing.T) {
	c := readCorpus(t)
	for _, on := range []bool{true, false} {
		p := newPrivacy(t, on)
		masks := map[string]func(string) string{"text": p.Text, "person": p.Person, "path": p.Path}
		forms := c.Tokens
		if on {
			forms = append(forms, c.Forms...)
		}
		for _, f := range forms {
			for _, around := range c.Around {
				for encoding, encode := range encodings {
					in := fmt.Sprintf(around, f.Text)
					for name, mask := range masks {
						if f.IsRandom && name == "person" {
							continue
						}
						got := mask(encode(in))
						for _, secret := range f.Secrets {
							if strings.Contains(plainest(got), secret) || strings.Contains(strings.ReplaceAll(plainest(got), "+", " "), secret) {
								t.Errorf("privacy %v, %s, %s: %q leaves %q: %q", on, encoding, name, in, secret, got)
							}
						}
						if again := mask(got); again != got && encoding == "plain" && !strings.HasPrefix(f.Text, `"`) {
							t.Errorf("%s masks %q again: %q", name, got, again)
						}
					}
				}
			}
		}
	}
}

func TestOrdinaryTextStaysReadable(t *testing.T) {
	p := newPrivacy(t, true)
	for _, text := range readCorpus(t).Ordinary {
		for name, mask := range map[string]func(string) string{"text": p.Text, "person": p.Person, "path": p.Path} {
			isProgram := strings.Contains(text, "/") && !strings.HasPrefix(text, "/")
			if name == "path" && isProgram { // a path is split by slashes
				continue
			}
			if got := mask(text); got != text {
				t.Errorf("%s of %q is %q", name, text, got)
			}
		}
	}
}

func TestMasksComeBeforeTheBoundOfALongText(t *testing.T) {
	p := newPrivacy(t, true)
	for length := 16<<10 - 40; length < 16<<10+2; length++ {
		got := p.Text(strings.Repeat("a ", length/2) + strings.Repeat("b", length%2) + " +90 555 123 45 34 ada@example.com")
		if strings.Contains(got, "555 12") || strings.Contains(got, "ada@") {
			t.Fatalf("cut after %d bytes: …%q", length, got[len(got)-60:])
		}
	}
}
