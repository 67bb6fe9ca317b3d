package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"parley/server/auth"
	"parley/server/reload"
	"parley/server/settings"
	"parley/server/site"
	"parley/server/turn"
	"parley/shared/rest"
)

// commandLine is the whole of it: `parley --help` prints this struct.
type commandLine struct {
	Serve    serveCommand    `cmd:"" default:"withargs" help:"Run the server."`
	Token    tokenCommand    `cmd:"" help:"Mint a token with the local secret, for a developer or a script."`
	Secret   secretCommand   `cmd:"" help:"Change the token secret."`
	Backup   backupCommand   `cmd:"" help:"Copy the record of a server, which may be running, into a directory."`
	Restore  restoreCommand  `cmd:"" help:"Put a backup into a data directory, with no server on it."`
	Database databaseCommand `cmd:"" help:"Move the record to PostgreSQL."`
	Audit    auditCommand    `cmd:"" help:"Look into the audit log."`
	Agents   agentsCommand   `cmd:"" help:"Try the agents at realtime voice services."`
	Doctor   doctorCommand   `cmd:"" help:"Look whether this machine is ready for what serve would be given: ports, address, certificate, microphone, TURN, disk, clock. Exit 1 if calls won't work."`
	Health   healthCommand   `cmd:"" help:"Ask a server whether it lives; exit 1 if not. For a container's check."`
	Sessions sessionsCommand `cmd:"" help:"List the calls of a running server."`
	End      endCommand      `cmd:"" help:"End calls of a running server."`
	Stats    statsCommand    `cmd:"" help:"Print what a running server counts: calls, states, quality, causes, refusals."`
	Version  versionCommand  `cmd:"" help:"Print version, commit, Go, SQLite and pion."`
}

// secretFlags say where the token secret is. It comes by file or by the
// environment variable PARLEY_JWT_SECRET, never by a flag.
type secretFlags struct {
	DataDir       string `default:"./parley-data" type:"path" help:"Where the server keeps its files (created with mode 0700)."`
	JWTSecretFile string `name:"jwt-secret-file" type:"path" help:"File with the token secret, 32 bytes or more. Without it and without PARLEY_JWT_SECRET one is made in the data directory."`
}

// keyFlags say what tokens are signed with, by whom and for whom.
type keyFlags struct {
	secretFlags

	JWTIssuer   string `name:"jwt-issuer" default:"parley" help:"The iss that tokens must carry."`
	JWTAudience string `name:"jwt-audience" default:"parley" help:"The aud that tokens must carry."`
}

