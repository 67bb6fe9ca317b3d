// Package site owns what a browser loads: pages, styles, icons, manifest,
// worker and the WebAssembly program, with the headers that keep all of it
// apart from other sites. It shows the same to everyone and refuses to render
// anything that came with a request.
package site

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/routes"
	"parley/shared/rest"
	"parley/web"
)

// Config is what a Site is made of. The zero value serves what is embedded.
type Config struct {
	// Release is the program's version; it is part of what the browser compares.
	Release string
	// Env is readable by everyone, in /app.js. No secrets.
	Env map[string]string
	// Demo says so on the sign-in page, before anybody has signed in. The
	// browser's side reads it from the environment, as EnvDemo.
	Demo bool
	// ProviderName is what people may sign in with beside links and tokens, as the
	// button says it; "": nothing. The browser's side reads it as EnvProvider.
	ProviderName string
	// Secure tells whether a request came by HTTPS; default: by its connection.
	Secure func(*http.Request) bool
	// AdminProblem is why whoever sent a request may see no admin page, "" for who
	// may. Without it the page itself finds out.
	AdminProblem func(*http.Request) rest.ProblemCode
	// Files default to web.Files.
	Files fs.FS
}

// EnvDemo is "1" in the browser's environment (app.Getenv) in demo mode.
const EnvDemo = "PARLEY_DEMO"

// EnvProvider is Config.ProviderName in the browser's environment.
const EnvProvider = "PARLEY_SIGN_IN_WITH"

// Site is the handler of all that isn't the interface's.
type Site struct {
	secure       func(*http.Request) bool
	adminProblem func(*http.Request) rest.ProblemCode
	assets       assets
	version      string
	// pages are each program's. The admins' differ in the script that loads it.
	pages map[routes.Program]*app.Handler
}

// New reads the files and registers the pages.
func New(c Config) (*Site, error) {
	if c.Files == nil {
		c.Files = web.Files
	}
	if c.Secure == nil {
		c.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	if c.AdminProblem == nil {
		c.AdminProblem = func(*http.Request) rest.ProblemCode { return "" }
	}
	found, err := readAssets(c.Files)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	env := maps.Clone(c.Env)
	if c.Demo {
		env = withVariable(env, EnvDemo, "1")
	}
	if c.ProviderName != "" {
		env = withVariable(env, EnvProvider, c.ProviderName)
	}
	// What Register returns ends calls: a server that only prerenders has none.
	_ = routes.RegisterAll(routes.Deps{Demo: c.Demo})
	s := &Site{secure: c.Secure, adminProblem: c.AdminProblem, assets: found, version: contentHash(found, env, c.Release)}
	s.pages = map[routes.Program]*app.Handler{
		routes.Callers: s.handler(env, routes.Callers, callersWASM),
		routes.Admins:  s.handler(env, routes.Admins, adminsWASM),
	}
	return s, nil
}

func withVariable(env map[string]string, name, value string) map[string]string {
	if env == nil {
		env = make(map[string]string)
	}
	env[name] = value
	return env
}

// Version is a hash of all that the browser gets: equal on every instance of a
// build, different after any change.
func (s *Site) Version() string { return s.version }

// Built tells whether the programs for the browser are in the binary.
func (s *Site) Built() bool {
	return s.assets[callersWASM].isBuilt() && s.assets[adminsWASM].isBuilt()
}

// handler configures go-app for a program. Every icon is named: its defaults
// are remote.
func (s *Site) handler(env map[string]string, p routes.Program, wasm string) *app.Handler {
	return &app.Handler{
		Name:        "Parley",
		ShortName:   "Parley",
		Title:       "Parley",
		Description: "Talk to your agent.",
		Lang:        "en",
		Icon: app.Icon{
			Default:  "/web/icons/parley-192.png",
			Large:    "/web/icons/parley-512.png",
			SVG:      "/web/icons/parley.svg",
			Maskable: "/web/icons/parley-maskable-512.png",
		},
		Image:                 "/web/icons/parley-512.png",
		ThemeColor:            "#3B3FCB",
		BackgroundColor:       "#F6F7F9",
		LoadingLabel:          "Loading Parley… {progress}%",
		Styles:                s.assets.styles(p),
		CacheableResources:    []string{"/web/icons/parley.svg", "/web/offline.html", "/web/offline.js", "/web/early.js"},
		RawHeaders:            []string{`<meta name="color-scheme" content="light dark">`, `<script src="/web/early.js"></script>`},
		Env:                   maps.Clone(env),
		Version:               s.version,
		Resources:             resolver{s, wasm},
		WasmContentLength:     strconv.Itoa(s.assets[wasm].size),
		ServiceWorkerTemplate: string(s.assets[workerPath].raw),
	}
}

// resolver serves /web/… for go-app, which would compress nothing.
type resolver struct {
	site *Site
	wasm string // where the program is
}

// Resolve implements app.ResourceResolver: every file is where it says, but for
// the program, of which go-app knows one.
func (v resolver) Resolve(location string) string {
	switch location {
	case "":
		return "/"
	case callersWASM:
		return v.wasm
	}
	return location
}

func (v resolver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.site.serveAsset(w, r, r.URL.Path)
}

// ServeHTTP serves files of ours by themselves, and the rest by go-app.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.setHeaders(w.Header(), r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r)
		return
	}
	if !cleanPath.MatchString(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	if asset, ok := siteFilePaths()[r.URL.Path]; ok {
		s.serveAsset(w, r, asset)
		return
	}
	if !s.Built() && !isAsset(r.URL.Path) {
		s.serveUnbuilt(w, r)
		return
	}
	if isPage(r.URL.Path) {
		s.servePage(w, r)
		return
	}
	r = s.shellRequest(r)
	program := routes.Callers
	if r.URL.Path == adminsScript {
		program, r.URL.Path = routes.Admins, callersScript
	}
	s.pages[program].ServeHTTP(w, r)
}

// The scripts that load a program. go-app names its own in every page: the
// admins' pages get the other name.
const (
	callersScript = "/app.js"
	adminsScript  = "/admin/app.js"
)

// refuseMethod answers what pages and files aren't asked by; OPTIONS asks for
// just that (RFC 9110 §9.3.7).
func refuseMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	// With a length the answer ends by itself, though a body may still come.
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusMethodNotAllowed)
}

// isPage tells addresses of pages from go-app's own files and ours.
func isPage(path string) bool {
	switch path {
	case callersScript, adminsScript, "/goapp.js", "/wasm_exec.js", "/app-worker.js", "/app.wasm", "/goapp.wasm":
		return false
	}
	return !isAsset(path)
}

// siteFilePaths are served before go-app can: its own robots.txt and the like would
// be fetched from whatever Host says; its manifest has no id and no shortcuts;
// its splash hides the page.
func siteFilePaths() map[string]string {
	return map[string]string{
		"/robots.txt":           "/web/robots.txt",
		"/sitemap.xml":          "", // there is nothing to find without signing in
		"/ads.txt":              "",
		"/favicon.ico":          "/web/icons/parley-32.png",
		"/manifest.webmanifest": "/web/manifest.webmanifest",
		"/manifest.json":        "/web/manifest.webmanifest",
		"/app.css":              "/web/splash.css",
	}
}

func (s *Site) serveUnbuilt(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	if r.Method != http.MethodHead {
		_, _ = w.Write(s.assets[unbuiltPath].raw) // the client is gone: nobody to tell
	}
}
