package peerconn_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/leg/peerconn"
)

// TestWhatPionLogsTellsNoSecret: addresses are masked, and what secures a call is
// in no line, however pion comes to write it.
func TestWhatPionLogsTellsNoSecret(t *testing.T) {
	var out bytes.Buffer
	mask := func(s string) string { return strings.ReplaceAll(s, "203.0.113.77", "203.0.113.•") }
	log := peerconn.NewLog(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})), mask).Of("s1").NewLogger("ice")
	at := &net.UDPAddr{IP: net.IPv4(203, 0, 113, 77), Port: 4711}
	log.Debugf("Started agent: isControlling? %t, remoteUfrag: %q, remotePwd: %q", true, "aSecretUfrag", "aSecretPassword")
	log.Debugf("from %s to %s: %d bytes, %v", at, at, 42, errors.New("broken"))
	log.Infof("%x", []byte("aSecretKey"))
	log.Warnf("name %5.3s, %-8q %+v", "aSecretName", "aSecretName", struct{ Pwd string }{"aSecretStruct"})
	log.Debug("localPwd=aSecretPassword, then this")
	log.Error("fingerprint: sha-256 AA:BB:aSecretFingerprint\nnext")
	log.Info("ice-ufrag:aSecretUfrag")
	log.Trace("aSecretPacket")
	log.Tracef("%s", "aSecretPacket")
	text := out.String()
	for _, secret := range []string{"aSecret", "AA:BB", "203.0.113.77"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in\n%s", secret, text)
		}
	}
	if n := strings.Count(text, "\n"); n != 7 {
		t.Errorf("%d lines:\n%s", n, text)
	}
	for _, said := range []string{"isControlling? true", "from 203.0.113.•:4711 to", "42 bytes, broken", ", then this", `"session":"s1"`, `"scope":"ice"`, `"level":"DEBUG"`, `"event":"pion"`} {
		if !strings.Contains(text, said) {
			t.Errorf("%q is not in\n%s", said, text)
		}
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestPionIsSilentAboveDebug, and never louder than its rate, which all parts and
// sessions share; what is left out is counted in the next line.
func TestPionIsSilentAboveDebug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		level := new(slog.LevelVar)
		all := peerconn.NewLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})), nil)
		all.NewLogger("ice").Error("x")
		all.NewLogger("ice").Errorf("%v", 1)
		if out.Len() > 0 {
			t.Errorf("at info: %s", out.String())
		}
		level.Set(slog.LevelDebug)
		const most = peerconn.MaxLogRate
		for i := range most + 3 {
			all.Of(string(rune('a'+i%2))).NewLogger("dtls").Warnf("%d", i)
		}
		if n := strings.Count(out.String(), "\n"); n != most {
			t.Errorf("%d lines in a second, want %d", n, most)
		}
		out.Reset()
		time.Sleep(time.Second)
		all.NewLogger("ice").Info("after a second")
		if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), "omitted=3") {
			t.Errorf("%d lines: %s", n, out.String())
		}
	})
}
