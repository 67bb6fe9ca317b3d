package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/auth"
)

var testSecret = []byte("k7Qw2mZ9xVtR4bNc8JpLs3HdYf6GaE1u")

// now is the moment of all tokens of these tests.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newAuth(t testing.TB, change func(*auth.Config)) *auth.Auth {
	t.Helper()
	c := auth.Config{Secret: testSecret, Now: func() time.Time { return now }}
	if change != nil {
		change(&c)
	}
	a, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a token of any two texts, as somebody with the secret could.
func sign(header, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, testSecret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const header = `{"alg":"HS256","typ":"JWT"}`

// payload is that of a good token, with more members after it.
func payload(more string) string {
	return fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":"alice","iat":%d,"exp":%d%s}`,
		now.Unix(), now.Add(time.Hour).Unix(), more)
}

// times is a good payload but for its dates.
func times(dates string) string {
	return `{"iss":"parley","aud":"parley","sub":"alice",` + dates + `}`
}

func subject(quoted string) string {
	return fmt.Sprintf(`{"iss":"parley","aud":"parley","sub":%s,"iat":%d,"exp":%d}`,
		quoted, now.Unix(), now.Add(time.Hour).Unix())
}

func TestGoodTokens(t *testing.T) {
	a := newAuth(t, nil)
	for name, token := range map[string]string{
		"plain":              sign(header, payload("")),
		"no typ":             sign(`{"alg":"HS256"}`, payload("")),
		"a kid":              sign(`{"alg":"HS256","kid":"1"}`, payload("")),
		"others' claims":     sign(header, payload(`,"azp":"x","realm_access":{"roles":["a","b"]}`)),
		"several audiences":  sign(header, strings.Replace(payload(""), `"aud":"parley"`, `"aud":["x","parley"]`, 1)),
		"mode of its server": sign(header, payload(`,"mode":"production"`)),
		"every character":    sign(header, subject(`"!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`+"`"+`az{|}~"`)),
		"longest subject":    sign(header, subject(`"`+strings.Repeat("s", auth.MaxSubject)+`"`)),
		"longest life":       sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix(), now.Unix()+86400))),
		"just expired":       sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()-600, now.Unix()-59))),
		"issued just ahead":  sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()+60, now.Unix()+600))),
		"a jku":              sign(`{"alg":"HS256","jku":"https://evil.example/k"}`, payload("")),
		"an x5u":             sign(`{"alg":"HS256","x5u":"https://evil.example/k"}`, payload("")),
		"an x5c":             sign(`{"alg":"HS256","x5c":["AAAA"],"x5t":"AAAA"}`, payload("")),
		"a jwk":              sign(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, payload("")),
		"a typ of no use":    sign(`{"alg":"HS256","typ":null,"cty":1}`, payload("")),
		"nested deep":        sign(header, payload(`,"x":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000))),
		"fractions":          sign(header, times(fmt.Sprintf(`"iat":%d.5,"exp":%d.25`, now.Unix(), now.Unix()+600))),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := a.Verify(token); err != nil {
				t.Fatalf("refused: %v", err)
			}
		})
	}
}

// TestAttacks holds every way in that these libraries, or systems like this one,
// once left open.
func TestAttacks(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.Admins = []string{"root"} })
	good := sign(header, payload(""))
	parts := strings.Split(good, ".")
	exp := fmt.Sprint(now.Add(time.Hour).Unix())
	for name, token := range map[string]string{
		"empty":                         "",
		"only periods":                  "..",
		"periods without end":           strings.Repeat(".", 7000),
		"two parts":                     parts[0] + "." + parts[1],
		"four parts":                    good + ".x",
		"empty signature":               parts[0] + "." + parts[1] + ".",
		"empty header":                  "." + parts[1] + "." + parts[2],
		"another's signature":           parts[0] + "." + parts[1] + "." + strings.Split(sign(header, payload(`,"x":1`)), ".")[2],
		"cut signature":                 good[:len(good)-2],
		"padded":                        parts[0] + "=." + parts[1] + "." + parts[2],
		"line break in a part":          parts[0] + "." + parts[1][:4] + "\n" + parts[1][4:] + "." + parts[2],
		"stray bits in the last letter": malleable(good),
		"over 8 KiB":                    sign(header, payload(`,"pad":"`+strings.Repeat("x", 8<<10)+`"`)),
		"alg none":                      noneToken("none"),
		"alg None":                      noneToken("None"),
		"alg missing":                   sign(`{"typ":"JWT"}`, payload("")),
		"alg HS512":                     sign(`{"alg":"HS512"}`, payload("")),
		"alg RS256 with the secret":     sign(`{"alg":"RS256"}`, payload("")),
		"alg in another case":           sign(`{"Alg":"HS256","alg":"HS256"}`, payload("")),
		"alg twice":                     sign(`{"alg":"none","alg":"HS256"}`, payload("")),
		"alg a list":                    sign(`{"alg":["HS256"]}`, payload("")),
		"crit":                          sign(`{"alg":"HS256","crit":["exp"]}`, payload("")),
		"crit empty":                    sign(`{"alg":"HS256","crit":[]}`, payload("")),
		"b64":                           sign(`{"alg":"HS256","b64":false}`, payload("")),
		"zip":                           sign(`{"alg":"HS256","zip":"DEF"}`, payload("")),
		"header a list":                 sign(`[]`, payload("")),
		"sub twice":                     sign(header, payload(`,"sub":"root"`)),
		"sub twice, escaped":            sign(header, payload(`,"s\u0075b":"root"`)),
		"Sub":                           sign(header, payload(`,"Sub":"root"`)),
		"sub with a long s":             sign(header, payload(`,"\u017fub":"root"`)),
		"exp twice":                     sign(header, payload(`,"exp":`+exp)),
		"nested twice":                  sign(header, payload(`,"x":{"a":1,"a":2}`)),
		"exp in quotes":                 sign(header, times(fmt.Sprintf(`"iat":%d,"exp":"%s"`, now.Unix(), exp))),
		"iat in quotes":                 sign(header, times(fmt.Sprintf(`"iat":"%d","exp":%s`, now.Unix(), exp))),
		"nbf null":                      sign(header, payload(`,"nbf":null`)),
		"exp beyond any date":           sign(header, times(fmt.Sprintf(`"iat":%d,"exp":1e300`, now.Unix()))),
		"exp negative":                  sign(header, times(`"iat":-10,"exp":-5`)),
		"no exp":                        sign(header, times(fmt.Sprintf(`"iat":%d`, now.Unix()))),
		"no iat":                        sign(header, times(`"exp":`+exp)),
		"life of a second over a day":   sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix(), now.Unix()+86401))),
		"life of a hundred years":       sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix(), now.Unix()+100*365*86400))),
		"exp before iat":                sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()+30, now.Unix()+20))),
		"expired":                       sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()-600, now.Unix()-60))),
		"issued ahead":                  sign(header, times(fmt.Sprintf(`"iat":%d,"exp":%d`, now.Unix()+61, now.Unix()+600))),
		"not yet":                       sign(header, payload(fmt.Sprintf(`,"nbf":%d`, now.Unix()+61))),
		"another issuer":                sign(header, strings.Replace(payload(""), `"iss":"parley"`, `"iss":"other"`, 1)),
		"no issuer":                     sign(header, strings.Replace(payload(""), `"iss":"parley",`, ``, 1)),
		"another audience":              sign(header, strings.Replace(payload(""), `"aud":"parley"`, `"aud":"other"`, 1)),
		"audience of numbers":           sign(header, strings.Replace(payload(""), `"aud":"parley"`, `"aud":["parley",1]`, 1)),
		"no sub":                        sign(header, strings.Replace(payload(""), `"sub":"alice",`, ``, 1)),
		"sub empty":                     sign(header, subject(`""`)),
		"sub too long":                  sign(header, subject(`"`+strings.Repeat("s", auth.MaxSubject+1)+`"`)),
		"sub with a line break":         sign(header, subject(`"alice\r\nx"`)),
		"sub with a zero-width space":   sign(header, subject("\"root\u200b\"")),
		"sub with a space":              sign(header, subject(`"root "`)),
		"sub with a DEL":                sign(header, subject("\"root\u007f\"")),
		"jti a number":                  sign(header, payload(`,"jti":7`)),
		"jti twice":                     sign(header, payload(`,"jti":"a","jti":"a"`)),
		"JTI":                           sign(header, payload(`,"JTI":"a"`)),
		"nbf in quotes":                 sign(header, payload(`,"nbf":"1"`)),
		"role twice":                    sign(header, payload(`,"role":"a","role":"b"`)),
		"kid a number":                  sign(`{"alg":"HS256","kid":7}`, payload("")),
		"sub in Cyrillic":               sign(header, subject("\"r\u043eot\"")),
		"sub a number":                  sign(header, subject(`1`)),
		"sub null":                      sign(header, subject(`null`)),
		"mode of another server":        sign(header, payload(`,"mode":"demo"`)),
		"mode in another case":          sign(header, payload(`,"mode":"Production"`)),
		"payload twice":                 sign(header, payload("")+payload("")),
		"payload null":                  sign(header, `null`),
		"payload not UTF-8":             sign(header, payload(",\"x\":\"\xff\"")),
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Verify(token)
			if !errors.Is(err, auth.ErrUnauthorized) {
				t.Fatalf("err = %v, want ErrUnauthorized", err)
			}
			if !reflect.DeepEqual(id, auth.Identity{}) {
				t.Fatalf("a refused token gave %+v", id)
			}
			if strings.Contains(err.Error(), "alice") || token != "" && strings.Contains(err.Error(), token) {
				t.Fatalf("the refusal tells of the token: %v", err)
			}
		})
	}
}

// TestWhatIsNotNeeded: an optional claim that says nothing is as if it weren't
// there, and grants nothing.
func TestWhatIsNotNeeded(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.Admins = []string{"boss@x.org", "+905551234"} })
	for name, more := range map[string]string{
		"role a list":               `,"role":["Manager"]`,
		"org an object":             `,"org":{"id":"acme"}`,
		"all null":                  `,"name":null,"phone":null,"email":null,"mode":null,"org":null,"role":null,"phone_number":null`,
		"all of another type":       `,"name":{},"phone":7,"email":["boss@x.org"],"mode":1,"org":true,"role":{},"email_verified":"true"`,
		"all in another case":       `,"Name":"B","Phone":"+905551234","Email":"boss@x.org","Mode":"demo","Org":"acme","ROLE":"org_admin","email_Verified":true`,
		"e-mail with an override":   `,"email":"boss@x.org\u202e","email_verified":true`,
		"phone with a zero width":   `,"phone":"+905551234\u200b","phone_number_verified":true`,
		"a long role":               `,"role":"` + strings.Repeat("r", auth.MaxText+1) + `"`,
		"org with a space":          `,"org":"acme "`,
		"with the Kelvin sign":      `,"\u212aind":1`,
		"an object with null in it": `,"x":{"y":null,"z":[null]}`,
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Verify(sign(header, payload(more)))
			if err != nil {
				t.Fatal(err)
			}
			bare := auth.Identity{Subject: "alice", Local: true, ID: id.ID, IssuedAt: id.IssuedAt, ExpiresAt: id.ExpiresAt,
				EmailVerified: id.EmailVerified, PhoneVerified: id.PhoneVerified}
			if scope, ok := a.Scope(id); !reflect.DeepEqual(auth.Unsigned(id), bare) || ok {
				t.Fatalf("got %+v, which administers %+v", id, scope)
			}
		})
	}
}

// TestWhatOrganizationsNeed: in their mode, org is needed.
func TestWhatOrganizationsNeed(t *testing.T) {
	a := newAuth(t, func(c *auth.Config) { c.Mode = auth.Organization })
	for name, test := range map[string]struct {
		more string
		ok   bool
	}{
		"a text":           {`,"org":"acme"`, true},
		"in Persian":       {",\"org\":\"شرکت\u200cما\"", true},
		"none":             {``, false},
		"null":             {`,"org":null`, false},
		"an object":        {`,"org":{"id":"acme"}`, false},
		"in another case":  {`,"Org":"acme"`, false},
		"with hidden ones": {`,"org":"ac\u200bme"`, false},
		"a stray joiner":   {`,"org":"ac\u200cme"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := a.Verify(sign(header, payload(`,"mode":"organization"`+test.more))); (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestNames(t *testing.T) {
	a := newAuth(t, nil)
	for name, test := range map[string]struct{ given, want string }{
		"Persian":                   {"علی\u200cرضا", "علی\u200cرضا"},
		"Persian, with marks":       {"نامه\u200cهٔ", "نامه\u200cهٔ"},
		"Sinhala":                   {"ශ්\u200dරී", "ශ්\u200dරී"},
		"Hindi":                     {"क्\u200dष", "क्\u200dष"},
		"Hindi, no ligature":        {"क्\u200cष", "क्\u200cष"},
		"Malayalam, at the end":     {"അവന്\u200d", "അവന്\u200d"},
		"a family":                  {"👩\u200d👧\u200d👦", "👩\u200d👧\u200d👦"},
		"a profession":              {"👩🏽\u200d⚕️", "👩🏽\u200d⚕️"},
		"Latin":                     {"ad\u200cmin", "admin"},
		"Latin, joined":             {"ad\u200dmin", "admin"},
		"Cyrillic":                  {"ад\u200dмин", "админ"},
		"digits":                    {"۱\u200c۲", "۱۲"},
		"at the beginning":          {"\u200cعلی", "علی"},
		"at the end":                {"علی\u200c", "علی"},
		"twice":                     {"علی\u200c\u200cرضا", "علی\u200cرضا"},
		"between two scripts":       {"علی\u200cAli", "علیAli"},
		"of no width, not to join":  {"علی\u200bرضا", "علیرضا"},
		"a mark of direction":       {"علی\u200fرضا\u202e", "علیرضا"},
		"a picture, not to join":    {"👩\u200c👧", "👩👧"},
		"a letter beside a picture": {"a\u200d👧", "a👧"},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Verify(sign(header, payload(fmt.Sprintf(`,"name":%q`, test.given))))
			if err != nil || id.Name != test.want {
				t.Fatalf("got %+q, want %+q, %v", id.Name, test.want, err)
			}
		})
	}
}

func noneToken(alg string) string {
	t := sign(fmt.Sprintf(`{"alg":%q}`, alg), payload(""))
	return t[:strings.LastIndex(t, ".")+1]
}

// malleable changes bits that base64 ignores when it is not strict.
func malleable(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

func TestTokenSizeAtItsEdge(t *testing.T) {
	a := newAuth(t, nil)
	sized := func(n int) string {
		for pad := range 8 << 10 {
			if token := sign(header, payload(`,"pad":"`+strings.Repeat("x", pad)+`"`)); len(token) >= n {
				return token
			}
		}
		return ""
	}
	token := sized(auth.MaxToken - 1)
	if len(token) > auth.MaxToken {
		t.Fatalf("no token of the size was found: %d", len(token))
	}
	if _, err := a.Verify(token); err != nil {
		t.Fatalf("%d bytes: %v", len(token), err)
	}
	if _, err := a.Verify(sized(auth.MaxToken + 1)); !errors.Is(err, auth.ErrUnauthorized) {
		t.Fatalf("too many bytes: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	a := newAuth(t, nil)
	id, err := a.Verify(sign(header, payload(`,"jti":"j1","name":"A\u202elice\n B","phone":"+901","email":"a@x.org","org":"acme","role":"x"`)))
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Identity{
		Subject: "alice", Name: "Alice B", Phone: "+901", Email: "a@x.org", Org: "acme", Role: "x", ID: "j1", Local: true,
		IssuedAt: id.IssuedAt, ExpiresAt: id.ExpiresAt,
	}
	if !reflect.DeepEqual(auth.Unsigned(id), want) {
		t.Fatalf("got %+v\nwant %+v", id, want)
	}
	if !id.IssuedAt.Equal(now) || !id.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Fatalf("times %v, %v", id.IssuedAt, id.ExpiresAt)
	}
}

func TestMint(t *testing.T) {
	a := newAuth(t, nil)
	for name, test := range map[string]struct {
		claims auth.Claims
		ttl    time.Duration
		ok     bool
	}{
		"plain":           {auth.Claims{Subject: "alice", Name: "Alice B"}, time.Hour, true},
		"shortest":        {auth.Claims{Subject: "alice"}, time.Second, true},
		"longest":         {auth.Claims{Subject: "alice"}, auth.MaxLife, true},
		"too short":       {auth.Claims{Subject: "alice"}, time.Second - 1, false},
		"too long":        {auth.Claims{Subject: "alice"}, auth.MaxLife + 1, false},
		"no subject":      {auth.Claims{}, time.Hour, false},
		"bad subject":     {auth.Claims{Subject: "a b"}, time.Hour, false},
		"name that hides": {auth.Claims{Subject: "a", Name: "x\x1b[2J"}, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := a.Mint(test.claims, test.ttl)
			if (err == nil) != test.ok {
				t.Fatalf("Mint: %v", err)
			}
			if err != nil {
				return
			}
			id, err := a.Verify(token)
			if err != nil || id.Subject != test.claims.Subject || id.ID == "" || id.ExpiresAt.Sub(id.IssuedAt) != test.ttl {
				t.Fatalf("got %+v, %v", id, err)
			}
		})
	}
}

func TestExpiryToTheNanosecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := auth.New(auth.Config{Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		token, _ := a.Mint(auth.Claims{Subject: "alice"}, time.Minute)
		time.Sleep(time.Minute + auth.Leeway - time.Nanosecond)
		if _, err := a.Verify(token); err != nil {
			t.Fatalf("a nanosecond before: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := a.Verify(token); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("at expiry: %v", err)
		}
	})
}

func TestCarriers(t *testing.T) {
	a := newAuth(t, nil)
	good := sign(header, payload(""))
	session := sessionOf(t, a, good)
	overTLS := func(r *http.Request) {
		r.URL.Scheme = "https"
		r.TLS = httptest.NewRequest("GET", "https://x/", nil).TLS
	}
	for name, test := range map[string]struct {
		prepare func(*http.Request)
		ok      bool
		cookie  bool
	}{
		"bearer":                {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+good) }, true, false},
		"scheme in lower case":  {func(r *http.Request) { r.Header.Set("Authorization", "bearer "+good) }, true, false},
		"cookie":                {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "parley_session", Value: session}) }, true, true},
		"a token as a cookie":   {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "parley_session", Value: good}) }, false, false},
		"a session as a bearer": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+session) }, false, false},
		"nothing":               {func(*http.Request) {}, false, false},
		"basic":                 {func(r *http.Request) { r.Header.Set("Authorization", "Basic "+good) }, false, false},
		"two bearers":           {func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + good, "Bearer " + good} }, false, false},
		"two in one":            {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+good+", Bearer "+good) }, false, false},
		"an empty header":       {func(r *http.Request) { r.Header.Set("Authorization", "") }, false, false},
		"a bad bearer, a good cookie": {func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer x.y.z")
			r.AddCookie(&http.Cookie{Name: "parley_session", Value: session})
		}, false, false},
		"two cookies": {func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: "parley_session", Value: session})
			r.AddCookie(&http.Cookie{Name: "parley_session", Value: session})
		}, false, false},
		"in the query":         {func(r *http.Request) { r.URL.RawQuery = "token=" + good + "&access_token=" + good }, false, false},
		"https cookie on http": {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "__Host-parley_session", Value: session}) }, false, false},
		"http cookie on https": {func(r *http.Request) { overTLS(r); r.AddCookie(&http.Cookie{Name: "parley_session", Value: session}) }, false, false},
		"https cookie on https": {func(r *http.Request) {
			overTLS(r)
			r.AddCookie(&http.Cookie{Name: "__Host-parley_session", Value: session})
		}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "http://parley.test/", nil)
			test.prepare(r)
			id, err := a.Authenticate(r)
			if (err == nil) != test.ok || id.ByCookie != test.cookie && test.ok {
				t.Fatalf("got %+v, %v", id, err)
			}
			if err != nil && !errors.Is(err, auth.ErrUnauthorized) {
				t.Fatalf("err = %v", err)
			}
		})
	}
}
