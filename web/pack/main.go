// Command pack compresses the WebAssembly program beside itself, once, so that
// no server does it per request: app.wasm.br and app.wasm.gz.
package main

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"
)

func main() {
	quality := flag.Int("quality", brotli.BestCompression, "Brotli quality, 0–11: 11 takes half a minute, 4 a second")
	flag.Parse()
	if err := pack(flag.Arg(0), *quality); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(path string, quality int) error {
	if path == "" || quality < brotli.BestSpeed || quality > brotli.BestCompression {
		return fmt.Errorf("usage: pack [-quality 0–%d] app.wasm", brotli.BestCompression)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	gzipped := make(chan error, 1)
	go func() {
		gzipped <- compress(path+".gz", raw, func(w io.Writer) (io.WriteCloser, error) {
			return gzip.NewWriterLevel(w, gzip.BestCompression)
		})
	}()
	err = compress(path+".br", raw, func(w io.Writer) (io.WriteCloser, error) {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: quality, LGWin: 22}), nil
	})
	return errors.Join(err, <-gzipped)
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
