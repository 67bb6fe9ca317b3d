package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"parley/server/auth"
)

// secretVariable is the only way beside a file that the secret comes by: a flag
// would stand in every process list.
const secretVariable = "PARLEY_JWT_SECRET"

type secretCommand struct {
	Rotate rotateCommand `cmd:"" help:"Write a new token secret. Tokens and sign-ins of the one before are good until the next rotation."`
}

type rotateCommand struct {
	secretFlags
}

// Run says what is to be done next: the secret is taken up by itself, but not at once.
func (c *rotateCommand) Run(out io.Writer) error {
	file, err := c.secretFile()
	if err != nil {
		return err
	}
	if file == "" {
		return usage("%s gives the token secret, and no program can change it there: write another one and start the server anew, which ends all sign-ins; or write the secret to a file and name that with --jwt-secret-file", secretVariable)
	}
	err = auth.RotateSecret(file)
	if errors.Is(err, fs.ErrPermission) {
		return usage("%s: this user may not replace %s: %w", c.secretSource(), file, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.secretSource(), err)
	}
	_, err = fmt.Fprintf(out, "A new token secret is in %s. A running server takes it up within a minute, at once on SIGHUP.\n"+
		"What the one before signed is good until the next rotation.\n", file)
	return err
}

// tokenSecret is what the server's own tokens are signed with.
type tokenSecret struct {
	current, previous []byte
	file              string // "": it came by the environment, and stays as it is
	generated         bool   // nobody gave it
}

// secretFile is where the token secret is kept; "" where it comes by the environment.
func (k *secretFlags) secretFile() (string, error) {
	_, set := os.LookupEnv(secretVariable)
	switch {
	case set && k.JWTSecretFile != "":
		return "", usage("give the token secret by --jwt-secret-file or by %s, not both", secretVariable)
	case set:
		return "", nil
	case k.JWTSecretFile != "":
		return k.JWTSecretFile, nil
	}
	return auth.SecretFile(filepath.Clean(k.DataDir)), nil
}

// secret is the token secret: from the file named, from the environment, or
// (generated) made once in the data directory.
func (k *secretFlags) secret() (s tokenSecret, err error) {
	if s.file, err = k.secretFile(); err != nil {
		return s, err
	}
	if s.file == "" {
		s.current = []byte(os.Getenv(secretVariable))
		err = auth.CheckSecret(s.current)
	} else {
		if s.generated = k.JWTSecretFile == ""; s.generated {
			err = k.generateSecret()
		}
		if err == nil {
			s.current, s.previous, err = auth.ReadSecrets(s.file)
		}
	}
	var mistake *usageError
	if err != nil && !errors.As(err, &mistake) {
		err = usage("%s: %w", k.secretSource(), err)
	}
	return s, err
}

// generateSecret makes a secret in the data directory, if there is none.
func (k *secretFlags) generateSecret() error {
	if err := os.MkdirAll(k.DataDir, 0o700); err != nil {
		return mistakenDirectory(err)
	}
	_, err := auth.LoadOrGenerateSecret(filepath.Clean(k.DataDir))
	return err
}
