package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/server/auth"
)

// keyFile writes a set where a server finds it.
func keyFile(t testing.TB, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// null is a member that is there and null; nil takes one away.
var null = json.RawMessage("null")

// TestWhichKeysAreTaken: beside one good key, each of these is passed over, and
// alone it keeps the server from starting.
func TestWhichKeysAreTaken(t *testing.T) {
	k := newKeys(t)
	of := rsaMember("k", &k.rsa.PublicKey)
	point := ecMember(t, "k", &k.ec.PublicKey)
	octets := edMember("k", k.ed.Public())
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key  member
		want string // the algorithm, or none
	}{
		"RSA":                        {of, "RS256"},
		"RSA without alg and use":    {of.with("alg", nil).with("use", nil), "RS256"},
		"RSA that verifies":          {of.with("key_ops", []string{"verify"}), "RS256"},
		"with what others read":      {of.with("x5c", []string{"AAAA"}).with("x5u", "https://evil.example/"), "RS256"},
		"EC":                         {point, "ES256"},
		"EC without alg":             {point.with("alg", nil), "ES256"},
		"Ed25519":                    {octets, "EdDSA"},
		"longest kid":                {of.with("kid", strings.Repeat("k", auth.MaxKid)), "RS256"},
		"kid too long":               {of.with("kid", strings.Repeat("k", auth.MaxKid+1)), ""},
		"no kid":                     {of.with("kid", nil), ""},
		"kid empty":                  {of.with("kid", ""), ""},
		"kid a number":               {of.with("kid", 1), ""},
		"for encryption":             {of.with("use", "enc"), ""},
		"for signing only":           {of.with("key_ops", []string{"sign"}), ""},
		"RSA for RS512":              {of.with("alg", "RS512"), ""},
		"RSA for PS256":              {of.with("alg", "PS256"), ""},
		"RSA for HS256":              {of.with("alg", "HS256"), ""},
		"RSA for none":               {of.with("alg", "none"), ""},
		"RSA for ES256":              {of.with("alg", "ES256"), ""},
		"RSA with its private part":  {of.with("d", b64(k.rsa.D.Bytes())), ""},
		"RSA with a secret beside":   {of.with("k", "AAAA"), ""},
		"RSA of 1024 bits":           {rsaMember("k", &small.PublicKey), ""},
		"RSA of 16,384 bits":         {of.with("n", b64(new(big.Int).SetBit(big.NewInt(1), 16383, 1).Bytes())), ""},
		"RSA with an even modulus":   {of.with("n", b64(new(big.Int).Lsh(k.rsa.N, 1).Bytes())), ""},
		"RSA without a modulus":      {of.with("n", nil), ""},
		"RSA with an exponent of 1":  {of.with("e", b64([]byte{1})), ""},
		"RSA with an exponent of 0":  {of.with("e", b64([]byte{0})), ""},
		"RSA with an even exponent":  {of.with("e", b64([]byte{1, 0, 0})), ""},
		"RSA with an exponent of 3":  {of.with("e", b64([]byte{3})), "RS256"},
		"RSA with a huge exponent":   {of.with("e", b64([]byte{1, 0, 0, 0, 1})), ""},
		"RSA, exponent past an int":  {of.with("e", b64([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})), ""},
		"RSA without an exponent":    {of.with("e", ""), ""},
		"RSA padded":                 {of.with("n", of["n"].(string)+"=="), ""},
		"EC on P-384":                {ecMember(t, "k", &wide.PublicKey), ""},
		"EC on P-384, said P-256":    {ecMember(t, "k", &wide.PublicKey).with("crv", "P-256").with("alg", "ES256"), ""},
		"EC off the curve":           {point.with("y", point["x"]), ""},
		"EC at infinity":             {point.with("x", b64(make([]byte, 32))).with("y", b64(make([]byte, 32))), ""},
		"EC cut":                     {point.with("x", b64(make([]byte, 31))), ""},
		"EC with its private part":   {point.with("d", b64([]byte{1})), ""},
		"EC for RS256":               {point.with("alg", "RS256"), ""},
		"Ed25519 cut":                {octets.with("x", b64(make([]byte, 31))), ""},
		"Ed25519 for HS256":          {octets.with("alg", "HS256"), ""},
		"X25519":                     {octets.with("crv", "X25519"), ""},
		"a secret":                   {member{"kty": "oct", "kid": "k", "alg": "HS256", "k": b64(testSecret)}, ""},
		"a secret without its value": {member{"kty": "oct", "kid": "k", "alg": "HS256"}, ""},
		"kty in another case":        {of.with("kty", nil).with("KTY", "RSA"), ""},
		"kty unknown":                {of.with("kty", "AKP"), ""},
		"kty a list":                 {of.with("kty", []string{"RSA"}), ""},
		"use in another case":        {of.with("use", nil).with("Use", "enc"), "RS256"},
		"use a list":                 {of.with("use", []string{"sig"}), ""},
		"use unknown":                {of.with("use", "tls"), ""},
		"nulls for what is absent":   {of.with("use", null).with("alg", null).with("key_ops", null).with("d", null).with("x", null), "RS256"},
		"null for what is needed":    {of.with("n", null), ""},
		"kid null":                   {of.with("kid", null), ""},
		"no operations":              {of.with("key_ops", []string{}), "RS256"},
		"others' members":            {of.with("x5t", 1).with("issuer", map[string]any{"a": nil}), "RS256"},
		"no kty":                     {of.with("kty", nil), ""},
		"empty":                      {member{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			alone, err := auth.ParseKeySet([]byte(set(t, test.key)))
			if (err == nil) != (test.want != "") {
				t.Fatalf("alone: %v, %v", alone, err)
			}
			kid, _ := test.key["kid"].(string)
			beside, err := auth.ParseKeySet([]byte(set(t, test.key, rsaMember("good", &k.other.PublicKey))))
			if err != nil || strings.Join(beside["good"], " ") != "RS256" || strings.Join(beside[kid], " ") != test.want {
				t.Fatalf("beside a good one: %v, %v", beside, err)
			}
		})
	}
}

