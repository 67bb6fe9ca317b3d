package e2e_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// What the caller says, over and over: about three seconds of speech without
// a pause in it, then silence for the parrot to answer in.
const (
	sentence     = "Hello parrot can you hear me speaking on this line today"
	pauseAfter   = 5 * time.Second
	speechAtMost = 5 * time.Second
)

// Of a WAV file with one PCM chunk: where the sizes and the samples are.
const (
	wavRIFFSize = 4
	wavRate     = 24
	wavDataSize = 40
	wavSamples  = 44
	wavFrame    = 2 // bytes: 16 bits, one channel
)

// rateOf is how many frames a second a WAV has.
func rateOf(wav []byte) int { return int(binary.LittleEndian.Uint32(wav[wavRate:])) }

// voice makes the WAV that Chromium takes for its microphone.
func voice(t *testing.T) string {
	t.Helper()
	return voiceWithPause(t, pauseAfter)
}

// voiceWithPause makes one whose speaker begins again after that long.
func voiceWithPause(t *testing.T, pause time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "voice.wav")
	if out, err := exec.Command("espeak-ng", "-v", "en", "-s", "165", "-w", path, sentence).CombinedOutput(); err != nil {
		t.Fatalf("espeak-ng: %v: %s", err, out)
	}
	wav, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(wav) < wavSamples || string(wav[36:40]) != "data" {
		t.Fatalf("espeak-ng wrote a WAV with an unknown header: %x", wav[:min(len(wav), wavSamples)])
	}
	rate := binary.LittleEndian.Uint32(wav[wavRate:])
	if speech := time.Duration(len(wav)-wavSamples) * time.Second / time.Duration(rate*wavFrame); speech < time.Second || speech > speechAtMost {
		t.Fatalf("the sentence takes %v", speech)
	}
	wav = append(wav, make([]byte, int(rate)*wavFrame/1000*int(pause/time.Millisecond))...)
	binary.LittleEndian.PutUint32(wav[wavRIFFSize:], uint32(len(wav)-8))
	binary.LittleEndian.PutUint32(wav[wavDataSize:], uint32(len(wav)-wavSamples))
	if err := os.WriteFile(path, wav, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
