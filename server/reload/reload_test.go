package reload_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/reload"
)

// running is a Reloader of one file, which runs in the bubble of a test.
type running struct {
	ask chan os.Signal

	mu              sync.Mutex
	reads, requests int
	done            int // requests whose files were read
	changed         bool
	err             error
	log             bytes.Buffer
}

// Write implements io.Writer, for the log.
func (r *running) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func (r *running) readFile() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	return r.changed, r.err
}

func (r *running) countRequest(context.Context) (onRead func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	reads := r.reads
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.reads > reads {
			r.done++
		}
	}
}

// setFile says what the next look at the file finds.
func (r *running) setFile(changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed, r.err = changed, err
}

// settled waits until the Reloader has nothing to do, and gives what it did and
// what it logged since the last time.
func (r *running) settled() (reads, requests int, log string) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.log.Reset()
	return r.reads, r.requests, r.log.String()
}

func run(t *testing.T) *running {
	r := &running{ask: make(chan os.Signal, 1)}
	reloader := reload.New([]reload.File{{Name: "the file", Reload: r.readFile}}, reload.Interval, r.countRequest, slog.New(slog.NewTextHandler(r, nil)))
	go reloader.Run(t.Context(), r.ask)
	synctest.Wait()
	return r
}

func TestFilesAreReadInARhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t)
		time.Sleep(reload.Interval - 1)
		if reads, _, _ := r.settled(); reads != 0 {
			t.Error("read before it was due")
		}
		time.Sleep(time.Nanosecond)
		reads, requests, log := r.settled()
		if reads != 1 || requests != 0 {
			t.Errorf("read %d times, asked %d times", reads, requests)
		}
		if log != "" {
			t.Errorf("a file that is as it was is spoken of: %s", log)
		}
	})
}

func TestARequestReadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t)
		r.setFile(true, nil)
		r.ask <- syscall.SIGHUP
		reads, requests, log := r.settled()
		if reads != 1 || requests != 1 {
			t.Errorf("read %d times, asked %d times", reads, requests)
		}
		if !strings.Contains(log, "a changed file is in use") {
			t.Errorf("the change is not told: %s", log)
		}
		if r.done != 1 {
			t.Errorf("%d times told that the files were read", r.done)
		}
	})
}

func TestAFaultIsLoggedOnceUntilItIsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t)
		for _, step := range []struct {
			err  error
			want int
		}{{errors.New("torn"), 1}, {errors.New("torn"), 0}, {errors.New("gone"), 1}, {nil, 0}, {errors.New("gone"), 1}} {
			r.setFile(false, step.err)
			time.Sleep(reload.Interval)
			_, _, log := r.settled()
			if got := strings.Count(log, "level=ERROR"); got != step.want {
				t.Errorf("%v: %d errors in the log, want %d: %s", step.err, got, step.want, log)
			}
		}
	})
}

// pair is a self-signed certificate of that serial and its key.
func pair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Date(int(2100+serial), 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(file string, content []byte) {
		t.Helper()
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := pair(t, 1)
	write(certFile, cert)
	if _, err := reload.LoadCertificate(certFile, keyFile); err == nil || !strings.HasPrefix(err.Error(), "--tls-key: ") {
		t.Errorf("without a key: %v", err)
	}
	write(keyFile, key)
	c, err := reload.LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	renewed, renewedKey := pair(t, 2)
	for _, step := range []struct {
		name    string
		change  func()
		changed bool
		fails   bool
		serial  int64
	}{
		{"as it was", func() {}, false, false, 1},
		{"half of a renewal", func() { write(certFile, renewed) }, false, true, 1},
		{"the other half", func() { write(keyFile, renewedKey) }, true, false, 2},
		{"no certificate", func() { write(certFile, []byte("none")) }, false, true, 2},
		{"gone", func() { _ = os.Remove(certFile) }, false, true, 2},
	} {
		step.change()
		changed, err := c.Reload()
		if changed != step.changed || (err != nil) != step.fails {
			t.Errorf("%s: changed %t, %v", step.name, changed, err)
		}
		shown, err := c.TLSConfig().GetCertificate(nil)
		if err != nil || shown.Leaf == nil || shown.Leaf.SerialNumber.Int64() != step.serial {
			t.Errorf("%s: shows %+v, %v; want %d", step.name, shown, err, step.serial)
		}
		if _, to := c.Validity(); to.Year() != int(2100+step.serial) {
			t.Errorf("%s: valid until %v", step.name, to)
		}
	}
}
