package main

import (
	"context"
	"log/slog"
	"net/url"

	"parley/server/api"
	"parley/server/logexport"
	"parley/server/reload"
	"parley/server/store"
	"parley/shared/rest"
)

// logExportFlags say where the access log and the audit log are handed on to.
type logExportFlags struct {
	LogExport          string `help:"Collector that gets the access log and the audit log, masked as the API tells them: https://…, or syslog+tls://host:6514."`
	LogExportTokenFile string `type:"path" help:"File with the bearer token for a collector by HTTPS."`
	LogExportCA        string `name:"log-export-ca" type:"path" help:"File of root certificates that the collector's own hangs from, in place of the machine's."`

	logExportToken *reload.Token
}

// newLogExporter returns nil where nobody takes the logs.
func (c *serveCommand) newLogExporter(kept *storage, log *slog.Logger) (*logexport.Exporter, error) {
	if c.LogExport == "" {
		return nil, nil
	}
	cfg := logexport.Config{Token: c.logExportToken.Value, Store: leadersLogs{kept.store, kept.isLeader}, Node: c.Node, Version: version, Encode: api.NewEncoder().Encode, Logger: log}
	var err error
	if cfg.Destination, err = url.Parse(c.LogExport); err != nil {
		return nil, usage("--log-export is no address: begin it with https:// or syslog+tls://")
	}
	if cfg.RootCAs, err = readRoots("--log-export-ca", c.LogExportCA); err != nil {
		return nil, err
	}
	exporter, err := logexport.New(cfg)
	if err != nil {
		return nil, usage("--log-export: %w", err)
	}
	return exporter, nil
}

// leadersLogs are those that this server hands on: of a cluster, which has one record, the
// node that leads hands on all.
type leadersLogs struct {
	*store.Store

	isLeader func() bool
}

// UnsentLogs is Store's, or nothing.
func (l leadersLogs) UnsentLogs(ctx context.Context, most int) ([]rest.LogEntry, error) {
	if !l.isLeader() {
		return nil, nil
	}
	return l.Store.UnsentLogs(ctx, most)
}

// UnsentAudit is Store's, or nothing.
func (l leadersLogs) UnsentAudit(ctx context.Context, most int) ([]rest.AuditEntry, error) {
	if !l.isLeader() {
		return nil, nil
	}
	return l.Store.UnsentAudit(ctx, most)
}

// readLogExportToken reads the token of a collector; none is asked for without a file.
func (c *serveCommand) readLogExportToken() (err error) {
	if c.LogExport == "" && c.LogExportTokenFile+c.LogExportCA != "" {
		return usage("--log-export-token-file and --log-export-ca go with --log-export: write where the logs go")
	}
	if c.LogExportTokenFile == "" {
		c.logExportToken = reload.NoToken()
		return nil
	}
	if c.logExportToken, err = reload.LoadToken("--log-export-token-file", c.LogExportTokenFile); err != nil {
		return &usageError{err}
	}
	return nil
}
