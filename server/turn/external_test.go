package turn_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/server/turn"
)

func secrets(path string) ([]byte, error) {
	switch path {
	case "password":
		return []byte("open sesame\n"), nil
	case "secret":
		return []byte("north\n"), nil
	case "empty":
		return []byte("\n"), nil
	}
	return nil, errors.New(path + " is not there")
}

func TestServersOfOthers(t *testing.T) {
	external, err := turn.ReadExternal([]byte(`
ice_servers:
  - urls: ["stun:stun.example.org"]
  - urls: ["turn:turn.example.org:3478", "turns:turn.example.org:443?transport=tcp"]
    username: parley
    credential_file: password
  - urls: ["turn:other.example.org"]
    secret_file: secret
`), secrets)
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Now().Add(time.Hour)
	told := turn.NewIssuer(turn.IssuerConfig{External: external}).ICEServers(turn.Holder{Session: "s1", Expires: expires})
	if len(told) != 3 || told[0].Username != "" || told[0].Credential != "" || len(told[1].URLs) != 2 ||
		told[1].Username != "parley" || told[1].Credential != "open sesame" {
		t.Errorf("told %+v", told)
	}
	mac := hmac.New(sha1.New, []byte("north"))
	mac.Write([]byte(told[2].Username))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); told[2].Credential != want || !strings.HasSuffix(told[2].Username, ":s1") {
		t.Errorf("of a secret: %+v, want %s", told[2], want)
	}
}

func TestAFileOfServersThatIsWrong(t *testing.T) {
	const turnURL = "  - urls: [\"turn:turn.example.org\"]\n"
	for name, c := range map[string]struct{ file, says string }{
		"nothing":                  {"", "EOF"},
		"no entry":                 {"ice_servers: []", "1 to 8"},
		"nine":                     {"ice_servers:\n" + strings.Repeat("  - urls: [\"stun:stun.example.org\"]\n", 9), "there are 9"},
		"a field that is none":     {"ice_servers:\n" + turnURL + "    password: x\n", "password"},
		"no URL":                   {"ice_servers:\n  - username: x\n", "urls is missing"},
		"a web address":            {"ice_servers:\n  - urls: [\"https://turn.example.org\"]\n", "no STUN or TURN URL"},
		"TURN without credentials": {"ice_servers:\n" + turnURL, "needs credentials"},
		"STUN with credentials":    {"ice_servers:\n  - urls: [\"stun:stun.example.org\"]\n    secret_file: secret\n", "takes no credentials"},
		"both kinds in one":        {"ice_servers:\n  - urls: [\"stun:a.example\", \"turn:b.example\"]\n", "make two of it"},
		"half of a password":       {"ice_servers:\n" + turnURL + "    username: x\n", "go together"},
		"two kinds of credentials": {"ice_servers:\n" + turnURL + "    username: x\n    credential_file: password\n    secret_file: secret\n", "not both"},
		"a file that is not there": {"ice_servers:\n" + turnURL + "    secret_file: nowhere\n", "nowhere"},
		"an empty one":             {"ice_servers:\n" + turnURL + "    secret_file: empty\n", "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := turn.ReadExternal([]byte(c.file), secrets); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want one that says %q", err, c.says)
			}
		})
	}
	if list, err := turn.ReadExternal([]byte("ice_servers:\n"+strings.Repeat("  - urls: [\"stun:stun.example.org\"]\n", 8)), secrets); err != nil || len(list) != 8 {
		t.Errorf("eight: %v", err)
	}
}