type serveCommand struct {
	keyFlags
	databaseFlag
	databaseWaitFlag
	clusterFlags
	busFlags

	HTTP           string   `name:"http" default:":8080" help:"Address of pages, API and signaling."`
	TLSCert        string   `name:"tls-cert" type:"path" help:"Certificate file; with --tls-key, HTTPS. Without it plain HTTP, meant for localhost or behind a proxy."`
	TLSKey         string   `name:"tls-key" type:"path" help:"Key file for --tls-cert."`
	Domain         []string `help:"Names of this server, for which it gets and renews a certificate by itself (ACME): HTTPS on --http, then :443, and plain HTTP on --http-redirect. Using it is agreeing to the authority's terms."`
	ACMEEmail      string   `name:"acme-email" help:"Address that the authority writes to when something is wrong with the certificate."`
	ACMECA         string   `name:"acme-ca" default:"https://acme-v02.api.letsencrypt.org/directory" help:"Directory URL of the certificate authority."`
	ACMECARoot     string   `name:"acme-ca-root" type:"path" help:"File of the root certificates that a private authority's own certificate hangs from."`
	ACMEEABKID     string   `name:"acme-eab-kid" help:"Key identifier of an account that was made at the authority beforehand (external account binding, RFC 8555)."`
	ACMEEABKeyFile string   `name:"acme-eab-key-file" type:"path" help:"File with that account's MAC key, in base64url as the authority shows it."`
	ACMEProfile    string   `name:"acme-profile" help:"Kind of certificate, in the authority's words: shortlived, for one of six days."`
	HTTPRedirect   string   `name:"http-redirect" help:"Address of plain HTTP that sends browsers on to HTTPS; with --domain :80, where the authority looks, too; off for none."`
	MediaAddr      string   `default:":8081" help:"Address of call media: UDP, and TCP on the same number."`
	PublicIP       []string `name:"public-ip" help:"Addresses to offer callers when the server is behind NAT."`
	MediaPrivate   bool     `help:"Allow loopback and private addresses in calls. On in demo mode."`
	TURN           toggle   `name:"turn" default:"on" help:"Relay the media of callers whose network lets no UDP through, on or off: TURN on the port of media, and over TLS beside the pages."`
	ICEServers     string   `name:"ice-servers" type:"path" help:"File of STUN and TURN servers of others that callers are told of, too."`
	WebhookPrivate bool     `help:"Allow loopback and private addresses in webhooks, in any mode."`
	Mode           string   `default:"production" enum:"production,demo,organization" help:"Who may be admin: production (--admins), demo (the server's own demo-admin) or organization (--admins for all, a token's org_admin for its own)."`
	DemoData       bool     `help:"Show made-up calls, of a day and live ones, each marked as such. For --mode=demo alone; they have a record of their own, which a start without this removes."`
	Admins         []string `help:"Admins: sub, phone or e-mail, compared exactly. Unused in demo mode."`
	Auditors       []string `help:"Who sees all that admins see and changes nothing: sub, phone or e-mail, compared exactly. Unused in demo mode."`
	JWKSFile       string   `name:"jwks-file" type:"path" help:"File with the public keys (JWK Set) of the issuer of tokens: RS256, ES256 or EdDSA."`
	JWKSURL        string   `name:"jwks-url" help:"URL of the same, fetched again as keys change."`
	AllowedOrigins []string `help:"Origins besides the server's own that may open the WebSocket and send unsafe requests."`
	AdminAllow     []string `help:"Networks (CIDR) or addresses that admins must come from."`
	TrustedProxies []string `help:"Networks (CIDR) or addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."`

	Provider providerFlags `embed:"" prefix:"oidc-" group:"Accounts of an OpenID Connect provider"`

	IdleTimeout        time.Duration `default:"${idle_timeout_minutes_default}" help:"End a call after this long without speech or activity (${idle_timeout_minutes_range})."`
	IdleWarning        time.Duration `default:"${idle_warning_s_default}" help:"Warn the caller this long before the idle end (${idle_warning_s_range})."`
	MaxDuration        time.Duration `default:"${max_duration_minutes_default}" help:"Longest call (${max_duration_minutes_range})."`
	MaxSessions        int           `default:"${max_sessions_default}" help:"Calls at the same time (${max_sessions_range})."`
	MaxSessionsPerUser int           `default:"${max_sessions_per_user_default}" help:"Calls of one user at the same time (${max_sessions_per_user_range})."`
	MaxSessionsPerOrg  int           `default:"${max_sessions_per_org_default}" help:"Calls of one organization at the same time (${max_sessions_per_org_range})."`
	OrgCaps            []string      `help:"Organizations with a cap of their own, such as acme=20 (${org_caps_range})."`
	LogRetention       days          `default:"${log_retention_days_default}" help:"Keep the access log this long (${log_retention_days_range})."`
	LogMaxSize         byteSize      `default:"1GiB" help:"Most that the access log may take on the disk, its oldest lines go first (1MiB or more)."`
	Privacy            toggle        `default:"${privacy_mode_default}" help:"Privacy mode, ${privacy_mode_range}: mask addresses, e-mails and phone numbers before anything is written or sent."`
	Monitoring         toggle        `default:"${monitoring_default}" help:"Samples, activities and the access log, ${monitoring_range}."`
	ResetSettings      bool          `help:"Forget what was changed at run time: the flags above hold again."`
	ReconnectGrace     time.Duration `default:"30s" help:"Keep a caller's place this long after the connection dropped."`
	DrainTimeout       time.Duration `default:"30s" help:"On SIGTERM, wait this long for calls to end by themselves."`
	StreamLifetime     time.Duration `default:"1h" help:"Life of one monitoring stream before the page opens it anew."`
	Agent              string        `default:"parrot" help:"Agent of callers who choose none: parrot says back what you said, echo returns audio at once, or one of --agents."`
	Agents             string        `type:"path" help:"File of agents at realtime voice services: where each is, with which key, what it is and who may call it."`

	mailFlags
	logExportFlags
	telemetryFlags

	Node             string `help:"Name of this server in logs; the host's, if none is given."`
	MetricsTokenFile string `type:"path" help:"File with the bearer token, 16 characters or more, that may read /metrics, besides admins; or give it by PARLEY_METRICS_TOKEN."`
	LogFormat        string `default:"text" enum:"text,json" help:"Log lines on standard error as text or JSON; with json the access log goes to standard output, too."`
	LogLevel         string `default:"info" enum:"debug,info,warn,error" help:"Least level that is logged."`

	// ReloadInterval is for tests: people needn't care, for SIGHUP is at once.
	ReloadInterval time.Duration `hidden:"" default:"${reload_interval}" help:"Read certificates, keys and secrets again this often."`

	// DemoLive is for tests, too: how many calls of demo data live at a time.
	DemoLive int `hidden:"" default:"40"`

	metricsToken     *reload.Token
	external         []turn.External // of --ice-servers
	unknownVariables []string
	confinement      string // what keeps the process from writing elsewhere
}

