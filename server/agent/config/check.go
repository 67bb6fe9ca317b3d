package config

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"parley/server/agent/realtime"
	"parley/server/agent/upstream"
	"parley/server/outbound"
)

const (
	// maxTitle and maxAbout are what a caller's list has room for, in bytes.
	maxTitle, maxAbout = 60, 200
	// maxInstructions bounds a prompt, in bytes: it is sent with each call.
	maxInstructions = 128 << 10
	// maxTimeout bounds what a caller is let wait in silence.
	maxTimeout = time.Minute
)

// agentName is how agents may be called: it stands in addresses and in logs.
var agentName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// checker turns one agent of the file into one that can be called.
type checker struct {
	*source
	at string // agents[0]
	Agent
	read []string // beside the file: secrets, instructions
}

// sum is that of all that was read.
func (c *checker) sum() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%#v %q", c.Agent, c.read))
}

// secret is readSecret, and counts for the sum.
func (c *checker) secret(field, file, env string) (string, error) {
	secret, err := c.readSecret(c.at+"."+field, file, env)
	c.read = append(c.read, secret)
	return secret, err
}

func (c *checker) faultAt(field, detail string, args ...any) error {
	return c.fault(c.at+"."+field, detail, args...)
}

// upstream is the agent as it is called.
func (c *checker) upstream() (cfg upstream.Config, err error) {
	for _, check := range []func(*upstream.Config) error{
		c.checkName, c.checkURL, c.checkKey, c.checkHeaders, c.checkTimes, c.checkSession, c.checkTurnDetection, c.checkTools, c.checkPolicy, c.checkSideband, c.checkStuck, c.checkBudgets,
	} {
		if err := check(&cfg); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

func (c *checker) checkName(cfg *upstream.Config) error {
	switch {
	case !agentName.MatchString(c.Name):
		return c.faultAt("name", "write a short name of small letters, digits, - and _, which begins with a letter")
	case c.Title == "" || len(c.Title) > maxTitle:
		return c.faultAt("title", "write what callers choose it by, in at most %d bytes", maxTitle)
	case len(c.About) > maxAbout:
		return c.faultAt("about", "write at most %d bytes", maxAbout)
	}
	cfg.Name = c.Name
	return nil
}

func (c *checker) checkURL(cfg *upstream.Config) error {
	cfg.Dialect = upstream.Dialect(c.Dialect)
	if !slices.Contains(upstream.Dialects(), cfg.Dialect) {
		return c.faultAt("dialect", "write one of %s", joinWords(upstream.Dialects()))
	}
	if err := (outbound.Addresses{AllowPrivate: c.AllowPrivate, Setting: "allow_private: true"}).CheckURL(c.URL); err != nil {
		return c.faultAt("url", "%s; write where calls are asked for, like https://api.openai.com/v1/realtime/calls", err)
	}
	if !strings.HasPrefix(c.URL, "https://") && !c.AllowPrivate {
		return c.faultAt("url", "write https://…, or allow_private: true for a service of your own network")
	}
	cfg.URL, cfg.AllowPrivate = c.URL, c.AllowPrivate
	return nil
}

func (c *checker) checkKey(cfg *upstream.Config) error {
	key, err := c.secret("key", c.KeyFile, c.KeyEnv)
	cfg.Key = upstream.Key(key)
	return err
}

func (c *checker) checkHeaders(cfg *upstream.Config) error {
	cfg.Headers = make(map[string]upstream.Key, len(c.Headers))
	for i, h := range c.Headers {
		at := fmt.Sprintf("headers[%d]", i)
		value, err := c.secret(at+".value", h.ValueFile, h.ValueEnv)
		if err != nil {
			return err
		}
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		switch {
		case !headerName.MatchString(h.Name):
			return c.faultAt(at+".name", "write the name of an HTTP header, like api-key")
		case name == "Authorization" || name == "Content-Type" || name == "Content-Length" || name == "Host":
			return c.faultAt(at+".name", "the server sends this one itself; a key goes into key_file or key_env")
		case (value == "") == (h.Value == ""):
			return c.faultAt(at, "write value, or, for a secret, value_file or value_env")
		case strings.ContainsAny(h.Value, "\r\n\x00"):
			return c.faultAt(at+".value", "write it on one line")
		}
		cfg.Headers[name] = upstream.Key(value + h.Value)
	}
	return nil
}

// headerName is RFC 9110's token.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")

func (c *checker) checkTimes(cfg *upstream.Config) error {
	for field, d := range map[string]time.Duration{"timeouts.exchange": c.Timeouts.Exchange, "timeouts.connect": c.Timeouts.Connect} {
		if d < 0 || d > maxTimeout {
			return c.faultAt(field, "write a time up to %s, like 10s", maxTimeout)
		}
	}
	switch {
	case c.MaxCalls < 0:
		return c.faultAt("max_calls", "write how many calls may be on at the same time; 0 is any number")
	case c.MaxDuration < 0:
		return c.faultAt("max_duration", "write how long a call may last, like 30m; 0 leaves it to the server's own limit")
	}
	cfg.MaxCalls, cfg.MaxDuration = c.MaxCalls, c.MaxDuration
	cfg.Timeouts = upstream.Timeouts{Exchange: c.Timeouts.Exchange, Connect: c.Timeouts.Connect}
	return nil
}

func (c *checker) checkSession(cfg *upstream.Config) error {
	instructions := c.Instructions
	switch {
	case c.Instructions != "" && c.InstructionsFile != "":
		return c.faultAt("instructions_file", "the text or the file, not both")
	case c.InstructionsFile != "":
		text, err := readBounded(c.beside(c.InstructionsFile))
		if err != nil {
			return c.faultAt("instructions_file", "%s", err)
		}
		instructions = string(text)
		c.read = append(c.read, instructions)
	}
	switch {
	case len(instructions) > maxInstructions:
		return c.faultAt("instructions", "%d bytes; write at most %d", len(instructions), maxInstructions)
	case cfg.Dialect != upstream.RawSDP && c.Model == "":
		return c.faultAt("model", "write the model's name, like gpt-realtime-2.1")
	case c.Transcription != "" && !c.Captions:
		return c.faultAt("transcription", "write captions: true, too: callers' words are written down for callers to see, and for nobody else")
	case c.Speed != 0 && (c.Speed < 0.25 || c.Speed > 1.5):
		return c.faultAt("speed", "write a number from 0.25 to 1.5")
	}
	cfg.Session = upstream.Session{
		Model: c.Model, Voice: c.Voice, Instructions: instructions, Transcription: c.Transcription, Speed: c.Speed,
	}
	return nil
}

func (c *checker) checkTurnDetection(cfg *upstream.Config) error {
	if c.TurnDetection == nil {
		return nil
	}
	if kind := c.TurnDetection["type"]; kind != "server_vad" && kind != "semantic_vad" {
		return c.faultAt("turn_detection", "write type: server_vad or type: semantic_vad, and the vendor's settings of it")
	}
	text, err := json.Marshal(c.TurnDetection)
	if err != nil {
		return c.faultAt("turn_detection", "this is no JSON object")
	}
	cfg.Session.TurnDetection = text
	return nil
}

func (c *checker) checkPolicy(cfg *upstream.Config) (err error) {
	cfg.Policy = realtime.Policy{Captions: c.Captions, ToolCalls: c.ToolCalls}
	cfg.Policy.Grants, err = c.checkGrants("allow", c.Allow)
	return err
}

// checkGrants reads an allow-list; nil if none is written.
func (c *checker) checkGrants(field string, allow []string) ([]realtime.Grant, error) {
	if allow == nil {
		return nil, nil
	}
	grants := make([]realtime.Grant, len(allow))
	for i, text := range allow {
		grant, err := realtime.ParseGrant(text)
		if err != nil {
			return nil, c.faultAt(fmt.Sprintf("%s[%d]", field, i), "%s", err)
		}
		grants[i] = grant
	}
	return grants, nil
}

// minSidebandToken is the characters of a sideband's token: nobody guesses 32.
const minSidebandToken = 32

func (c *checker) checkSideband(cfg *upstream.Config) error {
	if c.Sideband == nil {
		return nil
	}
	token, err := c.secret("sideband.token", c.Sideband.TokenFile, c.Sideband.TokenEnv)
	if err != nil {
		return err
	}
	if len(token) < minSidebandToken {
		return c.faultAt("sideband", "write token_file or token_env: what backends show as their key, of at least %d characters", minSidebandToken)
	}
	grants, err := c.checkGrants("sideband.allow", c.Sideband.Allow)
	cfg.Sideband = &upstream.Sideband{Token: upstream.Key(token), Grants: grants, Words: c.Sideband.Words}
	return err
}

func (c *checker) checkStuck(cfg *upstream.Config) error {
	cfg.Watch = realtime.DefaultWatchLimits()
	for name, s := range c.Stuck {
		if _, known := cfg.Watch[realtime.Stuck(name)]; !known {
			return c.faultAt("stuck."+name, "write one of %s", joinWords(slices.Sorted(maps.Keys(cfg.Watch))))
		}
		if s.Warn <= 0 || s.End <= s.Warn {
			return c.faultAt("stuck."+name, "write warn and, later than it, end, like {warn: 5s, end: 20s}")
		}
		cfg.Watch[realtime.Stuck(name)] = realtime.Patience{Warn: s.Warn, End: s.End}
	}
	return nil
}

// checkBudgets reads prices and budgets.
func (c *checker) checkBudgets(cfg *upstream.Config) (err error) {
	cfg.Prices, cfg.CallBudget, cfg.UserDayBudget, err = c.checkPrices()
	return err
}

func joinWords[S ~string](all []S) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}
