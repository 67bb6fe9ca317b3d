package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/server/e2e/netpath"
	"parley/server/logtest"
)

// parleyBinary is what `make build` makes.
const parleyBinary = "../../bin/parley"

// A server is bin/parley in demo mode.
type server struct {
	t *testing.T
	// callerLink and adminLink are the two sign-in links it printed.
	callerLink, adminLink string
	passkey               string // of the demo's admin
	// dataDir and tempDir are all that it may write to.
	dataDir, tempDir string

	in     *netpath.Namespace
	binary string
	flags  []string
	cmd    *exec.Cmd
	pid    int
	client http.Client
	log    logtest.Buffer
}

// startServer starts one on free ports. In a namespace it listens on the
// namespace's address, else on loopback.
func startServer(t *testing.T, in *netpath.Namespace, flags ...string) *server {
	t.Helper()
	if _, err := os.Stat(parleyBinary); err != nil {
		t.Fatalf("%v: run `make build` first", err)
	}
	return startProgram(t, parleyBinary, in, flags...)
}

// startProgram starts another build than that of `make build`.
func startProgram(t *testing.T, binary string, in *netpath.Namespace, flags ...string) *server {
	t.Helper()
	s := &server{t: t, binary: binary, in: in, flags: flags, dataDir: filepath.Join(t.TempDir(), "data"), tempDir: t.TempDir()}
	address := "127.0.0.1:0"
	if in != nil {
		address = in.Addr.String() + ":0"
		s.client.Transport = &http.Transport{DialContext: in.Dial}
	}
	s.start(address, address)
	t.Cleanup(s.stop)
	return s
}

func (s *server) start(httpAddress, mediaAddress string) {
	s.t.Helper()
	path, err := filepath.Abs(s.binary)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"serve", "--mode=demo", "--http=" + httpAddress,
		"--media-addr=" + mediaAddress, "--data-dir=" + s.dataDir, "--drain-timeout=1s", "--log-level=debug"}, s.flags...)...)
	if s.in != nil {
		if err := s.in.Wrap(cmd); err != nil {
			s.t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), "TMPDIR="+s.tempDir, "DOUBLE_KEY="+doubleKey)
	cmd.Stderr = &s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.cmd, s.pid = cmd, cmd.Process.Pid
	s.readLinks(out)
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // by the signal
	s.cmd = nil
}

// startAgain starts a killed server at the address that it had.
func (s *server) startAgain() {
	s.t.Helper()
	address := strings.TrimPrefix(s.origin(), "http://")
	s.start(address, "127.0.0.1:0")
}

// readLinks reads standard output up to the second link, and lets the rest go.
func (s *server) readLinks(out io.Reader) {
	s.t.Helper()
	found := make(chan bool, 1)
	go func() {
		defer close(found)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			who, link, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
			if words := strings.Fields(link); who == "Parley" && words[len(words)-1] == "(production)" { // which prints no links
				s.callerLink = words[len(words)-2] + "/sign-in"
				found <- true
			}
			switch link = strings.TrimSpace(link); who {
			case "caller":
				s.callerLink = link
			case "admin":
				s.adminLink = link
			case "passkey":
				s.passkey = before(link, " ")
				found <- true
			}
		}
	}()
	select {
	case ok := <-found:
		if ok {
			return
		}
	case <-time.After(patience):
	}
	s.t.Fatalf("the server printed no links; its log:\n%s", s.log.String())
}

// stop asks the server to end, as an operator would.
func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server ended with %v", err)
	}
	if s.t.Failed() {
		s.t.Logf("the server's log:\n%s", endOfLog(s.log.String()))
	}
}

// endOfLog is what a server logged last, without what pion has to say.
func endOfLog(log string) string {
	const most = 60 // lines
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(log), "\n"), func(line string) bool { return strings.Contains(line, "event=pion") })
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// origin is the server's address as a browser has it.
func (s *server) origin() string { return before(s.callerLink, "/sign-in") }

func token(link string) string {
	_, token, _ := strings.Cut(link, "#token=")
	return token
}

func before(text, end string) string {
	head, _, _ := strings.Cut(text, end)
	return head
}

// get asks the API as the admin, and reads the answer into v.
func (s *server) get(path string, v any) error { return s.getAs(token(s.adminLink), path, v) }

// getAs asks the API as the holder of a token, again where the server says that it can't
// answer now.
func (s *server) getAs(token, path string, v any) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		status, body, err := s.ask(ctx, token, path)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return json.Unmarshal(body, v)
		case status != http.StatusServiceUnavailable:
			return fmt.Errorf("GET %s: %d: %s", path, status, body)
		}
		select {
		case <-time.After(time.Second): // what Retry-After says
		case <-ctx.Done():
			return fmt.Errorf("GET %s: %d: %s", path, status, body)
		}
	}
}

// ask asks the API once.
func (s *server) ask(ctx context.Context, token, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.origin()+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
