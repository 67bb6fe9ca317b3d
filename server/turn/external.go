package turn

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/pion/stun/v4"

	"parley/shared/wire"
)

// maxExternal bounds the servers of others: browsers take long to try many, and more
// than five URLs are warned of.
const maxExternal = 8

// External is a STUN or TURN server of others, or a group of them, as the file of
// --ice-servers has it.
type External struct {
	URLs []string `yaml:"urls"`
	// Username and the credential in a file are the same for all callers.
	Username       string `yaml:"username"`
	CredentialFile string `yaml:"credential_file"`
	// The secret in a file makes credentials for each caller instead: it is what the
	// server has as its own ("static-auth-secret" of coturn).
	SecretFile string `yaml:"secret_file"`

	credential, secret string
}

// ReadExternal reads the file of --ice-servers, whose secrets readSecret reads.
func ReadExternal(file []byte, readSecret func(path string) ([]byte, error)) ([]External, error) {
	var list struct {
		ICEServers []External `yaml:"ice_servers"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(file), yaml.DisallowUnknownField()).Decode(&list); err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false))
	}
	if len(list.ICEServers) == 0 || len(list.ICEServers) > maxExternal {
		return nil, fmt.Errorf("ice_servers takes 1 to %d entries, there are %d", maxExternal, len(list.ICEServers))
	}
	for i := range list.ICEServers {
		if err := list.ICEServers[i].load(readSecret); err != nil {
			return nil, fmt.Errorf("ice_servers, entry %d: %w", i+1, err)
		}
	}
	return list.ICEServers, nil
}

// load checks an entry and reads what it names.
func (e *External) load(readSecret func(string) ([]byte, error)) (err error) {
	isTURN, err := checkURLs(e.URLs)
	hasPassword, hasSecret := e.Username != "" && e.CredentialFile != "", e.SecretFile != ""
	switch {
	case err != nil:
		return err
	case (e.Username != "") != (e.CredentialFile != ""):
		return errors.New("username and credential_file go together: write both, or neither")
	case hasPassword && hasSecret:
		return errors.New("credential_file is for all callers, secret_file makes one for each: write one, not both")
	case isTURN && !hasPassword && !hasSecret:
		return errors.New("a TURN server needs credentials: write secret_file, or username and credential_file")
	case !isTURN && (hasPassword || hasSecret):
		return errors.New("a STUN server takes no credentials: leave them out")
	}
	for _, file := range []struct {
		path string
		into *string
	}{{e.CredentialFile, &e.credential}, {e.SecretFile, &e.secret}} {
		if file.path == "" {
			continue
		}
		text, err := readSecret(file.path)
		if err != nil {
			return err
		}
		if *file.into = strings.TrimSpace(string(text)); *file.into == "" {
			return fmt.Errorf("%s is empty", file.path)
		}
	}
	return nil
}

// checkURLs reports whether URLs are of TURN, and not of both kinds.
func checkURLs(urls []string) (isTURN bool, err error) {
	if len(urls) == 0 {
		return false, errors.New(`urls is missing: write one as "turn:turn.example.org:3478"`)
	}
	for i, text := range urls {
		uri, err := stun.ParseURI(text)
		if err != nil {
			return false, fmt.Errorf(`%q is no STUN or TURN URL: write one as "turns:turn.example.org:443?transport=tcp"`, text)
		}
		turns := uri.Scheme == stun.SchemeTypeTURN || uri.Scheme == stun.SchemeTypeTURNS
		if i > 0 && turns != isTURN {
			return false, errors.New("an entry is of STUN or of TURN: make two of it")
		}
		isTURN = turns
	}
	return isTURN, nil
}

// server is what a caller is told, whose own user name is given.
func (e External) server(username string) wire.ICEServer {
	s := wire.ICEServer{URLs: e.URLs, Username: e.Username, Credential: e.credential}
	if e.secret != "" {
		s.Username, s.Credential = username, password([]byte(e.secret), username)
	}
	return s
}
