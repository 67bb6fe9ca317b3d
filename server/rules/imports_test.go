package rules_test

import (
	"slices"
	"strings"
	"testing"
)

// Third-party modules by the names that the table uses.
var modules = map[string]string{
	"go-app":     "github.com/maxence-charriere/go-app/v10",
	"pion":       "github.com/pion",
	"pion/rtp":   "github.com/pion/rtp",
	"pion/rtcp":  "github.com/pion/rtcp",
	"gorilla":    "github.com/gorilla/websocket",
	"golang-jwt": "github.com/golang-jwt/jwt/v5",
	"go-oidc":    "github.com/coreos/go-oidc/v3",
	"oauth2":     "golang.org/x/oauth2",
	"huma":       "github.com/danielgtaylor/huma/v2",
	"kong":       "github.com/alecthomas/kong",
	"brotli":     "github.com/andybalholm/brotli",
	"prometheus": "github.com/prometheus/client_golang",
	"certmagic":  "github.com/caddyserver/certmagic",
	"acmez":      "github.com/mholt/acmez/v3",
	"go-systemd": "github.com/coreos/go-systemd/v22",
	"zap":        "go.uber.org/zap",
	"landlock":   "github.com/landlock-lsm/go-landlock",
	"go-mail":    "github.com/wneessen/go-mail",
	"go-smtp":    "github.com/emersion/go-smtp",
	"go-sasl":    "github.com/emersion/go-sasl",
	"x/time":     "golang.org/x/time",
	"x/sys":      "golang.org/x/sys",
	// In the tests' own module.
	"pebble":       "github.com/letsencrypt/pebble/v2",
	"challtestsrv": "github.com/letsencrypt/challtestsrv",
	"sqlite":       "modernc.org/sqlite",
	"goose":        "github.com/pressly/goose/v3",
	"pgx":          "github.com/jackc/pgx/v5",
	"nats":         "github.com/nats-io",
	"json/v2":      "github.com/go-json-experiment/json",
	"jsonschema":   "github.com/santhosh-tekuri/jsonschema/v6",
	"zstd":         "github.com/klauspost/compress/zstd",
	"yaml":         "github.com/goccy/go-yaml",
	"dto":          "github.com/prometheus/client_model",
	"otlp":         "go.opentelemetry.io/proto/slim/otlp",
	"protobuf":     "google.golang.org/protobuf",
}

// A row is what a package may import besides the standard library, and what of
// the standard library it never may.
type row struct{ may, never []string }

var (
	noIO      = []string{"net", "net/http", "os", "syscall/js"}
	noBrowser = []string{"net/http", "syscall/js"}
	shared    = []string{"shared/wire", "shared/rest", "shared/rtcstats", "shared/quality"}
	pages     = []string{"go-app", "app/ui", "app/client", "shared/rest"}
	formPage  = []string{"go-app", "app/ui", "app/admin/load", "shared/rest"}
)

