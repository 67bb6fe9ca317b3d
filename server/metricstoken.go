package main

import (
	"os"

	"parley/server/reload"
)

// The metrics token, too, comes by a file or the environment alone.
const metricsTokenVariable = "PARLEY_METRICS_TOKEN"

// readMetricsToken returns the token of this configuration, which may be none.
func (c *serveCommand) readMetricsToken() (token *reload.Token, err error) {
	fromEnv, isSet := os.LookupEnv(metricsTokenVariable)
	switch {
	case isSet && c.MetricsTokenFile != "":
		return nil, usage("give the metrics token by --metrics-token-file or by %s, not both", metricsTokenVariable)
	case c.MetricsTokenFile != "":
		token, err = reload.LoadToken("--metrics-token-file", c.MetricsTokenFile)
	case isSet:
		token, err = reload.FixedToken(metricsTokenVariable, fromEnv)
	default:
		token = reload.NoToken()
	}
	if err != nil {
		return nil, &usageError{err}
	}
	return token, nil
}
