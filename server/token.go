package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"parley/server/auth"
)

// tokenCommand mints a token that the server on the same data directory takes.
type tokenCommand struct {
	keyFlags

	Sub   string        `required:"" help:"Who the token is for: 1 to 255 visible ASCII characters."`
	Name  string        `help:"Name to show."`
	Phone string        `help:"Phone number."`
	Email string        `help:"E-mail address."`
	Mode  string        `default:"production" enum:"production,demo,organization" help:"Mode of the server that it is for."`
	Org   string        `help:"Organization, with --mode=organization."`
	Role  string        `default:"" enum:",org_admin,org_auditor" help:"Role in the organization: org_admin, org_auditor, who sees as much and changes nothing, or none."`
	Link  string        `help:"Print a link to sign in with instead, for the server at this address: https://parley.example."`
	TTL   time.Duration `name:"ttl" default:"1h" help:"How long it is good for (1s to 24h)."`
}

// Validate holds the values against their ranges; kong calls it after parsing.
func (c *tokenCommand) Validate() error {
	if !inRange(c.TTL, time.Second, auth.MaxLife) {
		return fmt.Errorf("--ttl takes 1s to %s", auth.MaxLife)
	}
	if c.Link != "" {
		if err := checkOrigin(c.Link); err != nil {
			return fmt.Errorf("--link takes the address of a server, such as https://parley.example: %w", err)
		}
	}
	return nil
}

// checkOrigin holds that an address is one of a server and of nothing on it.
func checkOrigin(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("it is no address")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return errors.New("it has to begin with https:// or http://")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("a name and perhaps a port are all of it")
	}
	return nil
}

// signInLink carries its token in the fragment, which no server sees. Where next
// is known, the page loads what is needed there at once.
func signInLink(base, next, token string) string {
	query := ""
	if next != "" {
		query = "?next=" + next
	}
	return strings.TrimRight(base, "/") + "/sign-in" + query + "#token=" + token
}

// Run prints the token or the link, and nothing else, so that a script can take
// it.
func (c *tokenCommand) Run(out io.Writer) error {
	secret, err := c.secret()
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Config{Mode: auth.Mode(c.Mode), Secret: secret.current, Issuer: c.JWTIssuer, Audience: c.JWTAudience})
	if err != nil {
		return &usageError{err}
	}
	token, err := a.Mint(auth.Claims{
		Subject: c.Sub, Name: c.Name, Phone: c.Phone, Email: c.Email, Org: c.Org, Role: c.Role,
	}, c.TTL)
	if field := (*auth.ConfigError)(nil); errors.As(err, &field) {
		return usage("%s: %w", flagOfClaim(field.Field), field.Err)
	}
	if err != nil {
		return &usageError{err}
	}
	if c.Link != "" {
		token = signInLink(c.Link, "", token)
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

// flagOfClaim names the flag that a field of auth.Claims comes from.
func flagOfClaim(field string) string {
	if field == "Subject" {
		return "--sub"
	}
	return "--" + strings.ToLower(field)
}
