package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"parley/server/agent"
	"parley/server/agent/config"
	"parley/server/agent/upstream"
	"parley/server/auth"
	"parley/server/doctor"
	"parley/server/relay"
	"parley/server/reload"
	"parley/server/store"
	"parley/server/store/postgres"
	"parley/server/turn"
	"parley/shared/wire"
)

// doctorCommand takes the flags of serve: it is their configuration that is looked at.
type doctorCommand struct {
	serveCommand

	URL  string `name:"url" help:"Address that callers open, such as https://voice.example.org; without it, the first of --domain."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// errFaults is the answer of a look that found any; they are printed.
var errFaults = errors.New("calls won't work like this: mend what is marked fault, and run parley doctor again")

// Validate holds what serve takes, and the address; kong calls it after parsing.
func (c *doctorCommand) Validate() error {
	if c.URL != "" {
		if err := checkOrigin(c.URL); err != nil {
			return fmt.Errorf("--url takes the address of a server, such as https://parley.example: %w", err)
		}
	}
	return c.serveCommand.Validate()
}

// Run prints what was found, and fails if it is a fault.
func (c *doctorCommand) Run(ctx context.Context, out io.Writer) error {
	cfg, err := c.examined()
	if err != nil {
		return err
	}
	found := doctor.Examine(ctx, cfg)
	if err := c.print(out, found); err != nil {
		return err
	}
	for _, f := range found {
		if f.Result == doctor.Fault {
			return errFaults
		}
	}
	return nil
}

func (c *doctorCommand) print(out io.Writer, found []doctor.Finding) error {
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"findings": found})
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range found {
		line := fmt.Sprintf("%s\t%s\t%s", f.Result, f.Check, f.Says)
		if f.Act != "" {
			line += " " + f.Act
		}
		fmt.Fprintln(table, line) // a tabwriter's errors come by Flush
	}
	return table.Flush()
}

// examined is the configuration in the doctor's words.
func (c *doctorCommand) examined() (cfg doctor.Config, err error) {
	public, err := c.publicIPs()
	if err != nil {
		return cfg, &usageError{err}
	}
	roots, err := readRoots("--acme-ca-root", c.ACMECARoot)
	if err != nil {
		return cfg, err
	}
	cfg = doctor.Config{
		HTTP: c.HTTP, Redirect: c.redirectAddress(), Media: c.MediaAddr,
		IsHTTPS: c.isHTTPS(), IsProxied: len(c.TrustedProxies) > 0, IsDemo: auth.Mode(c.Mode) == auth.Demo,
		URL: cmp.Or(c.URL, c.Provider.URL, c.firstDomain()), PublicIPs: public,
		AllowPrivate: c.MediaPrivate || auth.Mode(c.Mode) == auth.Demo,
		Domains:      c.Domain, CertificateDir: filepath.Join(c.DataDir, "certificates"), ACMECA: c.ACMECA, ACMERoots: roots,
		TURN: c.TURN == "on", ICEServers: c.externalServers, Token: c.doctorToken,
		DataDir: c.DataDir, DiskReserve: store.DefaultDiskReserve, LogMaxSize: c.LogMaxSize.bytes(), FreeSpace: store.DiskOf,
		Files: c.namedFiles(), Recipients: c.recipients(), Issuer: c.Provider.Issuer, KeysURL: c.JWKSURL, ClockError: auth.Leeway,
	}
	if len(c.Domain) > 0 {
		cfg.Roots = roots // of the authority that issues them
	}
	cfg.Addresses = func() (told []netip.Addr, err error) {
		return relay.Advertised(relay.Config{Addr: c.MediaAddr, PublicIPs: public, AllowPrivate: cfg.AllowPrivate})
	}
	if c.TLSCert != "" {
		cfg.Certificate = c.certificatePair
	}
	if c.Database != "" {
		address, err := postgres.ParseAddress(c.Database)
		if err != nil {
			return cfg, usage("--database: %w", err)
		}
		cfg.Database = address.Check
	}
	return cfg, nil
}

func (c *doctorCommand) firstDomain() string {
	if len(c.Domain) == 0 {
		return ""
	}
	return "https://" + c.Domain[0]
}

func (c *doctorCommand) certificatePair() (*tls.Certificate, error) {
	cert, err := os.ReadFile(c.TLSCert)
	if err != nil {
		return nil, err
	}
	key, err := auth.ReadGroupFile(c.TLSKey)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	return &pair, err
}

// externalServers are those of --ice-servers, with credentials of this look's own.
func (c *doctorCommand) externalServers() ([]wire.ICEServer, error) {
	external, err := c.readICEServers()
	if err != nil {
		return nil, err
	}
	return turn.NewIssuer(turn.IssuerConfig{External: external}).ICEServers(turn.Holder{Account: doctorName}), nil
}

// doctorName is whom the running server's log has asking.
const doctorName = "parley-doctor"

// doctorToken makes a token as parley token does, but no secret where there is none.
func (c *doctorCommand) doctorToken() (string, error) {
	current, err := c.presentSecret()
	if err != nil {
		return "", err
	}
	a, err := auth.New(auth.Config{Mode: auth.Mode(c.Mode), Secret: current, Issuer: c.JWTIssuer, Audience: c.JWTAudience})
	if err != nil {
		return "", err
	}
	claims := auth.Claims{Subject: doctorName}
	if auth.Mode(c.Mode) == auth.Organization {
		claims.Org = doctorName
	}
	return a.Mint(claims, time.Minute)
}

func (c *doctorCommand) presentSecret() ([]byte, error) {
	file, err := c.secretFile()
	if err != nil {
		return nil, err
	}
	if file == "" {
		return []byte(os.Getenv(secretVariable)), nil
	}
	current, _, err := auth.ReadSecrets(file)
	return current, err
}

// namedFiles are those that flags name and that no other check reads.
func (c *doctorCommand) namedFiles() (files []doctor.File) {
	if file, err := c.secretFile(); err == nil && c.JWTSecretFile != "" {
		files = append(files, doctor.File{Name: "token secret", Act: "Correct --jwt-secret-file.", Read: func() error {
			_, _, err := auth.ReadSecrets(file)
			return err
		}})
	}
	if c.JWKSFile != "" {
		files = append(files, doctor.File{Name: "keys", Act: "Correct --jwks-file: a JWK Set with the issuer's public keys.", Read: func() error {
			_, err := auth.New(auth.Config{Mode: auth.Mode(c.Mode), Keys: auth.KeySource{File: c.JWKSFile}, Issuer: c.JWTIssuer, Audience: c.JWTAudience})
			return err
		}})
	}
	if c.Agents != "" {
		files = append(files, doctor.File{Name: "agents", Act: "Correct the file of --agents; parley agents check makes a call to each.", Read: c.readAgents})
	}
	for _, token := range []struct{ name, flag, file string }{
		{"metrics token", "--metrics-token-file", c.MetricsTokenFile},
		{"log export's token", "--log-export-token-file", c.LogExportTokenFile},
		{"OTLP token", "--otlp-token-file", c.OTLPTokenFile},
	} {
		if token.file != "" {
			files = append(files, doctor.File{Name: token.name, Act: "Correct " + token.flag + ".", Read: func() error {
				_, err := reload.LoadToken(token.flag, token.file)
				return err
			}})
		}
	}
	if c.SMTPPasswordFile != "" {
		files = append(files, doctor.File{Name: "mail password", Act: "Correct --smtp-password-file.", Read: func() error {
			_, err := auth.ReadPrivateFile(c.SMTPPasswordFile)
			return err
		}})
	}
	for _, roots := range []struct{ name, flag, file string }{
		{"log export's roots", "--log-export-ca", c.LogExportCA}, {"OTLP roots", "--otlp-ca", c.OTLPCA}, {"mail server's roots", "--smtp-ca", c.SMTPCA},
	} {
		if roots.file != "" {
			files = append(files, doctor.File{Name: roots.name, Act: "Correct " + roots.flag + ": certificates as PEM.", Read: func() error {
				_, err := readRoots(roots.flag, roots.file)
				return err
			}})
		}
	}
	return files
}

// usualPorts are those of schemes that flags take.
var usualPorts = map[string]string{"https": "443", "http": "80", "smtps": "465", "smtp": "587", "syslog+tls": "6514"}

// recipients are whom flags have the server send to.
func (c *doctorCommand) recipients() (all []doctor.Recipient) {
	for _, r := range []struct{ name, flag, address string }{
		{"mail server", "--smtp-server", c.SMTPServer}, {"log export", "--log-export", c.LogExport}, {"OTLP collector", "--otlp-endpoint", c.OTLPEndpoint},
	} {
		u, err := url.Parse(r.address)
		if r.address == "" || err != nil || u.Hostname() == "" {
			continue // what is no address is refused by serve's own check
		}
		all = append(all, doctor.Recipient{
			Name: r.name, Address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), usualPorts[u.Scheme])),
			Act: "Look whether it is up and whether this machine may reach it, and at " + r.flag + ".",
		})
	}
	return all
}

func (c *doctorCommand) readAgents() error {
	log := slog.New(slog.DiscardHandler)
	hangups := upstream.NewHangups(unkept{}, log)
	_, err := config.NewLoader(config.LoaderConfig{
		File: c.Agents, Getenv: os.Getenv, Builtin: agent.Builtin(nil), Registry: agent.NewRegistry(), Hangups: hangups, Logger: log,
	}).Load()
	return errors.Join(err, hangups.Close())
}
