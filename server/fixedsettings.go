package main

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"parley/shared/rest"
)

// fixedSettings are what admins are told of the flags, beside the settings that they change:
// nothing secret, and of the addresses of others the host alone.
func (c *serveCommand) fixedSettings() []rest.FixedSetting {
	database := "SQLite"
	if c.Database != "" {
		database = "PostgreSQL, " + hostOf(c.Database)
	}
	return []rest.FixedSetting{
		{Flag: "mode", Value: c.Mode},
		{Flag: "stream-lifetime", Value: shortDuration(c.StreamLifetime)},
		{Flag: "reconnect-grace", Value: shortDuration(c.ReconnectGrace)},
		{Flag: "log-level", Value: c.LogLevel},
		{Flag: "database", Value: database},
		{Flag: "log-export", Value: hostOf(c.LogExport)},
		{Flag: "otlp-endpoint", Value: hostOf(c.OTLPEndpoint)},
	}
}

// shortDuration is 1h rather than 1h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// hostOf is the host of an address; "nobody" where there is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil { // as of a database by keywords
		return "elsewhere"
	}
	return cmp.Or(u.Host, "nobody")
}
