package e2e_test

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// axe checks pages against WCAG and what goes with it. It is fetched once, by
// name and version, and is no part of Parley.
const (
	axePackage = "axe-core@4.14.1"
	axeArchive = "axe-core-4.14.1.tgz"
	axeScript  = "package/axe.min.js"
)

// npmArchives is where packages of npm's are kept for the next run.
const npmArchives = "../../bin/tools"

var axeSource = sync.OnceValues(func() (string, error) {
	archive, err := npmArchive(axePackage, axeArchive)
	if err != nil {
		return "", err
	}
	return fromArchive(archive, axeScript)
})

// npmArchive is the archive of a package of npm's, which is fetched once.
func npmArchive(name, archive string) (path string, err error) {
	path = filepath.Join(npmArchives, archive)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(npmArchives, 0o755); err != nil {
		return "", err
	}
	npm := exec.Command("npm", "pack", name)
	npm.Dir = npmArchives
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// fromArchive reads one file of a compressed archive.
func fromArchive(archive, name string) (string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(z); ; {
		head, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("%s in %s: %w", name, archive, err)
		}
		if head.Name == name {
			raw, err := io.ReadAll(files)
			return string(raw), err
		}
	}
}

// isAccessibleWideAndNarrow lets axe look at the page in both windows, wide in light and
// narrow in dark, checks that the narrowest needs no sideways scrolling, and keeps a
// picture of each.
func (s *screen) isAccessibleWideAndNarrow(name string) {
	s.t.Helper()
	wide := fmt.Sprintf("%s at %d", name, desktop.width)
	s.keep(wide + " light")
	s.checkAxe(wide, everyRule)
	s.isAccessibleNarrow(name)
}

// isAccessibleNarrow does the narrow half, for one of many states that share a page.
func (s *screen) isAccessibleNarrow(name string) {
	s.t.Helper()
	at := fmt.Sprintf("%s at %d", name, phone.width)
	s.resize(phone)
	s.wear("dark")
	s.keep(at + " dark")
	s.checkAxe(at, everyRule)
	s.wear("light")
	s.resize(narrow)
	s.fitsAcross(name)
	s.keep(name + " at 320")
	s.resize(desktop)
}

// isAccessible lets axe look at the page, in light and in dark, and keeps a
// picture of both.
func (s *screen) isAccessible(name string) {
	s.t.Helper()
	s.keep(name + " light")
	s.checkAxe(name+" light", everyRule)
	s.wear("dark")
	s.keep(name + " dark")
	s.checkAxe(name+" dark", rulesOfColour)
	s.wear("light")
}

// Which of its rules axe looks for (its API's runOnly). Dark differs from light in
// nothing but colours.
const (
	everyRule     = "null"
	rulesOfColour = "{ type: 'rule', values: ['color-contrast', 'link-in-text-block'] }"
)

// checkAxe lets axe look at the page as it is now.
func (s *screen) checkAxe(name, rules string) {
	s.t.Helper()
	source, err := axeSource()
	if err != nil {
		s.t.Fatal(err)
	}
	if !evaluate[bool](s, "!!window.axe") {
		evaluate[any](s, source+"; 0")
	}
	type findings struct {
		Passes     int
		Violations []string
	}
	var found findings
	eventually(s.t, name+": axe finds something to look at", patience, func() (string, bool) { // not while the page is put together
		found = evaluate[findings](s, `(async () => {
	  const found = await axe.run(document, { runOnly: `+rules+` ?? undefined, resultTypes: ['violations'], preload: false });
	  return { Passes: found.passes.length, Violations: found.violations.map(v => v.id + ': ' +
	    v.nodes.map(n => n.target.join(' ') + ' (' + n.failureSummary + ')').join('; ')) };
	})()`)
		return s.text(), found.Passes > 0
	})
	for _, v := range found.Violations {
		s.t.Errorf("%s: %s", name, v)
	}
}

// Every page, in every state that a browser can be brought to, narrow and wide.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	b := startBrowser(t, microphone{voice: voice(t)}, nil, withMotion)
	both := func(s *screen, name string) { t.Helper(); s.isAccessibleWideAndNarrow(name) }

	stranger := b.open(srv.origin() + "/sign-in")
	stranger.says("Access token")
	both(stranger, "sign-in")
	stranger.goTo(srv.origin() + "/sign-in#token=" + token(srv.callerLink) + "x")
	stranger.mayComplain("401")
	stranger.says("This token isn't valid for this server.")
	both(stranger, "sign-in refused")

	admin := b.open(srv.adminLink)
	admin.says("No calls yet.")
	both(admin, "overview without calls")
	admin.press("Sessions")
	both(admin, "sessions without calls")

	caller := b.signIn(srv.callerLink)
	both(caller, "ready")
	caller.press("Check microphone")
	caller.says("We can hear you")
	both(caller, "checked")
	caller.startCall()
	both(caller, "in a call")
	caller.press("Details")
	caller.says("Estimated MOS")
	both(caller, "details")
	caller.types("?")
	caller.says("Hold to talk while muted")
	both(caller, "keys")
	caller.press("Close")

	id := srv.onlySession(t).ID
	admin.says(short(id))
	both(admin, "sessions")
	admin.keepBoth("sessions")
	admin.press("Actions for " + short(id))
	both(admin, "the menu")
	admin.press("End call…")
	admin.says("End this call?")
	both(admin, "the dialog")
	admin.press("Cancel")
	admin.press("Overview")
	admin.says("Quality now")
	both(admin, "overview")

	caller.press("End")
	caller.says("You ended the call.")
	both(caller, "ended")
	caller.mayComplain("403")
	caller.goTo(srv.origin() + "/admin")
	caller.says("Admins only")
	both(caller, "admins only")
	caller.pictures("admins-only")
	caller.mayComplain("404")
	caller.goTo(srv.origin() + "/nowhere")
	caller.says("There's nothing here")
	both(caller, "not found")
}
