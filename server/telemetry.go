package main

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"parley/server/reload"
	"parley/server/telemetry"
)

// telemetryFlags say where traces, metrics and log records go by OTLP.
type telemetryFlags struct {
	OTLPEndpoint  string  `name:"otlp-endpoint" env:"PARLEY_OTLP_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" help:"Collector of OpenTelemetry that gets traces, metrics and log lines by OTLP over HTTP: https://…, of which /v1/traces and the others are below. Nothing in them names anybody."`
	OTLPSample    float64 `name:"otlp-sample" default:"0.1" help:"Share of traces that is sent (0 to 1)."`
	OTLPTokenFile string  `name:"otlp-token-file" type:"path" help:"File with the bearer token for it."`
	OTLPCA        string  `name:"otlp-ca" type:"path" help:"File of root certificates that its own hangs from, in place of the machine's."`

	otlpToken *reload.Token
	telemetry *telemetry.Telemetry // nil: nobody takes any
}

// openTelemetry makes what telemetry is handed to, if anybody takes it.
func (c *serveCommand) openTelemetry() (err error) {
	if c.OTLPSample < 0 || c.OTLPSample > 1 {
		return usage("--otlp-sample takes 0 to 1")
	}
	if c.OTLPEndpoint == "" {
		if c.OTLPTokenFile+c.OTLPCA != "" {
			return usage("--otlp-token-file and --otlp-ca go with --otlp-endpoint: write where the collector is")
		}
		return nil
	}
	cfg := telemetry.Config{SampleRatio: c.OTLPSample, Node: c.Node, Version: version}
	cfg.Endpoint, err = url.Parse(c.OTLPEndpoint)
	if err != nil || cfg.Endpoint.Scheme != "https" && cfg.Endpoint.Scheme != "http" || cfg.Endpoint.Host == "" || cfg.Endpoint.User != nil || cfg.Endpoint.RawQuery != "" {
		return usage("--otlp-endpoint takes https://host:4318 or http://, without user or query")
	}
	c.otlpToken = reload.NoToken()
	if c.OTLPTokenFile != "" {
		if c.otlpToken, err = reload.LoadToken("--otlp-token-file", c.OTLPTokenFile); err != nil {
			return &usageError{err}
		}
	}
	if cfg.RootCAs, err = readRoots("--otlp-ca", c.OTLPCA); err != nil {
		return err
	}
	cfg.Token = c.otlpToken.Value
	c.telemetry = telemetry.New(cfg)
	return nil
}

// traceRequest tells of a request to the API. Whoever asks can't say that it is to be
// traced, unless it is a proxy of ours.
func (s *Server) traceRequest(r *http.Request, id, route string, status int, begun time.Time) {
	if !strings.HasPrefix(r.URL.Path, "/api/") && !strings.HasPrefix(r.URL.Path, "/v1/") {
		return // probes and scrapes
	}
	of := telemetry.Request{Route: route, ID: id, Status: status, Begun: begun}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && s.authority.IsProxy(peer.Addr()) {
		of.Traceparent = r.Header.Get("Traceparent")
	}
	s.flags.telemetry.TraceRequest(of)
}
