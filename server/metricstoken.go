package main

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"parley/server/auth"
)

// The metrics token, too, comes by a file or the environment alone.
const metricsTokenVariable = "PARLEY_METRICS_TOKEN"

// minMetricsToken is what can't be guessed at 20 tries a minute, or at any rate
// that a network has.
const minMetricsToken = 16

// metricsToken is the bearer token for /metrics. One of a file may change while
// the server runs.
type metricsToken struct {
	file  string
	value atomic.Pointer[string]
}

// readMetricsToken returns the token of this configuration, which may be none.
func (c *serveCommand) readMetricsToken() (*metricsToken, error) {
	fromEnv, isSet := os.LookupEnv(metricsTokenVariable)
	m := &metricsToken{file: c.MetricsTokenFile}
	m.value.Store(new(string))
	var err error
	switch {
	case isSet && m.file != "":
		return nil, usage("give the metrics token by --metrics-token-file or by %s, not both", metricsTokenVariable)
	case m.file != "":
		_, err = m.Reload()
	case isSet:
		err = m.set(metricsTokenVariable, fromEnv)
	}
	if err != nil {
		return nil, &usageError{err}
	}
	return m, nil
}

// Value is the token as it is now; "" where there is none.
func (m *metricsToken) Value() string { return *m.value.Load() }

// Reload takes up the file as it is now, if it has a token that may be one.
func (m *metricsToken) Reload() (changed bool, err error) {
	raw, err := auth.ReadPrivateFile(m.file)
	if err != nil {
		return false, fmt.Errorf("--metrics-token-file: %w", err)
	}
	before := m.Value()
	err = m.set("--metrics-token-file", string(raw))
	return m.Value() != before, err
}

func (m *metricsToken) set(from, token string) error {
	if token = strings.TrimSpace(token); len(token) < minMetricsToken {
		return fmt.Errorf("%s has %d characters: write %d or more", from, len(token), minMetricsToken)
	}
	m.value.Store(&token)
	return nil
}
