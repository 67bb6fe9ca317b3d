package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// janusStarts bounds how long Janus may take to listen.
const janusStarts = 10 * time.Second

// janus is Janus with its echo test, as Debian packages it (`apt-get install janus`), on
// the core of this process. It counts no packets, so that the callers' count is taken, and
// has no candidate at loopback.
type janus struct {
	cmd    *exec.Cmd
	base   string // of its REST interface
	folder string
}

// hasJanus reports whether there is one to compare with.
func hasJanus() bool {
	_, err := exec.LookPath("janus")
	return err == nil
}

func newJanus(ctx context.Context) (_ *janus, err error) {
	j := new(janus)
	if j.folder, err = os.MkdirTemp("", "bench-janus"); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	j.base = fmt.Sprintf("http://127.0.0.1:%d/janus", port)
	for name, text := range map[string]string{
		"janus.jcfg": `general: { debug_level = 1 session_timeout = 0 configs_folder = "` + j.folder + `" }
media: { ipv6 = false }
nat: { ice_lite = true }
`,
		"janus.transport.http.jcfg": fmt.Sprintf(`general: { json = "compact" base_path = "/janus" http = true port = %d ip = "127.0.0.1" https = false }
admin: { admin_http = false admin_https = false }
`, port),
	} {
		if err := os.WriteFile(filepath.Join(j.folder, name), []byte(text), 0o600); err != nil {
			return nil, errors.Join(err, j.Close())
		}
	}
	j.cmd = exec.CommandContext(ctx, "janus", "-F", j.folder, "-C", filepath.Join(j.folder, "janus.jcfg"))
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it ends with the bench, however that ends
	j.cmd.Dir = j.folder
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil { // it may fall over its end, and leave 2 GB
		return nil, errors.Join(err, j.Close())
	}
	if err := j.cmd.Start(); err != nil {
		j.cmd = nil
		return nil, errors.Join(fmt.Errorf("start Janus: %w", err), j.Close())
	}
	if err := j.wait(ctx); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// freePort is one that nobody has just now: Janus can't be asked which it took.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// wait waits until Janus answers.
func (j *janus) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, janusStarts)
	defer cancel()
	for {
		if _, err := new(janusDialer).ask(ctx, http.MethodGet, j.base+"/info", nil); err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("no answer of Janus")
		}
	}
}

// packets implements kind.
func (*janus) packets() int64 { return uncounted }

// used implements program.
func (j *janus) used() (cpu time.Duration, rss int64, err error) { return usedBy(j.cmd.Process.Pid) }

// where implements program: its REST interface.
func (j *janus) where() string { return j.base }

// Close implements kind.
func (j *janus) Close() error {
	if j.cmd != nil {
		_ = j.cmd.Process.Signal(syscall.SIGTERM)
		_ = j.cmd.Wait() // by the signal
	}
	return os.RemoveAll(j.folder)
}
