package privacy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// MaxScanned bounds the files of one look for audio: a data directory has a
// dozen, and one with more than this is not Parley's own.
const MaxScanned = 10_000

// audioMarks are the first bytes of the containers that audio is kept in.
var audioMarks = [][]byte{
	[]byte("OggS"),                 // Ogg: Opus, Vorbis
	[]byte("RIFF"),                 // WAV
	[]byte("fLaC"),                 // FLAC
	[]byte("ID3"),                  // MP3
	[]byte("#!AMR"),                // AMR
	[]byte("caff"),                 // CAF
	{0x1A, 0x45, 0xDF, 0xA3},       // Matroska, WebM
	[]byte("#!rtpplay1.0"),         // RTP dump
	{0xD4, 0xC3, 0xB2, 0xA1},       // packet capture
	{0xA1, 0xB2, 0xC3, 0xD4},       // packet capture, other byte order
	{0x0A, 0x0D, 0x0D, 0x0A, 0x1C}, // pcapng
}

// CheckNoAudio looks for files below dir that begin as audio or packet captures
// do. It is the evidence a server holds its promise by.
func CheckNoAudio(dir string) error {
	scanned := 0
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // gone since it was listed
			return nil
		}
		if err != nil {
			return err
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		if scanned++; scanned > MaxScanned {
			return fmt.Errorf("more than %d files in the data directory", MaxScanned)
		}
		return checkFile(path)
	})
}

func checkFile(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	for _, mark := range audioMarks {
		if bytes.HasPrefix(head[:n], mark) {
			return fmt.Errorf("%s begins as audio does", filepath.Base(path))
		}
	}
	return nil
}
