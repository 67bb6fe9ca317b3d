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
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/reload"
)

// running is a Reloader of one file, which runs in the bubble of a test.
type running struct {
	reads, requests int
	changed         bool
	err             error
	log             bytes.Buffer
	ask             chan os.Signal
}

func run(t *testing.T) *running {
	r := &running{ask: make(chan os.Signal, 1)}
	files := []reload.File{{Name: "the file", Reload: func() (bool, error) {
		r.reads++
		return r.changed, r.err
	}}}
	reloader := reload.New(files, func(context.Context) { r.requests++ }, slog.New(slog.NewTextHandler(&r.log, nil)))
	go reloader.Run(t.Context(), r.ask)
	synctest.Wait()
	return r
}

func TestFilesAreReadInARhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t)
		time.Sleep(reload.Interval - 1)
		if synctest.Wait(); r.reads != 0 {
			t.Error("read before it was due")
		}
		time.Sleep(time.Nanosecond)
		if synctest.Wait(); r.reads != 1 || r.requests != 0 {
			t.Errorf("read %d times, asked %d times", r.reads, r.requests)
		}
		if r.log.Len() > 0 {
			t.Errorf("a file that is as it was is spoken of: %s", &r.log)
		}
	})
}

func TestARequestReadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t)
		r.changed = true
		r.ask <- syscall.SIGHUP
		if synctest.Wait(); r.reads != 1 || r.requests != 1 {
			t.Errorf("read %d times, asked %d times", r.reads, r.requests)
		}
		if !strings.Contains(r.log.String(), "a changed file is in use") {
			t.Errorf("the change is not told: %s", &r.log)
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
			r.log.Reset()
			r.err = step.err
			time.Sleep(reload.Interval)
			synctest.Wait()
			if got := strings.Count(r.log.String(), "level=ERROR"); got != step.want {
				t.Errorf("%v: %d errors in the log, want %d: %s", step.err, got, step.want, &r.log)
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
	template := &x509.Certificate{SerialNumber: big.NewInt(serial)}
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
	}
}
