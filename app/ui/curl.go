package ui

// Curl is the command that makes a GET of ours from a shell. The token is the
// reader's to put in: none ever stands in a page.
func Curl(origin, path string) string {
	return `curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" '` + origin + path + `'`
}
