package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A soundServer is a PulseAudio of the test's own, without a device: what is played is
// heard by nobody, and its microphone is fed with a WAV, over and over.
type soundServer struct{ address string }

// startSound starts one. A Firefox without one runs no AudioContext, and so has no meter.
func startSound(t *testing.T, wav string) soundServer {
	t.Helper()
	for _, name := range []string{"pulseaudio", "pacat", "pactl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("no PulseAudio; on Debian: apt-get install pulseaudio pulseaudio-utils")
		}
	}
	dir := t.TempDir()
	s := soundServer{"unix:" + filepath.Join(dir, "native")}
	args := []string{"-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"}
	for _, module := range []string{
		"module-native-protocol-unix auth-anonymous=1 socket=" + filepath.Join(dir, "native"),
		"module-null-sink sink_name=speaker", "module-null-sink sink_name=mouth",
		"module-remap-source source_name=microphone master=mouth.monitor",
	} {
		args = append(args, "-L", module)
	}
	runInFolder(t, dir, os.Environ(), nil, "pulseaudio", args...) // to itself it is no server to ask
	eventually(t, "the sound server has a microphone", patience, func() (string, bool) {
		cmd := exec.Command("pactl", "list", "short", "sources")
		cmd.Env = s.environment()
		out, err := cmd.CombinedOutput()
		return fmt.Sprint(string(out), err), strings.Contains(string(out), "microphone")
	})
	for _, set := range [][]string{{"set-default-sink", "speaker"}, {"set-default-source", "microphone"}} {
		cmd := exec.Command("pactl", set...)
		cmd.Env = s.environment()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pactl %v: %v %s", set, err, out)
		}
	}
	s.speak(t, dir, wav)
	return s
}

// speak plays the WAV into the microphone for as long as the test may last.
func (s soundServer) speak(t *testing.T, dir, wav string) {
	t.Helper()
	said, err := os.ReadFile(wav)
	if err != nil {
		t.Fatal(err)
	}
	const minutes = 5
	whole := bytes.Repeat(said[wavSamples:], minutes*60/8+1) // a round takes eight seconds or more
	runInFolder(t, dir, s.environment(), whole, "pacat", "--playback", "--device=mouth", "--raw", "--format=s16le", "--channels=1", fmt.Sprintf("--rate=%d", rateOf(said)))
}

// runInFolder runs a command until the test is over.
func runInFolder(t *testing.T, dir string, environment []string, input []byte, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(environment, "XDG_RUNTIME_DIR="+dir, "HOME="+dir)
	cmd.Stdin = bytes.NewReader(input)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has no end of its own
		_ = cmd.Wait()         // by the signal
	})
}

func (s soundServer) environment() []string { return append(os.Environ(), "PULSE_SERVER="+s.address) }

// realMicrophone has Firefox take the system's.
const realMicrophone = `
user_pref("media.navigator.streams.fake", false);
`

// A caller in Firefox with a sound device sees by the meter that they are heard, is told
// when they talk while muted, and is answered by the parrot.
func TestFirefoxHearsItsCaller(t *testing.T) {
	t.Parallel()
	findFirefox(t)
	sound := startSound(t, voice(t))
	path := openPath(t)
	srv := startServer(t, path.B)
	f := startFirefoxWith(t, path.A, path.B.Addr.String(), realMicrophone, "PULSE_SERVER="+sound.address)
	f.goTo(srv.callerLink)
	f.press("Check microphone")
	f.says("We can hear you")
	f.metersTheVoice(t)
	f.press("Start call")
	f.says("Agent is speaking")
	f.press("Mute")
	f.says("You're muted. Press M to unmute")
	f.press("Unmute")
	f.says("Agent is speaking")
	f.press("Details")
	f.says("600 ms") // the parrot's wait, of a turn that ended where the voice did
	f.press("End")
	f.says("You ended the call.")
}

// metersTheVoice: the meter is loud while the voice speaks, and quiet between.
func (f *firefox) metersTheVoice(t *testing.T) {
	t.Helper()
	least, most := 1.0, 0.0
	eventually(t, "the meter goes up and down", patience, func() (string, bool) {
		var level float64
		f.evaluateJSON(`+getComputedStyle(document.querySelector('.meter-fill')).getPropertyValue('--level')`, &level)
		least, most = min(least, level), max(most, level)
		return fmt.Sprintf("%.2f to %.2f", least, most), least < .1 && most > .5
	})
}
