package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/server/auth"
)

// tokenCommand mints a token that the server on the same data directory takes.
type tokenCommand struct {
	keyFlags

	Sub   string        `required:"" help:"Who the token is for: 1 to 128 characters of A-Z a-z 0-9 . _ : @ + - |"`
	Name  string        `help:"Name to show."`
	Phone string        `help:"Phone number."`
	Email string        `help:"E-mail address."`
	Mode  string        `default:"production" enum:"production,demo" help:"Mode of the server that it is for."`
	TTL   time.Duration `name:"ttl" default:"1h" help:"How long it is good for (1s to 24h)."`
}

// Validate holds the values against their ranges; kong calls it after parsing.
func (c *tokenCommand) Validate() error {
	if !inRange(c.TTL, time.Second, auth.MaxLife) {
		return fmt.Errorf("--ttl takes 1s to %s", auth.MaxLife)
	}
	return nil
}

// Run prints the token, and nothing else, so that a script can take it.
func (c *tokenCommand) Run(out io.Writer) error {
	secret, err := c.secret()
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Config{Mode: auth.Mode(c.Mode), Secret: secret, Issuer: c.JWTIssuer, Audience: c.JWTAudience})
	if err != nil {
		return &usageError{err}
	}
	token, err := a.Mint(auth.Claims{Subject: c.Sub, Name: c.Name, Phone: c.Phone, Email: c.Email}, c.TTL)
	if err != nil {
		return &usageError{err}
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

// secretVariable is the only way beside a file that the secret comes by: a flag
// would stand in every process list.
const secretVariable = "PARLEY_JWT_SECRET"

// secret is the token secret: from the file named, from the environment, or
// made once in the data directory.
func (k *keyFlags) secret() ([]byte, error) {
	fromEnv, set := os.LookupEnv(secretVariable)
	switch {
	case set && k.JWTSecretFile != "":
		return nil, &usageError{fmt.Errorf("give the token secret by --jwt-secret-file or by %s, not both", secretVariable)}
	case set:
		if err := auth.CheckSecret([]byte(fromEnv)); err != nil {
			return nil, &usageError{fmt.Errorf("%s: %w", secretVariable, err)}
		}
		return []byte(fromEnv), nil
	case k.JWTSecretFile != "":
		secret, err := auth.ReadSecret(k.JWTSecretFile)
		if err != nil {
			return nil, &usageError{err}
		}
		return secret, nil
	}
	if err := os.MkdirAll(k.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	secret, err := auth.LoadOrGenerateSecret(filepath.Clean(k.DataDir))
	if err != nil {
		return nil, &usageError{err}
	}
	return secret, nil
}