// table is the house: an edge that isn't written here fails.
var table = map[string]row{
	"shared/rtcstats": {never: noIO},
	"shared/quality":  {may: []string{"shared/rtcstats"}, never: noIO},
	"shared/wire":     {may: []string{"shared/rtcstats", "shared/quality", "json/v2"}, never: noBrowser},
	"shared/rest":     {may: []string{"shared/rtcstats", "shared/quality", "shared/wire"}, never: noBrowser},

	"app/ui":       {may: []string{"go-app", "shared/quality"}, never: noBrowser},
	"app/client":   {may: []string{"shared/quality", "shared/rest", "shared/wire"}, never: noBrowser},
	"app/ui/chart": {may: []string{"go-app", "app/ui", "shared/quality"}, never: noBrowser},
	"app/call":     {may: append([]string{"wasm/peer", "shared/wire", "shared/quality", "shared/rtcstats"}, pages...), never: noBrowser},
	"app/admin":    {may: append([]string{"app/admin/load", "app/ui/chart", "shared/quality", "shared/wire"}, pages...), never: noBrowser},
	"app/routes":   {may: append([]string{"app/call", "app/admin", "app/admin/agents", "app/admin/alerts", "app/admin/detail", "app/admin/load", "app/admin/logs", "app/admin/nodes", "app/admin/people", "app/admin/privacy", "app/admin/settings", "app/admin/usage"}, pages...), never: noBrowser},

	// The pages of an admin: a room for each group, and one for what they all load.
	"app/admin/load":     {may: pages, never: noBrowser},
	"app/admin/detail":   {may: append([]string{"app/admin/load", "app/ui/chart", "shared/quality", "shared/rtcstats", "shared/wire"}, pages...), never: noBrowser},
	"app/admin/alerts":   {may: formPage, never: noBrowser},
	"app/admin/logs":     {may: append([]string{"app/admin/load"}, pages...), never: noBrowser},
	"app/admin/settings": {may: formPage, never: noBrowser},
	"app/admin/agents":   {may: formPage, never: noBrowser},
	"app/admin/nodes":    {may: formPage, never: noBrowser},
	"app/admin/people":   {may: formPage, never: noBrowser},
	"app/admin/privacy":  {may: formPage, never: noBrowser},
	"app/admin/usage":    {may: append([]string{"app/client"}, formPage...), never: noBrowser},

	"wasm":           {may: []string{"go-app", "app/client", "app/call", "app/routes", "wasm/browser", "wasm/peer", "wasm/transport", "shared/rest", "shared/wire"}, never: []string{"net/http"}},
	"wasm/admin":     {may: []string{"go-app", "app/routes", "wasm/browser", "wasm/transport"}, never: []string{"net/http"}},
	"wasm/transport": {may: []string{"app/client", "wasm/browser"}, never: []string{"net/http"}},
	"wasm/browser":   {may: []string{"pion", "shared/wire", "shared/rtcstats", "wasm/peer"}, never: []string{"net/http"}},
	"wasm/peer":      {may: []string{"shared/wire", "shared/rtcstats", "shared/quality"}, never: noBrowser},

	// A client of a developer's own has what is public, and nothing else.
	"wasm/example": {may: []string{"wasm/browser", "wasm/peer", "shared/rest", "shared/wire"}, never: []string{"net/http"}},

	// A caller without a browser, for tests and load: the same peer over pion itself.
	"wasm/peer/native": {may: []string{"pion", "gorilla", "wasm/peer", "shared/wire", "shared/rest", "shared/rtcstats"}, never: []string{"syscall/js"}},

	"server":               {may: []string{"kong", "app/client", "server/", "shared/rest", "shared/wire", "shared/quality"}},
	"server/auth":          {may: []string{"golang-jwt", "x/time", "server/limit", "server/strictjson", "shared/rest"}},
	"server/oidc":          {may: []string{"go-oidc", "oauth2", "server/auth", "shared/rest"}, never: []string{"os", "syscall/js"}},
	"server/session":       {may: []string{"server/fault", "server/settings", "shared/wire", "shared/rtcstats", "shared/quality"}, never: []string{"net/http"}},
	"server/signaling":     {may: []string{"gorilla", "x/time", "server/auth", "server/accesslog", "server/admission", "server/session", "shared/wire", "shared/rest"}},
	"server/callapi":       {may: []string{"gorilla", "server/auth", "server/accesslog", "server/admission", "server/fault", "server/limit", "server/session", "shared/wire", "shared/rest"}},
	"server/admission":     {may: []string{"server/auth", "server/limit", "server/session", "shared/rest"}},
	"server/leg":           {may: []string{"pion/rtp", "pion/rtcp", "shared/rtcstats"}, never: []string{"net", "net/http"}},
	"server/leg/peerconn":  {may: []string{"pion", "server/leg"}, never: []string{"net/http"}},
	"server/relay":         {may: []string{"pion", "x/time", "server/leg", "server/leg/peerconn", "server/limit", "server/relay/transport", "server/turn/demux", "shared/wire", "shared/rtcstats"}, never: []string{"net/http"}},
	"server/turn":          {may: []string{"pion", "yaml", "x/time", "server/limit", "server/metrics", "server/turn/demux", "shared/wire"}, never: []string{"net/http", "syscall/js"}},
	"server/turn/demux":    {never: noBrowser},
	"server/turn/probe":    {may: []string{"pion", "shared/wire"}, never: []string{"net/http", "syscall/js"}},
	"server/agent":         {may: []string{"pion", "server/leg", "shared/rest", "shared/wire", "shared/rtcstats"}},
	"server/bridge":        {may: []string{"pion", "server/admission", "server/leg", "server/telemetry", "server/relay", "server/agent", "server/agent/budget", "server/session", "server/monitor", "server/fault", "shared/rest", "shared/wire", "shared/rtcstats", "shared/quality"}},
	"server/monitor":       {may: append([]string{"server/events"}, shared...), never: []string{"net/http"}},
	"server/demodata":      {may: append([]string{"server/bridge", "server/session"}, shared...), never: []string{"net", "syscall/js"}},
	"server/anomaly":       {may: []string{"shared/rest"}, never: noIO},
	"server/events":        {never: noBrowser},
	"server/bus":           {may: []string{"nats"}, never: []string{"net/http", "os/exec"}},
	"server/nodes":         {may: []string{"server/bus", "server/fault", "server/health", "server/monitor", "shared/rest", "shared/quality", "shared/wire"}, never: []string{"os", "syscall/js"}},
	"server/fault":         {never: noIO},
	"server/strictjson":    {may: []string{"json/v2"}, never: noIO},
	"server/limit":         {may: []string{"x/time"}, never: noIO},
	"server/api":           {may: []string{"huma", "json/v2", "server/auth", "server/accesslog", "server/events", "server/fault", "server/limit", "server/strictjson", "shared/rest", "shared/wire", "shared/quality"}},
	"server/store":         {may: []string{"sqlite", "goose", "zstd", "server/anomaly", "server/fault", "server/store/postgres", "shared/rest", "shared/quality", "shared/wire", "shared/rtcstats"}, never: noBrowser},
	"server/mail/mailtest": {may: []string{"go-smtp", "go-sasl"}},
	"server/logtest":       {never: noIO},
	"server/mail":          {may: []string{"go-mail"}, never: []string{"os", "net/http", "syscall/js"}},
	"server/alert":         {may: []string{"server/fault", "server/mail", "server/outbound", "server/settings", "shared/rest", "shared/quality"}, never: []string{"os", "syscall/js"}},
	"server/metrics":       {may: []string{"prometheus", "dto", "shared/rest", "shared/quality", "shared/rtcstats", "shared/wire"}},
	"server/site":          {may: []string{"go-app", "app/routes", "web", "shared/rest"}},
	"server/audit":         {may: []string{"server/fault", "shared/rest"}, never: noBrowser},
	"server/admin":         {may: []string{"server/alert", "server/audit", "server/fault", "server/session", "shared/rest", "shared/wire"}, never: noBrowser},
	"server/logexport":     {may: []string{"x/sys", "server/metrics", "shared/rest"}, never: []string{"syscall/js"}},
	"server/telemetry":     {may: []string{"dto", "otlp", "protobuf"}, never: []string{"os", "syscall/js"}},
	"server/settings":      {may: []string{"server/fault", "shared/rest"}, never: noIO},
	"server/privacy":       {may: []string{"landlock", "x/sys", "shared/rest"}, never: []string{"net/http"}},
	"server/accesslog":     {may: []string{"shared/rest"}},
	"server/health":        {may: []string{"server/alert", "server/anomaly", "server/monitor", "server/settings", "server/store", "shared/rest", "shared/quality"}, never: noBrowser},
	"server/cluster":       {may: []string{"server/fault", "server/session", "server/settings", "server/store"}, never: noBrowser},
	"server/backup":        {may: []string{"server/audit", "server/store"}, never: []string{"net", "net/http"}},
	"server/reload":        {may: []string{"server/auth"}, never: noBrowser},
	"server/doctor":        {may: []string{"x/sys", "server/turn/probe", "shared/rest", "shared/wire"}, never: []string{"syscall/js"}},
	"server/certificate":   {may: []string{"certmagic", "acmez", "zap"}},
	"server/systemd":       {may: []string{"go-systemd", "x/sys"}, never: noBrowser},
	"server/rules":         {},
	"server/chaos":         {},
	"server/bench":         {may: []string{"gorilla", "pion", "x/sys", "server/auth", "server/bench/caller", "server/bus", "server/cluster", "server/leg", "server/relay", "server/agent", "server/agent/double", "server/agent/upstream", "server/session", "server/store", "server/store/postgres", "server/store/postgres/postgrestest", "shared/rest", "shared/quality", "shared/wire", "shared/rtcstats"}},

	// What carries callers' media.
	"server/relay/transport": {may: []string{"pion", "x/sys", "server/limit", "server/stamp"}, never: []string{"net/http"}},
	"server/bench/caller":    {may: []string{"pion", "server/stamp", "shared/wire"}},
	"server/stamp":           {may: []string{"x/sys"}, never: []string{"net/http"}},

	// What the record needs of PostgreSQL alone, and one to try it on.
	"server/store/postgres":              {may: []string{"pgx"}, never: noBrowser},
	"server/store/postgres/postgrestest": {may: []string{"pgx"}, never: noBrowser},

	// Requests to endpoints that the operator names.
	"server/outbound": {may: []string{"gorilla", "shared/rest"}, never: []string{"os", "syscall/js"}},

	// The agent's rooms.
	"server/agent/budget":   {may: []string{"shared/rest"}, never: noIO},
	"server/agent/tool":     {may: []string{"jsonschema", "json/v2", "server/outbound", "shared/rest"}, never: []string{"os", "syscall/js"}},
	"server/agent/realtime": {may: []string{"x/time", "json/v2", "shared/rest"}, never: noIO},

	// Agents at services of others.
	"server/agent/config":     {may: []string{"yaml", "server/agent", "server/agent/realtime", "server/agent/tool", "server/agent/upstream", "server/outbound", "shared/rest"}},
	"server/agent/double":     {may: []string{"gorilla", "pion", "server/leg/peerconn", "shared/wire"}},
	"server/agent/double/cmd": {may: []string{"server/agent/double"}},
	"server/agent/upstream":   {may: []string{"pion", "server/agent", "server/agent/budget", "server/agent/realtime", "server/agent/tool", "server/leg", "server/leg/peerconn", "server/outbound", "shared/rest", "shared/rtcstats", "shared/wire"}},

	"web":      {},
	"web/pack": {may: []string{"brotli"}},
	"web/draw": {},

	// What brings the server to a machine.
	"server/packaging":      {},
	"server/packaging/sbom": {},

	// The tests' own module.
	"server/e2e":             {},
	"server/e2e/acme":        {},
	"server/e2e/authority":   {may: []string{"pebble", "challtestsrv"}},
	"server/e2e/prometheus":  {},
	"server/e2e/netpath":     {may: []string{"x/sys"}},
	"server/e2e/cmd/netpath": {may: []string{"server/e2e/netpath"}},
}

