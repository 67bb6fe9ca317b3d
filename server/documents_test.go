package main

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/server/agent/double"
	"parley/server/logtest"
	"parley/server/settings"
	"parley/server/store/postgres/postgrestest"
)

// unrun are the languages of blocks that hold no commands for this test. The proxies'
// configurations have a test that runs the proxies, the walk to a client of one's own
// (bash) has one that runs it and opens the client in a browser, and the file of ICE
// servers one that reads it.
var unrun = []string{"text", "nginx", "haproxy", "caddyfile", "yaml", "bash"}

// inline is a command in the middle of a text.
var inline = regexp.MustCompile("`((?:make|go|(?:bin/)?parley) [^`]+)`")

// TestCommandsOfDocumentsRun runs each command of each document, as it stands
// there; all of a document in one folder, one after the other.
func TestCommandsOfDocumentsRun(t *testing.T) {
	t.Parallel()
	names, err := exec.CommandContext(t.Context(), "git", "-C", "..", "ls-files", "*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, name := range strings.Fields(string(names)) {
		if name == "CHANGELOG.md" { // it names what was, in no one's order
			continue
		}
		page, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		commands := commandsOf(t, name, string(page))
		ran += len(commands)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reader{root: absolute(t, ".."), dir: t.TempDir()}
			writeCertificate(t, r.dir, 1)
			for _, command := range commands {
				r.run(t, command)
			}
		})
	}
	if ran < 6 {
		t.Errorf("only %d commands were found", ran)
	}
}

// TestInstallHasDefaultsAndRangesOfSettings holds the table of flags against the
// table of settings; the one without a flag has a sentence of its own.
func TestInstallHasDefaultsAndRangesOfSettings(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("INSTALL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range settings.Definitions() {
		line := "`" + d.Name + "` has no flag: `" + d.FlagDefault() + "` (" + d.FlagRange() + ")"
		if flag, there := settingFlags[d.Name]; there {
			first := ""
			if d.FlagDefault() != "" {
				first = "`" + d.FlagDefault() + "` "
			}
			line = "(?m)^\\| `--" + flag + "` \\| " + first + "\\| .*\\(" + d.FlagRange() + "\\) \\|$"
		} else {
			line = regexp.QuoteMeta(line)
		}
		if !regexp.MustCompile(line).Match(page) {
			t.Errorf("INSTALL.md lacks %s", line)
		}
	}
}

// commandsOf returns the commands of a page, without their comments.
func commandsOf(t *testing.T, name, page string) (commands []string) {
	t.Helper()
	var text strings.Builder
	parts := strings.Split("\n"+page, "\n```")
	if len(parts)%2 == 0 {
		t.Fatalf("%s: a block has no end", name)
	}
	for i, part := range parts {
		if i%2 == 0 {
			text.WriteString(part)
			continue
		}
		language, block, _ := strings.Cut(part, "\n")
		if slices.Contains(unrun, language) {
			continue
		}
		if language != "" && language != "sh" {
			t.Errorf("%s: nobody knows how to run a block of %q", name, language)
		}
		for line := range strings.Lines(block) {
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimSpace(command); command != "" {
				commands = append(commands, command)
			}
		}
	}
	for _, m := range inline.FindAllStringSubmatch(text.String(), -1) {
		if !strings.Contains(m[1], "…") && !strings.Contains(m[1], "<") { // no command, but a form of one
			commands = append(commands, m[1])
		}
	}
	return commands
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// reader does what a document says: with the source in root, and in dir what
// the program reads and writes.
type reader struct{ root, dir string }

func (r *reader) run(t *testing.T, command string) {
	t.Helper()
	words := strings.Fields(command)
	switch words[0] {
	case "make":
		r.succeeds(t, r.root, append([]string{"make", "-n"}, words[1:]...)...)
	case "go":
		r.runGo(t, words)
	case "bin/parley", "parley":
		r.runProgram(t, words[1:])
	case "cd":
		if words[1] != "parley" { // the clone, where all else runs
			t.Errorf("%q leads nowhere", command)
		}
	case "python3":
		r.servesFolder(t, words)
	default:
		t.Errorf("nobody knows how to run %q", command)
	}
}

// smaller are arguments that make a command of a document take seconds: the last of a
// flag counts. What it prints at its full size is nothing that a test could hold.
var smaller = map[string][]string{
	"./server/bench":       {"-janus=false", "-sessions=2", "-warm=100ms", "-window=300ms", "-rounds=1"},
	"./server/bench legs":  {"-sessions=2", "-warm=100ms", "-window=300ms", "-rounds=1"},
	"./server/bench store": {"-rows=2000", "-queries=5", "-seconds=1"},
	"./cmd/netpath":        {"-name=document"},
}

// runGo runs what is to be read or to be measured, at a small size. Tests that are
// named have a run of their own: it holds that their package is there.
func (r *reader) runGo(t *testing.T, words []string) {
	t.Helper()
	switch {
	case words[1] == "doc":
		r.succeeds(t, r.root, words...)
	case words[1] == "test":
		r.succeeds(t, r.root, "go", "list", words[2])
	case words[1] == "run":
		r.runSmaller(t, words)
	default:
		t.Errorf("nobody knows how to run %q", words)
	}
}

// runSmaller runs a command of the source.
func (r *reader) runSmaller(t *testing.T, words []string) {
	t.Helper()
	dir := r.root
	if strings.HasPrefix(words[2], "./cmd/") { // of the module of browser tests
		if os.Geteuid() != 0 {
			t.Skipf("%q needs root", words)
		}
		dir = filepath.Join(r.root, "server", "e2e")
	}
	command := words[2]
	if len(words) > 3 && !strings.HasPrefix(words[3], "-") {
		command += " " + words[3]
	}
	flags, known := smaller[command]
	if !known {
		t.Errorf("nobody knows how to run %q in seconds", command)
		return
	}
	r.succeeds(t, dir, append(slices.Clone(words), flags...)...)
}

func (r *reader) succeeds(t *testing.T, dir string, words ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader("quit\n") // for what goes on until it is told
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%q: %v\n%s", words, err, out)
	}
	return string(out)
}

