package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake is a command line, with its environment, that can't be served.
type mistake struct {
	args  []string
	env   string
	exit  int
	names string // the flag or variable
	says  string // what to write, or to do
}

// TestEveryMistakeIsOneSentence holds that a program which doesn't come to serve
// says why in one line on standard error, by the flag or the variable that has to
// change, and prints nothing else.
func TestEveryMistakeIsOneSentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key := writeCertificate(t, t.TempDir(), 1)
	_, otherKey := writeCertificate(t, t.TempDir(), 2)
	missing, plain := filepath.Join(dir, "missing"), file("plain", "x", 0o600)
	file("broken/control.db", strings.Repeat("no database ", 1000), 0o600)
	file("keyless/user-key", "short", 0o600)
	file("shared/jwt-secret", strings.Repeat("s", 43), 0o644)
	running := start(t)
	tcp, udp := takePorts(t)

	for name, m := range map[string]mistake{
		"a flag that isn't there":    {args: []string{"--nope"}, exit: 2, names: "--nope", says: "unknown flag"},
		"a command that isn't there": {args: []string{"serv"}, exit: 2, names: "serv", says: "unexpected"},
		"a duration":                 {args: []string{"--idle-timeout=soon"}, exit: 2, names: "--idle-timeout", says: "duration"},
		"a duration by variable":     {env: "PARLEY_IDLE_TIMEOUT=soon", exit: 2, names: "PARLEY_IDLE_TIMEOUT", says: "duration"},
		"a range":                    {args: []string{"--idle-timeout=1s"}, exit: 2, names: "--idle-timeout", says: "1m to 240m"},
		"a range by variable":        {env: "PARLEY_IDLE_TIMEOUT=1s", exit: 2, names: "PARLEY_IDLE_TIMEOUT", says: "1m to 240m"},
		"a flag over a variable":     {args: []string{"--idle-timeout=1s"}, env: "PARLEY_IDLE_TIMEOUT=30m", exit: 2, names: "--idle-timeout", says: "1m to 240m"},
		"a number":                   {args: []string{"--max-sessions=many"}, exit: 2, names: "--max-sessions", says: "int"},
		"a switch":                   {args: []string{"--privacy=maybe"}, exit: 2, names: "--privacy", says: "on nor off"},
		"a mode":                     {args: []string{"--mode=x"}, exit: 2, names: "--mode", says: "production"},
		"an agent":                   {args: []string{"--agent=x"}, exit: 2, names: "--agent", says: "parrot"},
		"a log format":               {args: []string{"--log-format=x"}, exit: 2, names: "--log-format", says: "json"},
		"a log level":                {args: []string{"--log-level=x"}, exit: 2, names: "--log-level", says: "debug"},

		"a mail server":             {args: []string{"--smtp-server=mail.example.org"}, exit: 2, names: "--smtp-server", says: "smtps://host:465"},
		"a mail server's sender":    {args: []string{"--smtp-server=smtps://mail.example.org"}, exit: 2, names: "--smtp-from", says: "no mail address"},
		"a mail server's user":      {args: []string{"--smtp-server=smtps://parley@mail.example.org", "--smtp-from=parley@example.org"}, exit: 2, names: "--smtp-password-file", says: "has no password"},
		"a mail server's password":  {args: []string{"--smtp-server=smtps://parley@mail.example.org", "--smtp-password-file=" + missing}, exit: 2, names: "--smtp-password-file", says: "no such file"},
		"a mail server's authority": {args: []string{"--smtp-server=smtps://mail.example.org", "--smtp-ca=" + plain}, exit: 2, names: "--smtp-ca", says: "certificate"},
		"mail without a server":     {args: []string{"--smtp-from=parley@example.org"}, exit: 2, names: "--smtp-server", says: "which mail server"},

		"a certificate alone":      {args: []string{"--tls-cert=" + cert}, exit: 2, names: "--tls-key", says: "both"},
		"a certificate's file":     {args: []string{"--tls-cert=" + missing, "--tls-key=" + key}, exit: 2, names: "--tls-cert", says: missing},
		"a key's file":             {args: []string{"--tls-cert=" + cert, "--tls-key=" + missing}, exit: 2, names: "--tls-key", says: missing},
		"a key of another":         {args: []string{"--tls-cert=" + cert, "--tls-key=" + otherKey}, exit: 2, names: "--tls-key", says: "does not match"},
		"a certificate that is no": {args: []string{"--tls-cert=" + plain, "--tls-key=" + key}, exit: 2, names: "--tls-cert", says: "PEM"},

		"a public address":             {args: []string{"--public-ip=here"}, exit: 2, names: "--public-ip", says: "no IP address"},
		"a public address by variable": {env: "PARLEY_PUBLIC_IP=here", exit: 2, names: "PARLEY_PUBLIC_IP", says: "no IP address"},
		"an address nobody reaches":    {args: []string{"--public-ip=127.0.0.1"}, exit: 2, names: "--public-ip", says: "--media-private"},
		"an origin":                    {args: []string{"--allowed-origins=pages.example/a"}, exit: 2, names: "--allowed-origins", says: "https://pages.example"},
		"a network of admins":          {args: []string{"--admin-allow=here"}, exit: 2, names: "--admin-allow", says: "10.0.0.0/8"},
		"a network by variable":        {env: "PARLEY_ADMIN_ALLOW=here", exit: 2, names: "PARLEY_ADMIN_ALLOW", says: "10.0.0.0/8"},
		"a proxy's network":            {args: []string{"--trusted-proxies=10.0.0.0/40"}, exit: 2, names: "--trusted-proxies", says: "10.0.0.0/8"},
		"a network of everybody":       {args: []string{"--trusted-proxies=0.0.0.0/0"}, exit: 2, names: "--trusted-proxies", says: "everyone"},
		"bits beyond a mask":           {args: []string{"--admin-allow=10.1.2.3/8"}, exit: 2, names: "--admin-allow", says: "10.0.0.0/8"},
		"an admin of spaces":           {args: []string{"--admins= ann"}, exit: 2, names: "--admins", says: "spaces"},

		"two sources of keys":      {args: []string{"--jwks-file=a", "--jwks-url=https://b"}, exit: 2, names: "--jwks-url", says: "not both"},
		"a key set's file":         {args: []string{"--jwks-file=" + missing}, exit: 2, names: "--jwks-file", says: missing},
		"a key set that is no":     {args: []string{"--jwks-file=" + plain}, exit: 2, names: "--jwks-file", says: "not a JWK Set"},
		"a key set without a key":  {args: []string{"--jwks-file=" + file("empty.json", `{"keys":[]}`, 0o600)}, exit: 2, names: "--jwks-file", says: "no key"},
		"a key set in the open":    {args: []string{"--jwks-url=http://keys.example/"}, exit: 2, names: "--jwks-url", says: "https"},
		"an address of no key set": {args: []string{"--jwks-url=keys"}, exit: 2, names: "--jwks-url", says: "https://host/path"},

		"a secret's file":        {args: []string{"--jwt-secret-file=" + missing}, exit: 2, names: "--jwt-secret-file", says: missing},
		"a short secret":         {args: []string{"--jwt-secret-file=" + plain}, exit: 2, names: "--jwt-secret-file", says: "32"},
		"a secret by variable":   {env: secretVariable + "=short", exit: 2, names: secretVariable, says: "32"},
		"a well-known secret":    {env: secretVariable + "=your-256-bit-secret-your-256-bit-secret", exit: 2, names: secretVariable, says: "well-known"},
		"two secrets":            {args: []string{"--jwt-secret-file=" + plain}, env: secretVariable + "=x", exit: 2, names: secretVariable, says: "not both"},
		"a secret others read":   {args: []string{"--data-dir=" + filepath.Join(dir, "shared")}, exit: 2, names: "--data-dir", says: "chmod 600"},
		"a token's subject":      {args: []string{"token", "--sub=a b"}, exit: 2, names: "--sub", says: "no spaces"},
		"a token of nobody":      {args: []string{"token"}, exit: 2, names: "--sub", says: "missing"},
		"a token's life":         {args: []string{"token", "--sub=a", "--ttl=25h"}, exit: 2, names: "--ttl", says: "24h"},
		"a token's link":         {args: []string{"token", "--sub=a", "--link=x"}, exit: 2, names: "--link", says: "https://parley.example"},
		"a token's organization": {args: []string{"token", "--sub=a", "--mode=organization"}, exit: 2, names: "--org", says: "organization"},

		"no address to listen on": {args: []string{"--http=here"}, exit: 2, names: "--http", says: ":PORT"},
		"a port over the last":    {args: []string{"--http=127.0.0.1:65536"}, exit: 2, names: "--http", says: ":PORT"},
		"another's address":       {args: []string{"--http=203.0.113.7:0"}, exit: 2, names: "--http", says: "this machine"},
		"a port in use":           {args: []string{"--http=" + tcp}, exit: 1, names: "--http", says: "another port"},
		"no address for media":    {args: []string{"--media-addr=here"}, exit: 2, names: "--media-addr", says: ":PORT"},
		"a name for media":        {args: []string{"--media-addr=localhost:0"}, exit: 2, names: "--media-addr", says: ":PORT"},
		"media's TCP in use":      {args: []string{"--media-addr=" + tcp}, exit: 1, names: "--media-addr", says: "another port"},
		"media's UDP in use":      {args: []string{"--media-addr=" + udp}, exit: 1, names: "--media-addr", says: "another port"},

		"a directory in use":       {args: []string{"--data-dir=" + running.dir}, exit: 1, names: "--data-dir", says: "another directory"},
		"a directory that is no":   {args: []string{"--data-dir=" + plain}, exit: 2, names: "--data-dir", says: "directory that this user may write to"},
		"a directory below a file": {args: []string{"--data-dir=" + plain + "/x"}, exit: 2, names: "--data-dir", says: "directory that this user may write to"},
		"a database that is none":  {args: []string{"--data-dir=" + filepath.Join(dir, "broken")}, exit: 1, names: "--data-dir", says: "control.db"},
		"a key that is cut":        {args: []string{"--data-dir=" + filepath.Join(dir, "keyless")}, exit: 1, names: "--data-dir", says: "backup"},
		"no log to verify":         {args: []string{"audit", "verify", "--data-dir=" + missing}, exit: 1, names: "--data-dir", says: "control.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.check(t)
		})
	}
}

// check runs the program as it is shipped, in a folder of its own.
func (m mistake) check(t *testing.T) {
	t.Helper()
	args := m.args
	if len(args) == 0 || strings.HasPrefix(args[0], "--") {
		args = append([]string{"serve", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), built.path(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), m.env)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != m.exit {
		t.Fatalf("exit: %v, want %d", err, m.exit)
	}
	sentence := said.String()
	if out.Len() > 0 || strings.Count(sentence, "\n") != 1 || !strings.HasPrefix(sentence, "parley: ") {
		t.Errorf("not one sentence on standard error:\n%s%s", out.String(), sentence)
	}
	if !strings.Contains(sentence, m.names) || !strings.Contains(sentence, m.says) {
		t.Errorf("%q doesn't name %q or say %q", sentence, m.names, m.says)
	}
}

// takePorts listens on a TCP and on a UDP port until the test is over.
func takePorts(t *testing.T) (tcp, udp string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return l.Addr().String(), p.LocalAddr().String()
}