func TestKeySets(t *testing.T) {
	k := newKeys(t)
	one, two := rsaMember("k", &k.rsa.PublicKey), rsaMember("k", &k.other.PublicKey)
	many := make([]member, 0, auth.MaxSameKid+1)
	for range auth.MaxSameKid + 1 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, ecMember(t, "k", &key.PublicKey))
	}
	good := set(t, one)
	for name, test := range map[string]struct {
		body string
		keys int
	}{
		"one":                       {good, 1},
		"each kind":                 {k.usual(t), 3},
		"with more members":         {strings.Replace(good, `{"keys"`, `{"cache":{"a":[1]},"keys"`, 1), 1},
		"two of one kid":            {set(t, one, two), 2},
		"one listed twice":          {set(t, one, one), 1},
		"one twice, and another":    {set(t, one, two, one), 2},
		"one kid, two kinds":        {set(t, one, ecMember(t, "k", &k.ec.PublicKey)), 2},
		"one kid, three kinds":      {set(t, one, ecMember(t, "k", &k.ec.PublicKey), edMember("k", k.ed.Public())), 3},
		"as many of one kid as go":  {set(t, many[1:]...), auth.MaxSameKid},
		"too many of one kid":       {set(t, many...), auth.MaxSameKid},
		"a key and nonsense":        {strings.Replace(good, `"keys":[`, `"keys":[null,7,"k",[],{},{"kty":null},{"kid":"k","kid":"k"},`, 1), 1},
		"one kid, one not to check": {set(t, one, two.with("use", "enc")), 1},
		"none":                      {`{"keys":[]}`, 0},
		"null":                      {`{"keys":null}`, 0},
		"no keys":                   {`{}`, 0},
		"a list":                    {`[]`, 0},
		"a key without a set":       {good[len(`{"keys":[`) : len(good)-len(`]}`)], 0},
		"empty":                     {``, 0},
		"twice":                     {good + good, 0},
		"keys twice":                {`{"keys":[],` + good[1:], 0},
		"Keys too":                  {`{"Keys":[],` + good[1:], 1},
		"keys a text":               {`{"keys":"none"}`, 0},
		"a page":                    {`<html><body>Sign in</body></html>`, 0},
		"cut":                       {good[:len(good)-4], 0},
		"a kid twice":               {strings.Replace(good, `"kid":"k"`, `"kid":"k","kid":"j"`, 1), 0},
		"a kid twice, escaped":      {strings.Replace(good, `"kid":"k"`, `"kid":"k","k\u0069d":"j"`, 1), 0},
		"nested deep":               {`{"keys":[` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `]}`, 0},
		"numbers for keys":          {`{"keys":[1,2,3]}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := auth.ParseKeySet([]byte(test.body))
			found := 0
			for _, algs := range keys {
				found += len(algs)
			}
			if found != test.keys || (err == nil) != (test.keys > 0) {
				t.Fatalf("got %v, %v", keys, err)
			}
		})
	}
}

func TestKeyFile(t *testing.T) {
	k := newKeys(t)
	readable := keyFile(t, k.usual(t))
	if err := os.Chmod(readable, 0o644); err != nil {
		t.Fatal(err)
	}
	writable := keyFile(t, k.usual(t))
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		source auth.KeySource
		ok     bool
	}{
		"good":                  {auth.KeySource{File: keyFile(t, k.usual(t))}, true},
		"others may read":       {auth.KeySource{File: readable}, true},
		"everyone may write":    {auth.KeySource{File: writable}, false},
		"the largest":           {auth.KeySource{File: keyFile(t, pad(k.usual(t), auth.MaxKeySet))}, true},
		"too large":             {auth.KeySource{File: keyFile(t, pad(k.usual(t), auth.MaxKeySet+1))}, false},
		"missing":               {auth.KeySource{File: filepath.Join(t.TempDir(), "none")}, false},
		"empty":                 {auth.KeySource{File: keyFile(t, "")}, false},
		"a directory":           {auth.KeySource{File: t.TempDir()}, false},
		"a device":              {auth.KeySource{File: "/dev/zero"}, false},
		"without a key":         {auth.KeySource{File: keyFile(t, `{"keys":[]}`)}, false},
		"a certificate":         {auth.KeySource{File: keyFile(t, "-----BEGIN CERTIFICATE-----\n")}, false},
		"a file and a URL":      {auth.KeySource{File: readable, URL: "https://id.example/jwks"}, false},
		"https":                 {auth.KeySource{URL: "https://id.example/jwks"}, true},
		"http on this machine":  {auth.KeySource{URL: "http://localhost:1/jwks"}, true},
		"http, IPv6":            {auth.KeySource{URL: "http://[::1]:1/jwks"}, true},
		"http elsewhere":        {auth.KeySource{URL: "http://id.example/jwks"}, false},
		"http that looks local": {auth.KeySource{URL: "http://localhost.evil.example/jwks"}, false},
		"http at user@":         {auth.KeySource{URL: "http://localhost@evil.example/jwks"}, false},
		"a password":            {auth.KeySource{URL: "https://a:b@id.example/jwks"}, false},
		"a fragment":            {auth.KeySource{URL: "https://id.example/jwks#x"}, false},
		"no host":               {auth.KeySource{URL: "https:///jwks"}, false},
		"a path":                {auth.KeySource{URL: "/etc/parley/jwks.json"}, false},
		"file:":                 {auth.KeySource{URL: "file:///etc/parley/jwks.json"}, false},
		"a line break":          {auth.KeySource{URL: "https://id.example/\r\njwks"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := auth.New(auth.Config{Secret: testSecret, Keys: test.source})
			if (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "a:b") {
				t.Fatalf("the refusal tells a password: %v", err)
			}
		})
	}
}

// TestKeysByFileAtOnce: nothing has to run for a file's keys.
func TestKeysByFileAtOnce(t *testing.T) {
	k := newKeys(t)
	a := newAuth(t, func(c *auth.Config) { c.Keys.File = keyFile(t, k.usual(t)) })
	if h := a.KeyHealth(); !h.OK() || h.Keys != 3 || h.LoadedAt.IsZero() {
		t.Fatalf("%+v", h)
	}
	id, err := a.Verify(issue(t, jwt.SigningMethodES256, k.ec, byKid("ec")))
	if err != nil || id.Subject != "alice" || id.Local {
		t.Fatalf("%+v, %v", id, err)
	}
}

// TestOneKidForSeveralKeys: whichever of them signed, its token is good, and
// nobody else's.
func TestOneKidForSeveralKeys(t *testing.T) {
	k := newKeys(t)
	a := newAuth(t, func(c *auth.Config) {
		c.Keys.File = keyFile(t, set(t, rsaMember("k", &k.rsa.PublicKey), rsaMember("k", &k.rsa.PublicKey),
			rsaMember("k", &k.other.PublicKey), ecMember(t, "k", &k.ec.PublicKey)))
		c.Keys.Patience = time.Nanosecond
	})
	for name, test := range map[string]struct {
		token string
		ok    bool
	}{
		"the first RSA key":  {issue(t, jwt.SigningMethodRS256, k.rsa, byKid("k")), true},
		"the second RSA key": {issue(t, jwt.SigningMethodRS256, k.other, byKid("k")), true},
		"the EC key":         {issue(t, jwt.SigningMethodES256, k.ec, byKid("k")), true},
		"a kind not in it":   {issue(t, jwt.SigningMethodEdDSA, k.ed, byKid("k")), false},
		"another kid":        {issue(t, jwt.SigningMethodRS256, k.rsa, byKid("j")), false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := a.Verify(test.token); (err == nil) != test.ok {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// FuzzKeySet: no bytes make a key of an algorithm that isn't one of three, or a
// set without a key.
func FuzzKeySet(f *testing.F) {
	k := newKeys(f)
	f.Add([]byte(k.usual(f)))
	f.Add([]byte(`{"keys":[{"kty":"oct","kid":"k","k":"AAAA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQ"}]}`))
	f.Add([]byte(`{"keys":[[]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := auth.ParseKeySet(raw)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%v, %v", keys, err)
		}
		for kid, algs := range keys {
			for _, alg := range algs {
				if kid == "" || len(kid) > auth.MaxKid || alg != "RS256" && alg != "ES256" && alg != "EdDSA" {
					t.Fatalf("%q: %s", kid, alg)
				}
			}
		}
	})
}
