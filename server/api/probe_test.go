package api_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"parley/shared/rest"
)

// Load balancers ask as they have for decades: without a Host, by HEAD, by
// OPTIONS.
func TestOldProbes(t *testing.T) {
	r := newRig(t, nil)
	for sent, want := range map[string]int{
		"GET " + rest.PathReady + " HTTP/1.0\r\n\r\n":                            200,
		"GET " + rest.PathHealth + " HTTP/1.0\r\n\r\n":                           200,
		"HEAD " + rest.PathReady + " HTTP/1.0\r\n\r\n":                           200,
		"HEAD " + rest.PathHealth + " HTTP/1.1\r\nHost: parley.test\r\n\r\n":     200,
		"OPTIONS " + rest.PathReady + " HTTP/1.0\r\n\r\n":                        204,
		"OPTIONS " + rest.PathMe + " HTTP/1.1\r\nHost: parley.test\r\n\r\n":      204,
		"OPTIONS /api/v1/nothing HTTP/1.1\r\nHost: parley.test\r\n\r\n":          404,
		"OPTIONS * HTTP/1.1\r\nHost: parley.test\r\n\r\n":                        200,
		"GET " + rest.PathReady + " HTTP/1.0\r\nHost: x:y\r\n\r\n":               400,
		"GET " + rest.PathReady + " HTTP/1.1\r\n\r\n":                            400,
		"GET " + rest.PathMe + " HTTP/1.0\r\n\r\n":                               400,
		"GET " + rest.PathHealth + " HTTP/1.1\r\nHost: parley.test:8080\r\n\r\n": 200,
	} {
		conn := r.raw(sent)
		res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: strings.Fields(sent)[0]})
		if err != nil || res.StatusCode != want {
			t.Errorf("%q gets %v %v, want %d", sent, res, err, want)
			continue
		}
		if want == 204 && !strings.Contains(res.Header.Get("Allow"), "GET") {
			t.Errorf("%q: Allow %q", sent, res.Header.Get("Allow"))
		}
	}
}