// variablePrefix is what the names of our environment variables begin with.
const variablePrefix = "PARLEY"

// parse reads the command line and the environment. The returned bool is false
// when there is nothing left to do (--help).
func parse(args []string, out io.Writer) (*kong.Context, bool, error) {
	var cli commandLine
	printed := false
	parser, err := kong.New(&cli,
		kong.Name("parley"),
		kong.Description("A gateway for realtime voice conversations with AI agents."),
		kong.DefaultEnvars(variablePrefix),
		kong.Vars{"reload_interval": reload.Interval.String()},
		settingVars(),
		kong.Writers(out, out),
		kong.Exit(func(int) { printed = true }),
		kong.ShortUsageOnError(),
	)
	if err != nil {
		return nil, false, fmt.Errorf("command line: %w", err)
	}
	parsed, err := parser.Parse(args)
	if printed {
		return nil, false, helpForServe(parser, args)
	}
	if err != nil {
		return nil, false, &usageError{err}
	}
	cli.Serve.completeAddresses(isGiven("--http", args))
	cli.Doctor.completeAddresses(isGiven("--http", args))
	cli.Serve.unknownVariables = unknownVariables(parser.Model.Node, os.Environ())
	return parsed, true, nil
}

// unknownVariables are those of the environment that would be the program's by
// their prefix, and are no flag's: mistyped ones, most likely.
func unknownVariables(commands *kong.Node, environment []string) (unknown []string) {
	known := map[string]bool{secretVariable: true, metricsTokenVariable: true, providerSecretVariable: true, remoteTokenVariable: true}
	known[site.EnvDemo], known[site.EnvProvider] = true, true // go-app puts them there for the pages' sake
	for _, command := range append(commands.Leaves(false), commands) {
		for _, flag := range command.Flags {
			for _, name := range flag.Envs {
				known[name] = true
			}
		}
	}
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, variablePrefix+"_") && !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// helpForServe adds the flags of serve to a plain --help: serve is what runs
// when no command is named.
func helpForServe(parser *kong.Kong, args []string) error {
	if len(args) != 1 || args[0] != "--help" && args[0] != "-h" {
		return nil
	}
	if _, err := fmt.Fprintln(parser.Stdout); err != nil {
		return err
	}
	_, _ = parser.Parse([]string{"serve", "--help"}) // prints; there is nothing to run
	return nil
}