// servesFolder runs Python's own server of files, on a port that is free, until it serves.
func (r *reader) servesFolder(t *testing.T, words []string) {
	t.Helper()
	if len(words) < 4 || words[2] != "http.server" {
		t.Errorf("nobody knows how to run %q", words)
		return
	}
	words = slices.Clone(words)
	words[3] = "0"
	if err := os.MkdirAll(filepath.Join(r.dir, words[len(words)-1]), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, _ := bufio.NewReader(out).ReadString('\n') // what there is of it tells
	if !strings.HasPrefix(said, "Serving HTTP") {
		t.Errorf("%q says %q", words, said)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // its error is the kill
}

// runProgram runs the program as it is shipped, on ports that are free.
func (r *reader) runProgram(t *testing.T, args []string) {
	t.Helper()
	if args[0] == "serve" {
		args = append(args, "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0")
		if slices.Contains(args, "--domain") { // nobody out there is asked for a certificate
			args = append(args, "--acme-ca=https://127.0.0.1:1/directory", "--http-redirect=127.0.0.1:0")
		}
		if strings.Contains(strings.Join(args, " "), "--log-export") { // nobody out there gets lines
			args = append(args, "--log-export=https://127.0.0.1:1/in")
			r.writeCollectorFiles(t)
		}
		if strings.Contains(strings.Join(args, " "), "--otlp-endpoint") {
			args = append(args, "--otlp-endpoint=https://127.0.0.1:1")
		}
		r.serves(t, args)
		return
	}
	if args[0] == "health" { // of a server whose port is known
		args = append(args, spawn(t).base)
	}
	if args[0] == "doctor" { // of ports that are free, on a machine whose network nobody knows
		args = append(args, "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--media-private")
	}
	if slices.Contains([]string{"sessions", "end", "stats"}, args[0]) { // of a server, by a token of its admin's
		p := spawn(t)
		tokenFile(t, r.dir, p.token(t, "demo-admin"))
		args = append(args, "--server="+p.base)
	}
	if slices.Contains([]string{"audit", "backup", "database", "secret"}, args[0]) { // there is none before a server ran
		r.serveBefore(t)
	}
	if args[0] == "agents" { // a file of agents whose service is there
		if err := os.CopyFS(r.dir, os.DirFS(filepath.Dir(newService(t, double.Config{}).file))); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	dir := r.dir
	if args[0] == "database" { // into one that is there, of a copy: what comes after goes on in files
		args = append(args, "--database="+newPostgreSQL(t).Address("postgres"))
		dir = t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
			t.Fatal(err)
		}
	}
	said := r.succeeds(t, dir, append([]string{built.path(t)}, args...)...)
	if i := slices.Index(args, "--link"); i >= 0 && !strings.HasPrefix(said, args[i+1]+"/sign-in#token=") {
		t.Errorf("%q prints %q", args, said)
	}
}

// newPostgreSQL starts one for a test.
func newPostgreSQL(t *testing.T) *postgrestest.Cluster {
	t.Helper()
	cluster, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// writeCollectorFiles writes what an operator has of the logs' collector.
func (r *reader) writeCollectorFiles(t *testing.T) {
	t.Helper()
	authority, err := os.ReadFile(filepath.Join(r.dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"ca.pem": authority, "collector-token": []byte(logTokenOfTests)} {
		if err := os.WriteFile(filepath.Join(r.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// serveBefore lets a server make the data directory of the document, once.
func (r *reader) serveBefore(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(r.dir, "parley-data", "control.db")); err != nil {
		r.serves(t, []string{"serve", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0"})
	}
}

// serves starts a server, waits until it says where it is, and ends it.
func (r *reader) serves(t *testing.T, args []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built.path(t), args...)
	cmd.Dir = r.dir
	said, logs := new(logtest.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = said, logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	isEnded := false
	eventually(t, "the server serves or ends", func() bool {
		select {
		case err := <-ended:
			t.Errorf("%q: %v\n%s", args, err, logs)
			isEnded = true
		default:
		}
		return isEnded || strings.Contains(said.String(), "\n")
	})
	if isEnded {
		return
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("%q ends with %v\n%s", args, err, logs)
	}
}
