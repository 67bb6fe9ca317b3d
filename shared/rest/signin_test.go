package rest_test

import (
	"testing"

	"parley/shared/rest"
)

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/admin/logs?status=4xx": "/admin/logs?status=4xx", "/call": "/call", "": "",
		"//evil.example": "", "/\\evil.example": "", "https://evil.example": "", "call": "",
		"/api/v1/auth/oidc/start": "", "/a\tb": "", "/a\r\nb": "",
	} {
		if got := rest.LocalPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}