// settingVars are what tags say of runtime settings: ${NAME_default} and
// ${NAME_range}, by their names in the interface.
func settingVars() kong.Vars {
	vars := make(kong.Vars)
	for _, d := range settings.Definitions() {
		vars[d.Name+"_default"], vars[d.Name+"_range"] = d.FlagDefault(), d.FlagRange()
	}
	return vars
}

// settingFlags name the flag of each runtime setting that has one.
var settingFlags = map[string]string{
	rest.SettingIdleTimeout:  "idle-timeout",
	rest.SettingIdleWarning:  "idle-warning",
	rest.SettingMaxDuration:  "max-duration",
	rest.SettingMaxSessions:  "max-sessions",
	rest.SettingMaxPerUser:   "max-sessions-per-user",
	rest.SettingMaxPerOrg:    "max-sessions-per-org",
	rest.SettingOrgCaps:      "org-caps",
	rest.SettingLogRetention: "log-retention",
	rest.SettingPrivacy:      "privacy",
	rest.SettingMonitoring:   "monitoring",
	rest.SettingAdminAllow:   "admin-allow",
}

// Validate holds every value against its range; kong calls it after parsing.
func (c *serveCommand) Validate() error {
	first := c.initialSettings()
	for _, d := range settings.Definitions() {
		if flag, there := settingFlags[d.Name]; there && !d.Allows(first) {
			return fmt.Errorf("--%s takes %s", flag, d.FlagRange())
		}
	}
	if _, problem := settings.ReadOrgCaps(strings.Join(c.OrgCaps, ",")); problem != "" {
		return errors.New("--org-caps: " + problem)
	}
	checks := []struct {
		flag     string
		ok       bool
		expected string
	}{
		{"reconnect-grace", c.ReconnectGrace > 0, "more than 0s"},
		{"drain-timeout", c.DrainTimeout >= 0, "0s or more"},
		{"stream-lifetime", c.StreamLifetime > 0, "more than 0s"},
		{"database-wait", inRange(c.DatabaseWait, 0, time.Hour), "0s to 1h"},
		{"reload-interval", inRange(c.ReloadInterval, time.Millisecond, time.Minute), "1ms to 1m"},
	}
	for _, check := range checks {
		if !check.ok {
			return fmt.Errorf("--%s takes %s", check.flag, check.expected)
		}
	}
	if c.IdleWarning >= c.IdleTimeout && c.IdleWarning != settings.Defaults().IdleWarning { // whoever says nothing of it gets it cut
		return errors.New("--idle-warning takes less than --idle-timeout")
	}
	if c.DemoData && auth.Mode(c.Mode) != auth.Demo {
		return errors.New("--demo-data shows made-up calls and goes with --mode=demo alone: write that, or leave it out")
	}
	if c.DemoData && c.Database != "" {
		return errors.New("--demo-data keeps its made-up calls in files of their own: leave --database out, or --demo-data")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together: write both, or neither")
	}
	if err := c.validateDomains(); err != nil {
		return err
	}
	if c.JWKSFile != "" && c.JWKSURL != "" {
		return errors.New("--jwks-file and --jwks-url name the same keys: write one, not both")
	}
	if err := errors.Join(c.Provider.check(), c.databaseFlag.check(), c.clusterFlags.check(c.Database), c.busFlags.check(c.isNode())); err != nil {
		return err
	}
	_, err := c.publicIPs()
	return err
}

func inRange(d, least, most time.Duration) bool { return d >= least && d <= most }

func (c *serveCommand) publicIPs() ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, s := range c.PublicIP {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("--public-ip: %q is no IP address", s)
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}

func (c *serveCommand) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
