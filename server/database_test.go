package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/doctor"
	"parley/server/logtest"
	"parley/shared/rest"
)

// TestTheRecordInPostgreSQL: a call and an admin's act in files, which are copied; an act that
// is refused while the database is away; then the log is checked, the data directory
// begins no second record, and a dump put back is the same record.
func TestTheRecordInPostgreSQL(t *testing.T) {
	t.Parallel()
	cluster := newPostgreSQL(t)
	address := "--database=" + cluster.Address("postgres")
	p := copiedFromFiles(t, address)
	found, _ := examine(t, "--mode=demo", address, "--http="+strings.TrimPrefix(p.base, "http://"), "--media-addr=127.0.0.1:0", "--data-dir="+p.dir)
	if !hasFinding(found, doctor.OK, "can be written") {
		t.Errorf("the doctor says %+v", found)
	}
	p.talkAndEnd(t)
	eventually(t, "both calls are counted", func() bool { return p.totals(t).Calls == 2 })
	set := func(n int) int {
		return p.ask(t, "demo-admin", http.MethodPatch, rest.PathSettings, map[string]any{rest.SettingMaxSessions: n}, nil)
	}
	if err := cluster.Stop(true); err != nil {
		t.Fatal(err)
	}
	if got := set(7); got != http.StatusServiceUnavailable {
		t.Errorf("an act that can't be recorded is answered with %d", got)
	}
	if err := cluster.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "acts are recorded again", func() bool { return set(8) == http.StatusOK })
	p.stop()
	p.finished(t)
	says := func(part string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		err := run(t.Context(), append(args, "--data-dir="+p.dir), &out, &out, nil)
		if said := out.String(); err == nil && !strings.Contains(said, part) || err != nil && !strings.Contains(err.Error(), part) {
			t.Errorf("%q says %v %s", args, err, said)
		}
	}
	says("intact", "audit", "verify", address)
	says("write --database", "audit", "verify")
	says("write --database", "serve", "--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0")
	says("pg_dump", "backup", filepath.Join(t.TempDir(), "backup"))
	if err := cluster.Do("postgres", "CREATE DATABASE restored"); err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(filepath.Dir(cluster.TableFiles()), "parley.dump")
	for _, command := range [][]string{
		{"pg_dump", "--format=custom", "--schema=parley_*", "--file=" + dump, cluster.Address("postgres")},
		{"pg_restore", "--exit-on-error", "--dbname=" + cluster.Address("restored"), dump},
	} {
		if err := cluster.Run(command[0], command[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	says("intact", "audit", "verify", "--database="+cluster.Address("restored"))
}

// talkAndEnd has a call, which an admin ends.
func (p *program) talkAndEnd(t *testing.T) {
	t.Helper()
	k := p.talking(t, "ann", "echo")
	if status := p.ask(t, "demo-admin", http.MethodPost, rest.PathSessions+"/"+k.session()+"/end", rest.EndRequest{Reason: "over"}, nil); status >= 300 {
		t.Fatalf("end: %d", status)
	}
}

// copiedFromFiles starts a server on a database that has another's record, which was in files.
func copiedFromFiles(t *testing.T, database string) *program {
	t.Helper()
	p := start(t)
	p.talkAndEnd(t)
	eventually(t, "the call is counted", func() bool { return p.totals(t).Calls == 1 })
	says := func(part string, dir string) {
		t.Helper()
		var out bytes.Buffer
		err := run(t.Context(), []string{"database", "copy", "--data-dir=" + dir, database}, &out, &out, nil)
		if said := out.String(); err == nil && !strings.Contains(said, part) || err != nil && !strings.Contains(err.Error(), part) {
			t.Errorf("copying says %v %s", err, said)
		}
	}
	says("another server already uses", p.dir)
	says("there is no record in it", t.TempDir())
	p.stop()
	p.finished(t)
	says("There the audit log intact", p.dir)
	says("in PostgreSQL already", p.dir)
	return startIn(t, p.dir, database)
}

// TestAStartWaitsForItsDatabase, as after a power cut, and not for what somebody has to mend.
func TestAStartWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	cluster := newPostgreSQL(t)
	if err := cluster.Stop(true); err != nil {
		t.Fatal(err)
	}
	args := []string{"--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + t.TempDir(), "--database=" + cluster.Address("postgres")}
	found, err := examine(t, args...)
	if err == nil || !hasFinding(found, doctor.Fault, "look whether it runs") {
		t.Errorf("the doctor says %v, %+v", err, found)
	}
	serve := append([]string{"serve"}, args...)
	if err := run(t.Context(), append(serve, "--database-wait=0s"), io.Discard, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "look whether it runs") {
		t.Errorf("a start that doesn't wait: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, logs, done := new(logtest.Buffer), new(logtest.Buffer), make(chan error, 1)
	go func() { done <- run(ctx, append(serve, "--database-wait=1h"), out, logs, nil) }()
	eventually(t, "the start waits", func() bool { return strings.Contains(logs.String(), "waiting for the database") })
	if err := cluster.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it serves", func() bool { return toldAddress(out.String(), logs.String()) != "" })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	stranger := append(serve, "--database-wait=1h", "--database="+cluster.AddressOf("stranger", "postgres"))
	if err := run(t.Context(), stranger, io.Discard, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "pg_hba.conf") {
		t.Errorf("a start as nobody that the database knows: %v", err)
	}
}

// TestARecordInFilesIsNotLeftBehind by a flag.
func TestARecordInFilesIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.stop()
	p.finished(t)
	for part, args := range map[string][]string{
		"parley database copy": {"--database=postgres://parley@127.0.0.1/parley"},
		"PGPASSFILE":           {"--database=postgres://parley:secret@127.0.0.1/parley"},
		"--demo-data":          {"--database=postgres://parley@127.0.0.1/parley", "--demo-data"},
	} {
		var out bytes.Buffer
		args = append([]string{"serve", "--mode=demo", "--http=127.0.0.1:0", "--media-addr=127.0.0.1:0", "--data-dir=" + p.dir}, args...)
		if err := run(t.Context(), args, &out, &out, nil); err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
