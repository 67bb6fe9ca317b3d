package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// secret signs the tokens of the callers.
const secret = "a secret of the bench and of nobody else"

// parley is the whole server as it is by default, record and stream and all, but for
// caps that take so many calls.
type parley struct {
	cmd    *exec.Cmd
	base   string
	folder string
}

// newParley starts the program on the core of this process.
func newParley(ctx context.Context, binary string) (_ *parley, err error) {
	p := new(parley)
	if p.folder, err = os.MkdirTemp("", "bench-parley"); err != nil {
		return nil, err
	}
	p.cmd = exec.CommandContext(ctx, binary, "serve", "--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir="+p.folder,
		"--drain-timeout=1s", fmt.Sprintf("--max-sessions=%d", maxCalls))
	p.cmd.Env = append(os.Environ(), "PARLEY_JWT_SECRET="+secret)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it ends with the bench, however that ends
	said, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.cmd = nil
		return nil, errors.Join(fmt.Errorf("start Parley: %w", err), p.Close())
	}
	if p.base, err = address(said); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// told is how a server says where it is.
var told = regexp.MustCompile(`^Parley .* on (http\S+) \(\w+\)$`)

// address reads where a server is, and goes on reading what it says.
func address(said io.Reader) (string, error) {
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if m := told.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, said)
			return m[1], nil
		}
	}
	return "", errors.New("no word of Parley of where it is")
}

// where implements program.
func (p *parley) where() string { return p.base }

// used implements program.
func (p *parley) used() (cpu time.Duration, rss int64, err error) { return usedBy(p.cmd.Process.Pid) }

// packets implements kind.
func (*parley) packets() int64 { return uncounted }

// Close implements kind.
func (p *parley) Close() error {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait() // by the signal, or after it
	}
	return os.RemoveAll(p.folder)
}

// buildParley builds the program into a folder, unless there is one to take.
func buildParley(ctx context.Context, binary, module, folder string) (string, error) {
	if binary != "" {
		return binary, nil
	}
	binary = filepath.Join(folder, "parley")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "./server")
	build.Dir, build.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build Parley: %w\n%s", err, text)
	}
	return binary, nil
}

// moduleFolder is where the source is that the bench is part of.
func moduleFolder(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	folder := strings.TrimSpace(string(text)) // none, outside of any module
	if err != nil || folder == "" {
		return "", fmt.Errorf("run the bench in Parley's source: it builds the server and reads its samples (go list -m: %v)", err)
	}
	return folder, nil
}
