//go:build linux

// Package postgrestest starts a PostgreSQL of its own for tests and benches: in a folder of
// its own, as an ordinary user, reached by a socket in that folder and by no port.
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// startPatience is how long a busy machine may take to start or stop a cluster.
const startPatience = time.Minute

// superuser is the user of a cluster.
const superuser = "parley"

// Cluster is a running PostgreSQL.
type Cluster struct {
	dir      string
	programs string // folder of initdb and postgres
	as       *syscall.Credential
	settings []string

	mu      sync.Mutex
	process *os.Process
	done    chan struct{}
	made    int
}

// Start makes a cluster and starts it, with settings beside those that tests want
// (name=value). Tests write to no disk that anybody needs: nothing is synced, unless they
// say so.
func Start(settings ...string) (*Cluster, error) {
	return start(settings, func(c *Cluster) error {
		return c.Run("initdb", "-D", c.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	})
}

// StartStandby starts a standby of a cluster: it follows, and takes nothing.
func StartStandby(of *Cluster, settings ...string) (*Cluster, error) {
	return start(settings, func(c *Cluster) error {
		return c.Run("pg_basebackup", "-D", c.data(), "-d", of.Address("postgres"), "-U", superuser, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	})
}

// start makes the files of a cluster in a new folder, and starts it.
func start(settings []string, makeFiles func(*Cluster) error) (c *Cluster, err error) {
	c = &Cluster{settings: settings}
	if c.programs, err = findPrograms(); err != nil {
		return nil, err
	}
	if c.as, err = ordinaryUser(); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp("", "pg"); err != nil { // short: a socket's path has room for 107 bytes
		return nil, err
	}
	if c.as != nil {
		err = os.Chown(c.dir, int(c.as.Uid), int(c.as.Gid))
	}
	if err == nil {
		err = makeFiles(c)
	}
	if err == nil {
		err = c.Resume()
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// findPrograms finds the newest PostgreSQL, where Debian and others put it.
func findPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return versionOf(b) - versionOf(a) })
	if len(found) > 0 {
		return filepath.Dir(found[0]), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("the tests need PostgreSQL: apt-get install postgresql")
	}
	return filepath.Dir(path), nil
}

func versionOf(path string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return n
}

// ordinaryUser is whom PostgreSQL runs as, which refuses root; nil is who we are.
func ordinaryUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err, gidErr); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.programs, name), args...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	// Whoever is killed takes it along.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// Run runs one of its programs, such as pg_dump, as the user that it runs as.
func (c *Cluster) Run(name string, args ...string) error {
	if out, err := c.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// Resume starts it, again if it was stopped, and returns when it answers.
func (c *Cluster) Resume() error {
	args := []string{"-D", c.data(), "-k", c.dir, "-c", "listen_addresses="}
	for _, setting := range append([]string{"fsync=off", "max_connections=400", "shared_buffers=32MB", "autovacuum=off", "full_page_writes=off"}, c.settings...) {
		args = append(args, "-c", setting)
	}
	cmd := c.command("postgres", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the signal of Pdeathsig comes when the thread ends
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is what said tells
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	c.mu.Lock()
	c.process, c.done = cmd.Process, done
	c.mu.Unlock()
	for began := time.Now(); ; {
		err := c.Do("postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("postgres ended: %s", said.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(began) > startPatience {
			return fmt.Errorf("postgres doesn't answer: %w", err)
		}
	}
}

// Stop stops it: at once, as a crash does, or after it wrote what it has.
func (c *Cluster) Stop(crash bool) error {
	c.mu.Lock()
	process, done := c.process, c.done
	c.process = nil
	c.mu.Unlock()
	if process == nil {
		return nil
	}
	how := syscall.SIGINT
	if crash {
		how = syscall.SIGQUIT
	}
	if err := process.Signal(how); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-time.After(startPatience):
		return errors.New("postgres doesn't end")
	}
}

// Close stops it and removes its folder.
func (c *Cluster) Close() error { return errors.Join(c.Stop(true), os.RemoveAll(c.dir)) }

// Give makes a file the cluster's own: PostgreSQL reads no key that is anybody else's.
func (c *Cluster) Give(path string) error {
	if c.as == nil {
		return nil
	}
	return os.Chown(path, int(c.as.Uid), int(c.as.Gid))
}

// TableFiles is the folder of the tables' files.
func (c *Cluster) TableFiles() string { return filepath.Join(c.data(), "base") }

// Address is a database of it, as --database takes it.
func (c *Cluster) Address(database string) string { return c.AddressOf(superuser, database) }

// AddressOf is Address for another user.
func (c *Cluster) AddressOf(user, database string) string {
	return "postgres://" + user + "@/" + database + "?host=" + c.dir + "&port=" + c.port()
}

// port is the number in the name of its socket, too.
func (c *Cluster) port() string {
	for _, setting := range c.settings {
		if port, is := strings.CutPrefix(setting, "port="); is {
			return port
		}
	}
	return "5432"
}

// Do runs a statement in a database.
func (c *Cluster) Do(database, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.Address(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// NewDatabase makes a database, as a copy of another, and gives its name.
func (c *Cluster) NewDatabase(template string) (string, error) {
	c.mu.Lock()
	c.made++
	name := "test" + strconv.Itoa(c.made)
	c.mu.Unlock()
	return name, c.Do("postgres", "CREATE DATABASE "+name+" TEMPLATE "+template)
}
