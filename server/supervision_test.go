package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/server/logtest"
)

// supervised is a server whose service manager is this test: with sockets that are
// open already, and a socket that hears what the server tells.
type supervised struct {
	*child
	told *net.UnixConn
}

// supervise starts a server with the socket for --http handed over by its name.
func supervise(t *testing.T, variables ...string) (s *supervised, addr string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { told.Close() })
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := &child{program: &program{dir: filepath.Join(dir, "data"), logs: new(logtest.Buffer)}, printed: new(logtest.Buffer), exited: make(chan struct{})}
	// LISTEN_PID is the server's own, which the shell becomes.
	c.cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, built.path(t), "serve", "--mode=demo", "--http=127.0.0.1:1",
		"--media-addr=127.0.0.1:0", "--data-dir="+c.dir, "--drain-timeout=1s", "--log-level=debug")
	c.cmd.Env = append(os.Environ(), append(variables, "NOTIFY_SOCKET="+path, "LISTEN_FDS=1", "LISTEN_FDNAMES=http")...)
	c.cmd.ExtraFiles = []*os.File{file}
	c.cmd.Stdout, c.cmd.Stderr = c.printed, c.logs
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // how it ended is in ProcessState
		close(c.exited)
	}()
	t.Cleanup(func() { c.cleanUp(t) })
	return &supervised{c, told}, listener.Addr().String()
}

// hears waits until the server tells of a state, and returns the whole message.
func (s *supervised) hears(t *testing.T, state string) string {
	t.Helper()
	_ = s.told.SetReadDeadline(time.Now().Add(patience))
	for buf := make([]byte, 4096); ; {
		n, err := s.told.Read(buf)
		if err != nil {
			t.Fatalf("%s was not told: %v", state, err)
		}
		if bytes.Contains(buf[:n], []byte(state)) {
			return string(buf[:n])
		}
	}
}

// A service manager hands over the socket, hears when the server serves, reads its
// files again, lives and ends; the socket stays its own.
func TestUnderAServiceManager(t *testing.T) {
	t.Parallel()
	s, addr := supervise(t, "WATCHDOG_USEC=200000")
	s.hears(t, "READY=1")
	res, err := http.Get("http://" + addr + "/healthz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("on the socket that was handed over: %v %v", res, err)
	}
	res.Body.Close()
	s.hears(t, "WATCHDOG=1")
	s.hears(t, "WATCHDOG=1") // and again
	s.signal(t, syscall.SIGHUP)
	if message := s.hears(t, "RELOADING=1"); !strings.Contains(message, "\nMONOTONIC_USEC=") {
		t.Errorf("without the time, systemd can't tell a reload from the next: %q", message)
	}
	s.hears(t, "READY=1")
	s.signal(t, syscall.SIGTERM)
	s.hears(t, "STOPPING=1")
	<-s.exited
	if log := s.logs.String(); strings.Contains(log, "level=WARN") {
		t.Errorf("there was something to warn of:\n%s", log)
	}
}

// The program itself is the check of a container that holds nothing else.
func TestHealthCommand(t *testing.T) {
	t.Parallel()
	c := spawn(t)
	cert, key := writeCertificate(t, t.TempDir(), 1)
	secure := spawn(t, "--tls-cert="+cert, "--tls-key="+key)
	for name, test := range map[string]struct {
		url, want string
		code      int
	}{
		"alive":               {c.base, "", exitDone},
		"alive, by HTTPS":     {secure.base, "", exitDone},
		"nobody there":        {"http://" + freeAddress(t), "does not answer", exitFailed},
		"something else":      {c.base + "/api/v1/none", "answers 404", exitFailed},
		"no URL":              {"parley", "takes the URL of a server", exitUsage},
		"another name's cert": {strings.Replace(secure.base, "127.0.0.1", "localhost", 1), "does not answer", exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), []string{"health", test.url}, new(bytes.Buffer), new(bytes.Buffer), nil)
			if exitCode(err) != test.code || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
