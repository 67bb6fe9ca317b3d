package logexport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/logexport"
	"parley/shared/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// spool is a store in memory.
type spool struct {
	mu          sync.Mutex
	logs        []rest.LogEntry
	audit       []rest.AuditEntry
	sent        int64 // of the access log
	auditSent   int64
	lost        int64
	unavailable error
}

func (s *spool) UnsentLogs(_ context.Context, most int) (unsent []rest.LogEntry, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.logs {
		if e.ID > s.sent && len(unsent) < most {
			unsent = append(unsent, e)
		}
	}
	return unsent, s.unavailable
}

func (s *spool) UnsentAudit(_ context.Context, most int) (unsent []rest.AuditEntry, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.audit {
		if e.Seq > s.auditSent && len(unsent) < most {
			unsent = append(unsent, e)
		}
	}
	return unsent, s.unavailable
}

func (s *spool) LogsSent(_ context.Context, last int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = last
	return nil
}

func (s *spool) AuditSent(_ context.Context, last int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auditSent = last
	return nil
}

func (s *spool) LostLines(context.Context) (access, audit int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost, 0, nil
}

// add adds n lines to the access log, of which the path is the number.
func (s *spool) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		id := int64(len(s.logs) + 1)
		s.logs = append(s.logs, rest.LogEntry{ID: id, T: time.Now(), Path: fmt.Sprint("/", id), Status: 200, Node: "n1"})
	}
}

func (s *spool) confirmed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// export runs an Exporter until the test, or what it returns, ends it.
func export(t *testing.T, cfg logexport.Config, to string) (e *logexport.Exporter, stop func()) {
	t.Helper()
	var err error
	if cfg.Destination, err = url.Parse(to); err != nil {
		t.Fatal(err)
	}
	cfg.Interval = 10 * time.Millisecond
	if e, err = logexport.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return e, stop
}

// certificate is one of 127.0.0.1, and what verifies it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return &tls.Config{Certificates: srv.TLS.Certificates, MinVersion: tls.VersionTLS12}, pool
}

// eventually waits for a condition, with a ceiling for a busy machine.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(45 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s", what)
		}
	}
}
