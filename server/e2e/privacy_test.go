package e2e_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	// run is how many bytes in a row count as a trace of a packet.
	run = 32
	// varied is how many different bytes a run must have: a run of zeros is in
	// many files.
	varied = 12
	// enoughPackets is about eight seconds of audio.
	enoughPackets = 400
)

// capture runs in the page. It copies each Opus packet between the encoder and
// the encryption, by the browser's own encoded transforms.
const capture = `(() => {
  const packets = window.parleyPackets = [];
  const work = 'onrtctransform = e => e.transformer.readable.pipeThrough(new TransformStream({ transform(f, c) { postMessage(new Uint8Array(f.data).slice()); c.enqueue(f); } })).pipeTo(e.transformer.writable)';
  const worker = new Worker(URL.createObjectURL(new Blob([work])));
  worker.onmessage = e => packets.push(btoa(String.fromCharCode(...e.data)));
  const addTrack = RTCPeerConnection.prototype.addTrack;
  RTCPeerConnection.prototype.addTrack = function (...args) {
    const sender = addTrack.apply(this, args);
    sender.transform = new RTCRtpScriptTransform(worker);
    return sender;
  };
})()`

func TestNoAudioIsWritten(t *testing.T) {
	t.Parallel()
	srv := startServer(t, nil)
	caller := startBrowser(t, microphone{voice: voice(t)}, nil).open("about:blank")
	if _, err := chromedp.Call(caller.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(caller.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: capture}); err != nil {
		t.Fatal(err)
	}
	caller.goTo(srv.callerLink)
	caller.says("Ready when you are")
	caller.startCall()
	eventually(t, "the call carried what was said", 2*patience, func() (string, bool) {
		n := evaluate[int](caller, "parleyPackets.length")
		return fmt.Sprint(n, " packets"), n >= enoughPackets && caller.sound().Heard > voiced
	})
	opensOnly(t, srv)
	caller.press("End")
	caller.says("You ended the call.")

	traces := tracesOf(t, evaluate[[]string](caller, "parleyPackets"))
	t.Logf("looking for %d runs of %d bytes", len(traces), run)
	for _, dir := range []string{srv.dataDir, srv.tempDir} {
		if found := search(t, dir, traces); found != "" {
			t.Errorf("%s holds audio", found)
		}
	}
	// The search finds what it looks for.
	planted := t.TempDir()
	for trace := range traces {
		if err := os.WriteFile(filepath.Join(planted, "planted"), append([]byte("some text"), trace[:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		break
	}
	if search(t, planted, traces) == "" {
		t.Error("the search doesn't find a packet that is there")
	}
}

// tracesOf are all runs of the packets.
func tracesOf(t *testing.T, packets []string) map[[run]byte]bool {
	t.Helper()
	traces := map[[run]byte]bool{}
	for _, text := range packets {
		packet, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+run <= len(packet); i++ {
			if trace := [run]byte(packet[i : i+run]); distinct(trace[:]) >= varied {
				traces[trace] = true
			}
		}
	}
	if len(traces) < enoughPackets {
		t.Fatalf("%d packets left only %d traces to look for", len(packets), len(traces))
	}
	return traces
}

func distinct(b []byte) int {
	n := 0
	for i, c := range b {
		if bytes.IndexByte(b[:i], c) < 0 {
			n++
		}
	}
	return n
}

// search names the first file below dir that holds a trace.
func search(t *testing.T, dir string, traces map[[run]byte]bool) (found string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := 0; i+run <= len(content); i++ {
			if traces[[run]byte(content[i:i+run])] {
				found = path
				return fs.SkipAll
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// opensOnly checks that the server holds no file open outside its own folders,
// so that the search looks in the right place.
func opensOnly(t *testing.T, srv *server) {
	t.Helper()
	inherited := openFiles(t, "self")
	for path := range openFiles(t, strconv.Itoa(srv.pid)) {
		if !inherited[path] && !strings.HasPrefix(path, srv.dataDir) && !strings.HasPrefix(path, srv.tempDir) {
			t.Errorf("the server holds %s open", path)
		}
	}
}

// openFiles are the regular files that a process has open.
func openFiles(t *testing.T, process string) map[string]bool {
	t.Helper()
	dir := filepath.Join("/proc", process, "fd")
	links, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, link := range links {
		path, err := os.Readlink(filepath.Join(dir, link.Name()))
		if err != nil {
			continue // closed since
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			files[path] = true
		}
	}
	return files
}
