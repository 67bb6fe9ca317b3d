package site_test

import (
	"encoding/json"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/app/routes"
	"parley/server/site"
)

// TestWorker holds that its installation can't fail: all of the shell is there,
// of this version.
func TestWorker(t *testing.T) {
	s, url := serve(t, site.Config{})
	got := get(t, url+"/app-worker.js")
	if !strings.Contains(got.header.Get("Content-Type"), "javascript") || !strings.Contains(got.body, `const version = "`+s.Version()+`"`) {
		t.Fatalf("%v %.300s", got.header, got.body)
	}
	listOf := func(name string) (paths []string) {
		list := regexp.MustCompile(`const ` + name + ` = (\[[^\]]*\]);`).FindStringSubmatch(got.body)
		if list == nil || json.Unmarshal([]byte(list[1]), &paths) != nil {
			t.Fatalf("no list %s in %.300s", name, got.body)
		}
		return paths
	}
	shell, adminShell := listOf("shell"), listOf("adminShell")
	for _, path := range slices.Concat(shell, adminShell) {
		answer := get(t, url+path)
		if answer.status != 200 || answer.header.Get("ETag") != `"`+s.Version()+`"` {
			t.Errorf("%s: %d, ETag %s", path, answer.status, answer.header.Get("ETag"))
		}
		if strings.HasPrefix(path, "/api/") {
			t.Errorf("%s is kept", path)
		}
		if slices.Contains(shell, path) == slices.Contains(adminShell, path) || strings.Contains(path, "admin") != slices.Contains(adminShell, path) {
			t.Errorf("%s is kept for the others", path)
		}
	}
	for _, path := range []string{"/", "/app.js", "/app.css", "/wasm_exec.js", "/web/app.wasm", "/web/parley.css", "/web/offline.html", "/web/early.js"} {
		if !slices.Contains(shell, path) {
			t.Errorf("%s isn't kept", path)
		}
	}
	for _, path := range []string{"/admin", "/admin/app.js", "/web/admin.wasm", "/web/admin.css"} {
		if !slices.Contains(adminShell, path) {
			t.Errorf("%s isn't kept", path)
		}
	}
	if left := regexp.MustCompile(`{{.*}}`).FindString(got.body); left != "" {
		t.Errorf("left in the template: %s", left)
	}
}

func TestManifest(t *testing.T) {
	_, url := serve(t, site.Config{})
	got := get(t, url+"/manifest.webmanifest")
	if got.header.Get("Content-Type") != "application/manifest+json" {
		t.Fatalf("%v", got.header)
	}
	type icon struct {
		Src, Type, Sizes, Purpose string
		FormFactor                string `json:"form_factor"`
	}
	var m struct {
		ID              string   `json:"id"`
		Name            string   `json:"name"`
		StartURL        string   `json:"start_url"`
		Display         string   `json:"display"`
		DisplayOverride []string `json:"display_override"`
		Icons           []icon
		Screenshots     []icon
		Shortcuts       []struct {
			Name, URL string
			Icons     []icon
		}
	}
	if err := json.Unmarshal([]byte(got.body), &m); err != nil {
		t.Fatal(err)
	}
	if m.ID != "/" || m.Name != "Parley" || m.StartURL != "/" || m.Display != "standalone" || len(m.DisplayOverride) != 2 || len(m.Shortcuts) != 2 {
		t.Fatalf("manifest %+v", m)
	}
	if len(m.Screenshots) != 2 || m.Screenshots[0].FormFactor == m.Screenshots[1].FormFactor {
		t.Errorf("who installs is shown %+v", m.Screenshots)
	}
	icons, maskable := append(m.Icons, m.Screenshots...), false
	for _, s := range m.Shortcuts {
		if !routes.Known(s.URL) {
			t.Errorf("the shortcut %q leads nowhere", s.URL)
		}
		icons = append(icons, s.Icons...)
	}
	for _, i := range icons {
		maskable = maskable || i.Purpose == "maskable"
		picture := get(t, url+i.Src)
		if picture.status != 200 || picture.header.Get("Content-Type") != i.Type {
			t.Errorf("%s: %d %s", i.Src, picture.status, picture.header.Get("Content-Type"))
			continue
		}
		if i.Type != "image/png" {
			continue
		}
		size, err := png.DecodeConfig(strings.NewReader(picture.body))
		if err != nil || i.Sizes != strings.Join([]string{itoa(size.Width), itoa(size.Height)}, "x") {
			t.Errorf("%s is %dx%d, said to be %s: %v", i.Src, size.Width, size.Height, i.Sizes, err)
		}
	}
	if !maskable {
		t.Error("no maskable icon")
	}
}

func itoa(n int) string { raw, _ := json.Marshal(n); return string(raw) }

// TestRuntimeFits: the program runs only on the wasm_exec.js of the Go that
// built it, and go-app brings its own copy.
func TestRuntimeFits(t *testing.T) {
	_, url := serve(t, site.Config{})
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	want, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, url+"/wasm_exec.js").body; strings.TrimSpace(got) != strings.TrimSpace(string(want)) {
		t.Fatal("wasm_exec.js of go-app isn't that of this Go")
	}
}
