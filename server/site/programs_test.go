package site_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/server/site"
)

var (
	scripts = regexp.MustCompile(`<script[^>]* src="([^"]+)"`)
	styles  = regexp.MustCompile(`<link[^>]*href="([^"]+\.css)"`)
)

func found(in *regexp.Regexp, html string) (paths []string) {
	for _, m := range in.FindAllStringSubmatch(html, -1) {
		paths = append(paths, m[1])
	}
	return paths
}

// A page loads one of the two programs, and nothing that only the other needs.
func TestAPageLoadsOneProgram(t *testing.T) {
	_, url := serve(t, site.Config{AdminProblem: adminProblem})
	for path, isAdmins := range map[string]bool{
		"/": false, "/call": false, "/call/sess_1/summary": false, "/sign-in": false, "/sign-in?next=/call": false, "/nothing": false,
		"/sign-in?next=%2Fadminister": false, "/sign-in?next=//admin": false,
		"/admin": true, "/admin/sessions": true, "/admin/sessions/sess_1": true, "/admin/nothing": true,
		"/sign-in?next=/admin": true, "/sign-in?next=%2Fadmin%2Fsessions%3Fquality%3Dpoor": true,
	} {
		html := get(t, url+path).body
		want, never := "/app.js", "/admin/app.js"
		if isAdmins {
			want, never = never, want
		}
		if got := found(scripts, html); !slices.Contains(got, want) || slices.Contains(got, never) {
			t.Errorf("%s loads %v", path, got)
		}
		if got := found(styles, html); slices.Contains(got, "/web/admin.css") != isAdmins || !slices.Contains(got, "/web/parley.css") {
			t.Errorf("%s has the styles %v", path, got)
		}
	}
	if got := found(scripts, get(t, url+"/admin", "Cookie", "caller").body); !slices.Contains(got, "/app.js") {
		t.Errorf("whoever may see no admin page loads %v", got)
	}
	if got := found(scripts, get(t, url+"/admin", "Cookie", "nobody").body); !slices.Contains(got, "/admin/app.js") {
		t.Errorf("who signs in to see an admin page loads %v", got)
	}
}

// Each script loads its own program, which is another.
func TestAScriptLoadsItsProgram(t *testing.T) {
	_, url := serve(t, site.Config{})
	for script, wasm := range map[string]string{"/app.js": "/web/app.wasm", "/admin/app.js": "/web/admin.wasm"} {
		answer := get(t, url+script)
		if answer.status != 200 || !strings.Contains(answer.header.Get("Content-Type"), "javascript") {
			t.Fatalf("%s: %d %v", script, answer.status, answer.header)
		}
		for _, other := range []string{"/web/app.wasm", "/web/admin.wasm"} {
			if loads := strings.Contains(answer.body, `"`+other+`"`); loads != (other == wasm) {
				t.Errorf("%s loads %s: %v", script, other, loads)
			}
		}
		if !strings.Contains(answer.body, `"/app-worker.js"`) {
			t.Errorf("%s starts another worker", script)
		}
	}
	if get(t, url+"/web/app.wasm").body == get(t, url+"/web/admin.wasm").body {
		t.Error("the programs are one")
	}
}

// A server with one of the programs says that it lacks a page.
func TestHalfBuilt(t *testing.T) {
	half := files(t, program)
	delete(half, "admin.wasm.gz")
	s, url := serve(t, site.Config{Files: half})
	if got := get(t, url+"/admin"); s.Built() || got.status != 503 {
		t.Fatalf("built %v, %d", s.Built(), got.status)
	}
}

func TestUnbuilt(t *testing.T) {
	s, url := serve(t, site.Config{Files: files(t, nil)})
	if s.Built() {
		t.Fatal("built")
	}
	got := get(t, url+"/call")
	if got.status != 503 || !strings.Contains(got.body, "make build") || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for path, status := range map[string]int{"/app.css": 200, "/web/icons/parley.svg": 200, "/web/app.wasm": 404, "/app-worker.js": 503, "/robots.txt": 200} {
		if got := get(t, url+path); got.status != status {
			t.Errorf("%s: %d, want %d", path, got.status, status)
		}
	}
}
