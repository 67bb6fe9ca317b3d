package routes

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/admin/load"
	"parley/app/call"
	"parley/app/client"
	"parley/shared/rest"
)

// ShellOf is the shell around a page, for somebody or for nobody yet.
func ShellOf(path string, me *rest.Me) app.UI {
	return shellIn(Callers, append(callerPages(), adminPages()...), path, me)
}

// AdminShellOf is the shell of the admins' program.
func AdminShellOf(path string, me *rest.Me) app.UI {
	return shellIn(Admins, adminPages(), path, me)
}

func shellIn(p Program, pages []page, path string, me *rest.Me) app.UI {
	s := newServices(Deps{}, p, pages)
	if p == Callers {
		s.addCall()
	}
	return &shell{Path: path, me: me, services: s}
}

// Theme walks through the themes.
func Theme(s string) (next, label string, icon string) {
	t := theme(s)
	return string(t.next()), t.label(), string(t.icon())
}

// KeepTheme keeps a theme in the settings, and reads it again.
func KeepTheme(s string, settings call.Storage) (read string) {
	theme(s).keep(settings)
	return string(readTheme(settings))
}

// Initials are those in the head.
func Initials(name, subject string) string {
	return initials(&rest.Me{Name: name, Subject: subject})
}

// Paths are all addresses inside the shell, with their titles.
func Paths() map[string]string {
	out := map[string]string{}
	for _, p := range append(callerPages(), adminPages()...) {
		out[p.path] = p.title
	}
	return out
}

// FrontOf is the page at /, before and after the server gave no answer.
func FrontOf(failed bool) app.UI { return &front{services: &services{}, failed: failed} }

// IsSignedOut reports whether an error says that nobody is signed in.
var IsSignedOut = isSignedOut

// WhoAmI asks for the rights.
func WhoAmI(ctx context.Context, f client.Fetcher) (*rest.Me, error) {
	return whoAmI(ctx, &services{client: client.New(f, nil)})
}

// HasMonitor reports whether pages get a way to the server.
func HasMonitor(f client.Fetcher) bool {
	s := &services{}
	if f != nil {
		s.client = client.New(f, nil)
	}
	return s.monitor() != nil
}

// GoWithin is how long the second key may take.
const GoWithin = goWithin

// Entry is a place in the menu.
type Entry struct {
	Path, Label, Key string
	IsAdmins         bool
}

// Menu lists all places.
func Menu() (all []Entry) {
	for _, e := range menu() {
		all = append(all, Entry{e.path, e.label, e.key, e.isAdmins})
	}
	return all
}

func shellFor(path string, me *rest.Me) *shell {
	program, pages := Callers, callerPages()
	if IsAdmins(path) {
		program, pages = Admins, adminPages()
	}
	s := newServices(Deps{}, program, pages)
	return &shell{Path: path, me: me, services: s}
}

// Commands are what the palette shows for a query.
func Commands(path string, me *rest.Me, query string) (labels []string) {
	s := shellFor(path, me)
	s.palette.query = query
	for _, c := range s.commands() {
		labels = append(labels, c.label)
	}
	return labels
}

// CurlPath is what the command asks for.
var CurlPath = curlPath

// Press presses keys, with a pause before each but the first.
func Press(path string, me *rest.Me, keys string, at time.Time, pause time.Duration) (to string, opensList bool) {
	s := shellFor(path, me)
	s.services.goes = func(_ app.Context, address string) { to = address }
	for _, key := range keys {
		s.shortcut(app.Context{}, string(key), at)
		at = at.Add(pause)
	}
	return to, s.open == openShortcuts
}

// NoticeOf is what stands at the foot of a page.
func NoticeOf(isReady, isOffer, isApple, isBusy bool) app.UI {
	return &notice{services: newServices(Deps{}, Admins, nil), isReady: isReady, isOffer: isOffer, isApple: isApple, isBusy: isBusy}
}

// UnreachableShellOf is the admins' shell around a page, after the server gave no answer.
func UnreachableShellOf(path string) app.UI {
	s := AdminShellOf(path, nil).(*shell)
	s.isUnreachable = true
	return s
}

// NarrowRail presses the rail's last button, and draws the shell: as it is then, and as
// it comes up again in this browser.
func NarrowRail(me *rest.Me, settings call.Storage) (pressed app.UI, isKept bool) {
	s := shellFor("/admin", me)
	s.services.deps.Settings = settings
	s.isNarrow = readNarrow(settings)
	s.toggleNarrow()
	return s, readNarrow(settings)
}

// CountOf is what stands behind an entry of the menu.
func CountOf(path string, counts load.Counts, privacy string, isMonitoringOff bool) app.UI {
	return &countedLink{Path: path, Label: "Entry", counts: counts, privacy: privacy, isOff: isMonitoringOff}
}