// allowed tells if row has an import. An entry that ends in a slash stands for
// all packages under it.
func (r row) allowed(path string) bool {
	local, ours := strings.CutPrefix(path, module+"/")
	if isStandard(path) {
		return !slices.Contains(r.never, path)
	}
	return slices.ContainsFunc(r.may, func(entry string) bool {
		if ours {
			return entry == local || strings.HasSuffix(entry, "/") && strings.HasPrefix(local, entry)
		}
		prefix, known := modules[entry]
		return known && (path == prefix || strings.HasPrefix(path, prefix+"/"))
	})
}

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != module && !strings.Contains(first, ".")
}

func TestEveryImportIsInTheTable(t *testing.T) {
	for _, p := range packages(t) {
		r, known := table[p.local()]
		if !known {
			t.Errorf("%s (%s) has no row in the table", p.ImportPath, p.target)
			continue
		}
		for _, path := range p.Imports {
			if !r.allowed(path) {
				t.Errorf("%s imports %s (%s), which its row does not allow", p.local(), path, p.target)
			}
		}
	}
}

// What nobody uses anymore is taken back, so that it isn't used again unseen.
func TestNoRowAllowsWhatNobodyUses(t *testing.T) {
	imports := map[string][]string{}
	for _, p := range packages(t) {
		imports[p.local()] = append(imports[p.local()], p.Imports...)
	}
	for name, r := range table {
		for _, entry := range r.unused(imports[name]) {
			t.Errorf("the row of %s allows %s, which it does not import", name, entry)
		}
	}
}

