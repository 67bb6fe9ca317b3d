// Command pack compresses WebAssembly programs beside themselves, once, so that
// no server does it per request: app.wasm becomes app.wasm.br and app.wasm.gz.
// It takes the names of functions out and joins the data segments first, leaves
// out what only traces need if it is told to, tells which packages are the heaviest, and holds the weights against those that are
// written down. What was packed before from the same program stays.
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

func main() {
	var o options
	flag.IntVar(&o.quality, "quality", brotli.BestCompression, "Brotli quality, 0–11: 11 takes half a minute, 5 two seconds")
	flag.BoolVar(&o.dropsLines, "drop-lines", false, "leave out of which file and line each instruction is: some 220 KB less; a trace names functions alone then")
	flag.StringVar(&o.weights, "weights", "", "file of what programs may weigh; it holds for quality 11")
	flag.Parse()
	o.out = os.Stdout
	if err := packAll(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

type options struct {
	quality    int
	dropsLines bool
	weights    string
	out        io.Writer
}

// packAll packs programs side by side.
func packAll(o options, paths []string) error {
	if len(paths) == 0 || o.quality < brotli.BestSpeed || o.quality > brotli.BestCompression {
		return fmt.Errorf("usage: pack [-quality 0–%d] [-weights FILE] app.wasm…", brotli.BestCompression)
	}
	o.out = &lockedWriter{to: o.out}
	errs := make([]error, len(paths))
	var packing sync.WaitGroup
	for i, path := range paths {
		packing.Go(func() { errs[i] = pack(o, path) })
	}
	packing.Wait()
	if err := errors.Join(errs...); err != nil || o.weights == "" || o.quality != brotli.BestCompression {
		return err
	}
	for i, path := range paths {
		errs[i] = checkWeight(o, path)
	}
	return errors.Join(errs...)
}

// lockedWriter keeps lines whole that are written side by side.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

func pack(o options, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	linked := raw
	if raw, err = o.shrink(raw); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	stamp := stampOf(raw, o.quality)
	if isPacked(path, stamp) {
		_, err = fmt.Fprintln(o.out, filepath.Base(path)+" is packed already")
	} else {
		err = errors.Join(compressBoth(path, raw, o), os.WriteFile(stampPath(path), []byte(stamp), 0o644))
	}
	if err != nil || o.weights == "" {
		return err
	}
	return tellHeaviest(o.out, filepath.Base(path), linked)
}

func (o options) shrink(module []byte) ([]byte, error) {
	if !o.dropsLines {
		return joinSegments(module)
	}
	return rewrite(module, func(s []segment) ([]segment, error) {
		s = join(s)
		return s, dropLines(s)
	})
}

// stampOf names what is packed and how: the same stamp, the same files.
func stampOf(raw []byte, quality int) string {
	sum := sha256.Sum256(raw)
	return fmt.Sprintf("%s quality %d\n", hex.EncodeToString(sum[:]), quality)
}

// stampPath begins with a dot: what lies beside the program and begins with its
// name is embedded.
func stampPath(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".packed")
}

func isPacked(path, stamp string) bool {
	before, err := os.ReadFile(stampPath(path))
	if err != nil || string(before) != stamp {
		return false
	}
	for _, packed := range []string{path + ".br", path + ".gz"} {
		if _, err := os.Stat(packed); err != nil {
			return false
		}
	}
	return true
}

func compressBoth(path string, raw []byte, o options) error {
	gzipped := make(chan error, 1)
	go func() {
		gzipped <- compress(path+".gz", raw, func(w io.Writer) (io.WriteCloser, error) {
			return gzip.NewWriterLevel(w, gzip.BestCompression)
		})
	}()
	err := compress(path+".br", raw, func(w io.Writer) (io.WriteCloser, error) {
		z := brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: o.quality, LGWin: 22})
		return &progress{WriteCloser: z, out: o.out, name: filepath.Base(path), total: len(raw), told: time.Now()}, nil
	})
	return errors.Join(err, <-gzipped)
}

// progress tells how much of a program went through a compressor. It tells
// nothing of what is over at once.
type progress struct {
	io.WriteCloser
	out         io.Writer
	name        string
	done, total int
	told        time.Time
}

const (
	// progressStep is how many bytes are compressed between two looks at the clock.
	progressStep = 256 << 10
	// progressEvery is how often somebody who waits wants to hear of it.
	progressEvery = 3 * time.Second
)

func (p *progress) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		var wrote int
		wrote, err = p.WriteCloser.Write(b[:min(len(b), progressStep)])
		n, b, p.done = n+wrote, b[wrote:], p.done+wrote
		if now := time.Now(); now.Sub(p.told) >= progressEvery {
			p.told = now
			fmt.Fprintf(p.out, "  %s: packed %d of %d MB\n", p.name, p.done/1e6, p.total/1e6)
		}
	}
	return n, err
}

// compress writes aside and renames: a build that was stopped leaves no half
// file to be embedded.
func compress(path string, raw []byte, with func(io.Writer) (io.WriteCloser, error)) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	f, err := os.Create(tmp)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	w, err := with(f)
	if err == nil {
		_, err = w.Write(raw)
		err = errors.Join(err, w.Close())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
