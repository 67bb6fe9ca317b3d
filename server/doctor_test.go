package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/server/doctor"
	"parley/shared/rest"
)

// TestTheDoctorAsksARunningServer: its ports are no fault, and it relays in every way
// that callers are told.
func TestTheDoctorAsksARunningServer(t *testing.T) {
	t.Parallel()
	p := start(t)
	var admission rest.Admission
	p.ask(t, "ann", http.MethodGet, rest.PathAdmission, nil, &admission)
	media := strings.TrimSuffix(strings.TrimPrefix(admission.ICEServers[0].URLs[0], "turn:"), "?transport=tcp")
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"doctor", "--mode=demo", "--http=" + strings.TrimPrefix(p.base, "http://"), "--media-addr=" + media, "--data-dir=" + p.dir, "--url=" + p.base,
	}, &out, io.Discard, nil)
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, says := range []string{
		"and takes calls", media + " (udp) is the running server's", media + " (tcp) is the running server's",
		"TURN over TCP, " + media + ": relays", p.base + " leads to the server", p.dir + " is this user's own",
	} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("nothing says %q in\n%s", says, &out)
		}
	}
}

// TestTheDoctorAsksOverTLS, whatever name the certificate is for.
func TestTheDoctorAsksOverTLS(t *testing.T) {
	t.Parallel()
	cert, key := writeCertificate(t, t.TempDir(), 1) // signed by itself, for localhost
	p := start(t, "--tls-cert="+cert, "--tls-key="+key)
	u, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	found, err := examine(t, "--mode=demo", "--tls-cert="+cert, "--tls-key="+key, "--http=127.0.0.1:"+u.Port(), "--media-addr=127.0.0.1:0", "--data-dir="+p.dir, "--url=https://127.0.0.2:1")
	if exitCode(err) != exitFailed {
		t.Errorf("%v", err)
	}
	for says, result := range map[string]doctor.Result{
		"TURN over TLS, 127.0.0.1:" + u.Port() + ": relays": doctor.OK,
		"open 127.0.0.2 refuse it":                          doctor.Fault,
		"doesn't lead to it":                                doctor.Warning,
	} {
		if !hasFinding(found, result, says) {
			t.Errorf("no %s says %q in %+v", result, says, found)
		}
	}
}

// TestTheDoctorKnowsAServerOfOtherFlags.
func TestTheDoctorKnowsAServerOfOtherFlags(t *testing.T) {
	t.Parallel()
	p := start(t)
	cert, key := writeCertificate(t, t.TempDir(), 1)
	found, err := examine(t, "--mode=demo", "--tls-cert="+cert, "--tls-key="+key, "--http="+strings.TrimPrefix(p.base, "http://"), "--media-addr=127.0.0.1:0", "--data-dir="+p.dir)
	if err != nil || !hasFinding(found, doctor.Warning, "it doesn't speak HTTPS") {
		t.Errorf("%v, %+v", err, found)
	}
}

// TestTheDoctorTellsAnAddressThatDoesNotLeadBack: the server relays, but not where
// callers are told.
func TestTheDoctorTellsAnAddressThatDoesNotLeadBack(t *testing.T) {
	t.Parallel()
	p := start(t, "--public-ip=127.0.0.77")
	var admission rest.Admission
	p.ask(t, "ann", http.MethodGet, rest.PathAdmission, nil, &admission)
	told := strings.TrimSuffix(strings.TrimPrefix(admission.ICEServers[0].URLs[0], "turn:"), "?transport=tcp")
	_, port, err := net.SplitHostPort(told)
	if err != nil {
		t.Fatal(err)
	}
	found, err := examine(t, "--mode=demo", "--public-ip=127.0.0.77", "--http="+strings.TrimPrefix(p.base, "http://"), "--media-addr=127.0.0.1:"+port, "--data-dir="+p.dir)
	if err != nil {
		t.Error(err)
	}
	if !hasFinding(found, doctor.Warning, "TURN over TCP, "+told+": this machine doesn't reach it") {
		t.Errorf("nothing is told of it: %+v", found)
	}
}

// examine runs the command for its JSON.
func examine(t *testing.T, flags ...string) ([]doctor.Finding, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"doctor", "--json"}, flags...), &out, io.Discard, nil)
	var said struct{ Findings []doctor.Finding }
	if jsonErr := json.Unmarshal(out.Bytes(), &said); jsonErr != nil {
		t.Fatalf("%v, %v: %s", err, jsonErr, &out)
	}
	return said.Findings, err
}

func hasFinding(found []doctor.Finding, result doctor.Result, says string) bool {
	for _, f := range found {
		if f.Result == result && strings.Contains(f.Says+" "+f.Act, says) {
			return true
		}
	}
	return false
}

// TestTheDoctorFindsWhatFlagsName: files that can't be used are faults like others, a
// command line that serve doesn't take is none.
func TestTheDoctorFindsWhatFlagsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := filepath.Join(dir, "data")
	ports := []string{"--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--mode=demo", "--data-dir=" + data}
	const to, mail = "--log-export=https://127.0.0.1:1", "--smtp-server=smtp://alerts@127.0.0.1:1"
	noRoots, open := file("roots.pem", "none", 0o600), file("open", "0123456789abcdef", 0o644)
	for says, flags := range map[string][]string{
		"parley agents check":             {"--agents=" + file("agents.yaml", "agents: 3", 0o600)},
		"Correct --jwks-file":             {"--jwks-file=" + file("keys.json", "{}", 0o600)},
		"Correct --jwt-secret-file":       {"--jwt-secret-file=" + file("secret", "short", 0o644)},
		"Correct the file of --ice-se":    {"--ice-servers=" + file("ice.yaml", "ice_servers: []", 0o600)},
		"Correct --metrics-token-file":    {"--metrics-token-file=" + open},
		"Correct --log-export-token-file": {to, "--log-export-token-file=" + open},
		"Correct --log-export-ca":         {to, "--log-export-ca=" + noRoots},
		"Correct --otlp-token-file":       {"--otlp-endpoint=https://127.0.0.1:1", "--otlp-token-file=" + open},
		"Correct --otlp-ca":               {"--otlp-endpoint=https://127.0.0.1:1", "--otlp-ca=" + noRoots},
		"Correct --smtp-password-file":    {mail, "--smtp-from=parley@example.org", "--smtp-password-file=" + open},
		"Correct --smtp-ca":               {mail, "--smtp-from=parley@example.org", "--smtp-ca=" + noRoots},
	} {
		flag := strings.Join(flags, " ")
		found, err := examine(t, slices.Concat(ports, flags)...)
		if exitCode(err) != exitFailed || !hasFinding(found, doctor.Fault, says) {
			t.Errorf("%s: %v, %+v", flag, err, found)
		}
	}
	found, err := examine(t, slices.Concat(ports, []string{mail, "--smtp-from=parley@example.org", to, "--otlp-endpoint=http://[::1]:1/otlp"})...)
	for _, says := range []string{"127.0.0.1:1 can't be reached", "[::1]:1 can't be reached"} {
		if err != nil || !hasFinding(found, doctor.Warning, says) {
			t.Errorf("%q: %v, %+v", says, err, found)
		}
	}
	for says, flag := range map[string]string{"--url takes": "--url=here", "1m to 240m": "--idle-timeout=59s", "no IP address": "--public-ip=here"} {
		err := run(t.Context(), []string{"doctor", flag}, io.Discard, io.Discard, nil)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the data directory was made")
	}
}
