package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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
	client http.Client

	mu       sync.Mutex
	sessions []string // their URLs
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
		if _, err := j.ask(ctx, http.MethodGet, j.base+"/info", nil); err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("no answer of Janus")
		}
	}
}

// janusReply is what of Janus's replies is read.
type janusReply struct {
	Janus string
	Data  struct{ ID json.Number }
	JSEP  struct{ Type, SDP string }
	Error struct{ Reason string }
}

// ask sends a request and reads its reply.
func (j *janus) ask(ctx context.Context, method, url string, body any) (reply janusReply, err error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return reply, err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return reply, err
	}
	res, err := j.client.Do(req)
	if err != nil {
		return reply, err
	}
	defer res.Body.Close()
	if err = json.NewDecoder(res.Body).Decode(&reply); err == nil && reply.Janus == "error" {
		err = fmt.Errorf("janus: %s", reply.Error.Reason)
	}
	return reply, err
}

// answer implements kind: a session, a handle of the echo test, the offer, and the event
// that brings the answer.
func (j *janus) answer(ctx context.Context, offer string) (string, error) {
	type request map[string]any
	session, err := j.ask(ctx, http.MethodPost, j.base, request{"janus": "create", "transaction": "t"})
	if err != nil {
		return "", err
	}
	at := j.base + "/" + session.Data.ID.String()
	j.mu.Lock()
	j.sessions = append(j.sessions, at)
	j.mu.Unlock()
	handle, err := j.ask(ctx, http.MethodPost, at, request{"janus": "attach", "plugin": "janus.plugin.echotest", "transaction": "t"})
	if err != nil {
		return "", err
	}
	_, err = j.ask(ctx, http.MethodPost, at+"/"+handle.Data.ID.String(), request{
		"janus": "message", "transaction": "t", "body": request{"audio": true}, "jsep": request{"type": "offer", "sdp": offer},
	})
	for err == nil {
		var event janusReply
		if event, err = j.ask(ctx, http.MethodGet, at+"?maxev=1", nil); err == nil && event.JSEP.Type == "answer" {
			return event.JSEP.SDP, nil
		}
	}
	return "", err
}

// hangUp implements kind. What Janus says to it is no matter.
func (j *janus) hangUp() {
	j.mu.Lock()
	all := j.sessions
	j.sessions = nil
	j.mu.Unlock()
	for _, at := range all {
		_, _ = j.ask(context.Background(), http.MethodPost, at, map[string]string{"janus": "destroy", "transaction": "t"})
	}
}

// packets implements kind.
func (*janus) packets() int64 { return uncounted }

// used implements process, by proc(5).
func (j *janus) used() (cpu time.Duration, rss int64, err error) {
	at := fmt.Sprintf("/proc/%d/", j.cmd.Process.Pid)
	stat, err := os.ReadFile(at + "stat")
	statm, err2 := os.ReadFile(at + "statm")
	if err := cmp.Or(err, err2); err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name
	times, pages := strings.Fields(rest), strings.Fields(string(statm))
	if len(times) < 13 || len(pages) < 2 {
		return 0, 0, fmt.Errorf("%s: %q, %q", at, stat, statm)
	}
	user, err := strconv.ParseInt(times[11], 10, 64)
	system, err2 := strconv.ParseInt(times[12], 10, 64)
	resident, err3 := strconv.ParseInt(pages[1], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ
	return time.Duration(user+system) * tick, resident * int64(os.Getpagesize()), errors.Join(err, err2, err3)
}

// Close implements kind.
func (j *janus) Close() error {
	j.client.CloseIdleConnections()
	if j.cmd != nil {
		_ = j.cmd.Process.Signal(syscall.SIGTERM)
		_ = j.cmd.Wait() // by the signal
	}
	return os.RemoveAll(j.folder)
}