// unused are the entries that none of the imports needs.
func (r row) unused(imports []string) (entries []string) {
	for _, entry := range r.may {
		if !slices.ContainsFunc(imports, row{may: []string{entry}}.needs) {
			entries = append(entries, entry)
		}
	}
	return entries
}

// needs tells if an import of ours or of others is one that the row is for.
func (r row) needs(path string) bool { return !isStandard(path) && r.allowed(path) }

func TestAnUnusedAllowanceIsFound(t *testing.T) {
	r := row{may: []string{"pion", "gorilla", "shared/wire", "server/"}}
	imports := []string{"net/http", "github.com/pion/webrtc/v4", module + "/server/auth", module + "/shared/wire/sub"}
	if got := r.unused(imports); !slices.Equal(got, []string{"gorilla", "shared/wire"}) {
		t.Errorf("unused: %q", got)
	}
}

func TestTheTableHasNoEmptyRooms(t *testing.T) {
	found := map[string]bool{}
	for _, p := range packages(t) {
		found[p.local()] = true
	}
	for name := range table {
		if !found[name] {
			t.Errorf("the table has a row for %s, which is not there", name)
		}
	}
}

func TestTheTableRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		pkg, path string
		want      bool
	}{
		"what is written":            {"server/session", module + "/shared/wire", true},
		"the standard library":       {"server/session", "time", true},
		"a part of a module":         {"server/relay", "github.com/pion/webrtc/v4", true},
		"all under a slash":          {"server", module + "/server/auth", true},
		"what is not written":        {"server/session", module + "/server/relay", false},
		"a driver":                   {"server/session", "github.com/gorilla/websocket", false},
		"what is refused by name":    {"server/session", "net/http", false},
		"a name that begins alike":   {"server/relay", "github.com/pionier/x", false},
		"another room of the server": {"app/call", module + "/server/session", false},
		"pages of the other kind":    {"app/call", module + "/app/admin", false},
		"the browser below pages":    {"wasm/peer", "syscall/js", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := table[test.pkg].allowed(test.path); got != test.want {
				t.Errorf("%s importing %s: %v, want %v", test.pkg, test.path, got, test.want)
			}
		})
	}
}

// The browser's programs must not drag the server along.
func TestTheBrowserHasNothingOfTheServer(t *testing.T) {
	for _, program := range []string{"./wasm", "./wasm/admin"} {
		for _, path := range dependencies(t, "js", "wasm", program) {
			if path == module+"/server" || strings.HasPrefix(path, module+"/server/") {
				t.Errorf("%s depends on %s", program, path)
			}
		}
	}
}
