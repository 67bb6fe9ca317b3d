package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"parley/server/auth"
)

// usage makes a usageError: what the flag takes, in one sentence.
func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// commandPrefix is what kong puts before the error of a command's Validate.
var commandPrefix = regexp.MustCompile(`^(?:serve|token|secret rotate|rotate|backup|restore|doctor|health|sessions|end|stats|audit verify|verify|agents check|check): `)

// namesFlag is a flag that a sentence speaks of.
var namesFlag = regexp.MustCompile(`--([a-z][a-z-]*)`)

// sayWhere says a mistake in the words of whoever made it: a flag that came by
// the environment by its variable, and no command that nobody typed.
func sayWhere(err error, args []string) error {
	var mistake *usageError
	if !errors.As(err, &mistake) {
		return err
	}
	said := commandPrefix.ReplaceAllString(mistake.Error(), "")
	said = namesFlag.ReplaceAllStringFunc(said, func(flag string) string {
		variable := "PARLEY_" + strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_"))
		if _, isSet := os.LookupEnv(variable); !isSet || isGiven(flag, args) {
			return flag
		}
		return variable
	})
	return usage("%s", said)
}

func isGiven(flag string, args []string) bool {
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); name == flag {
			return true
		}
	}
	return false
}

// flagOf names the flags that the fields of an auth.Config come from.
func (c *serveCommand) flagOf(field string) string {
	switch field {
	case "Admins":
		return "--admins"
	case "Auditors":
		return "--auditors"
	case "Keys":
		if c.JWKSURL != "" {
			return "--jwks-url"
		}
		return "--jwks-file"
	case "AllowedOrigins":
		return "--allowed-origins"
	case "TrustedProxies":
		return "--trusted-proxies"
	case "AdminAllow":
		return "--admin-allow"
	case "Secret":
		return c.secretSource()
	}
	return field
}

// secretSource says where the token secret comes from.
func (k *secretFlags) secretSource() string {
	if k.JWTSecretFile != "" {
		return "--jwt-secret-file"
	}
	if _, isSet := os.LookupEnv(secretVariable); isSet {
		return secretVariable
	}
	return "--data-dir"
}

// mistakenFlag says by its flag what is wrong with the configuration of auth.
func (c *serveCommand) mistakenFlag(err error) error {
	var field *auth.ConfigError
	if errors.As(err, &field) {
		return usage("%s: %w", c.flagOf(field.Field), field.Err)
	}
	return &usageError{err}
}

// mistakenAddress says by its flag why an address can't be listened on. One in
// use is no mistake: it may be free the next time.
func mistakenAddress(flag, addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: another program already listens on %s: end it, or write another port", flag, addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return usage("%s: %s is no address of this machine: write one that is, or :PORT for all of them", flag, addr)
	case errors.Is(err, fs.ErrPermission):
		return usage("%s: this user may not listen on %s: write a port from 1024", flag, addr)
	}
	return usage("%s: %q is no address to listen on: write ADDRESS:PORT, or :PORT for all addresses", flag, addr)
}

// mistakenDirectory says what is wrong with the data directory.
func mistakenDirectory(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EROFS) {
		return usage("--data-dir takes a directory that this user may write to: %w", err)
	}
	return fmt.Errorf("--data-dir: %w", err)
}
