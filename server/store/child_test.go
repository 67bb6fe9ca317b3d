package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"parley/server/store"
	"parley/shared/rest"
)

// The test binary is its own child: a real process that is really killed.
func child(role string) int {
	dir := os.Getenv("STORE_TEST_DIR")
	var err error
	switch role {
	case "audit":
		err = childAudits(dir)
	case "migrate":
		err = childMigrates(dir)
	case "quota":
		err = childMeetsAQuota(dir)
	case "verify":
		err = childVerifies(dir)
	default:
		err = errors.New("no such role")
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

// aChild is a running child and what it says.
type aChild struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func start(t *testing.T, role, dir string) *aChild {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_CHILD="+role, "STORE_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	return &aChild{cmd, bufio.NewReader(out)}
}

// says waits for a line that begins so, and gives its rest.
func (c *aChild) says(t *testing.T, begin string) string {
	t.Helper()
	for {
		line, err := c.out.ReadString('\n')
		if rest, ok := strings.CutPrefix(line, begin); ok {
			return strings.TrimSpace(rest)
		}
		if err != nil || strings.HasPrefix(line, "failed") {
			t.Fatalf("the child said %q, %v", line, err)
		}
	}
}

// kill is kill -9; it gives all that the child had said by then.
func (c *aChild) kill(t *testing.T) string {
	t.Helper()
	must(t, c.cmd.Process.Kill())
	said, err := io.ReadAll(c.out)
	must(t, err)
	c.cmd.Wait()
	return string(said)
}

// childAudits adds lines with a change each, and says each one's seq once it is
// acknowledged, until it is killed.
func childAudits(dir string) error {
	c := context.Background()
	s, err := store.Open(c, dir, store.Options{Node: "child"})
	if err != nil {
		return err
	}
	out := os.Stdout // not buffered: what is said is out
	for i := 0; ; i++ {
		e, err := s.AppendAudit(c, rest.AuditEntry{Actor: "ada", Action: rest.AuditRevoke, Details: map[string]any{"n": i}}, seal,
			func(tx *store.Tx) error { return tx.RevokeToken(fmt.Sprintf("%d-%d", os.Getpid(), i), noon) })
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, "seq", e.Seq); err != nil {
			return err
		}
	}
}

// longMigration is a first step, one that takes its time, and a third.
func longMigration() fstest.MapFS {
	step := func(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)} }
	return fstest.MapFS{
		"00001_first.sql": step("CREATE TABLE kept (n BIGINT NOT NULL);\nINSERT INTO kept VALUES (1);"),
		"00002_long.sql": step(`CREATE TABLE half (n BIGINT NOT NULL);
			UPDATE kept SET n = 2;
			INSERT INTO half WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 100000;
			INSERT INTO half SELECT n FROM half;`),
		"00003_last.sql": step("ALTER TABLE half ADD COLUMN more TEXT;"),
	}
}

func childMigrates(dir string) error {
	fmt.Println("ready")
	err := store.Migrate(context.Background(), dir+"/control.db", longMigration())
	fmt.Println("migrated")
	return err
}

func childVerifies(dir string) error {
	c := context.Background()
	l, err := store.OpenAuditReader(c, dir)
	if err != nil {
		return err
	}
	defer l.Close()
	last, err := checkChain(c, l)
	fmt.Println("last", last)
	return err
}

// childMeetsAQuota writes until its files may not grow, then until they may
// again.
func childMeetsAQuota(dir string) error {
	c := context.Background()
	s, err := store.Open(c, dir, store.Options{Node: "child"})
	if err != nil {
		return err
	}
	defer s.Close()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	tight := old
	tight.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		return err
	}
	return fillAndFree(c, s, func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) })
}
