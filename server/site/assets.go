package site

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"parley/app/routes"
)

// Files with a part of their own.
const (
	callersWASM = "/web/app.wasm"
	adminsWASM  = "/web/admin.wasm"
	workerPath  = "/web/worker.js"
	unbuiltPath = "/web/unbuilt.html"
)

// minGzipSize is below what compression saves anything.
const minGzipSize = 1024

// asset is one file in every form it is served in. The program has no raw form:
// whoever wants it gets it unpacked on the way.
type asset struct {
	kind         string
	raw          []byte
	br, gz       *io.SectionReader // nil: there is none; its reads are at offsets alone, for many read it
	size         int               // of the raw form, in bytes
	served       bool              // by its own path under /web/
	compressible bool
}

func (a asset) isBuilt() bool { return a.br != nil && a.gz != nil }

// assets are by path, /web/ included.
type assets map[string]asset

func readAssets(files fs.FS) (assets, error) {
	found := make(assets)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := contentTypes()[path.Ext(name)]
		if !ok {
			return nil
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		found["/web/"+name], err = newAsset(kind, raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, path := range []string{callersWASM, adminsWASM} {
		if found[path], err = readProgram(files, strings.TrimPrefix(path, "/web/")); err != nil {
			return nil, err
		}
	}
	return found.excludePaths(workerPath, unbuiltPath), nil
}

// contentTypes are the media types we serve, by extension.
func contentTypes() map[string]string {
	return map[string]string{
		".css":         "text/css; charset=utf-8",
		".js":          "text/javascript; charset=utf-8",
		".html":        "text/html; charset=utf-8",
		".txt":         "text/plain; charset=utf-8",
		".svg":         "image/svg+xml",
		".png":         "image/png",
		".webmanifest": "application/manifest+json",
	}
}

func newAsset(kind string, raw []byte) (asset, error) {
	if strings.HasPrefix(kind, "text/css") {
		raw = shrinkCSS(raw)
	}
	a := asset{kind: kind, raw: raw, size: len(raw), served: true}
	if kind == "image/png" || len(raw) < minGzipSize {
		return a, nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(raw)
		err = errors.Join(err, w.Close())
	}
	a.gz, a.compressible = sectionOf(b.Bytes()), true
	return a, err
}

// readProgram takes a program's compressed forms; none is no error.
func readProgram(files fs.FS, name string) (asset, error) {
	br, brErr := openProgram(files, name+".br")
	gz, gzErr := openProgram(files, name+".gz")
	if errors.Is(brErr, fs.ErrNotExist) || errors.Is(gzErr, fs.ErrNotExist) {
		return asset{}, nil
	}
	if err := errors.Join(brErr, gzErr); err != nil {
		return asset{}, err
	}
	if gz.Size() < 18 { // header and trailer, RFC 1952
		return asset{}, fmt.Errorf("%s.gz has %d bytes", name, gz.Size())
	}
	// ISIZE, the last four bytes, is the size before compression.
	var size [4]byte
	if _, err := gz.ReadAt(size[:], gz.Size()-4); err != nil {
		return asset{}, err
	}
	return asset{
		kind: "application/wasm", br: br, gz: gz, size: int(binary.LittleEndian.Uint32(size[:])), served: true, compressible: true,
	}, nil
}

// openProgram gives a file without a copy of it: embedded ones are read where they are, and
// four of them would be 10 MB of memory, each twice for the collector.
func openProgram(files fs.FS, name string) (*io.SectionReader, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // of an embedded file it does nothing
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	at, isInMemory := f.(io.ReaderAt)
	if !isInMemory {
		return nil, fmt.Errorf("%s is no embedded file", name)
	}
	return io.NewSectionReader(at, 0, info.Size()), nil
}

func sectionOf(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// excludePaths keeps templates from being served as they are.
func (s assets) excludePaths(paths ...string) assets {
	for _, p := range paths {
		a := s[p]
		a.served = false
		s[p] = a
	}
	return s
}

// styles are a program's pages' own, without the splash, which go-app names
// itself. The first declares the order of the layers that the others add to.
func (s assets) styles(p routes.Program) []string {
	found := []string{"/web/parley.css"}
	for _, path := range slices.Sorted(maps.Keys(s)) {
		isOthers := p == routes.Callers && strings.HasPrefix(path, "/web/admin")
		if strings.HasSuffix(path, ".css") && path != "/web/splash.css" && path != found[0] && !isOthers {
			found = append(found, path)
		}
	}
	return found
}

// contentHash covers all that the browser gets, each piece with its length, so
// that no two contents run together.
func contentHash(s assets, env map[string]string, release string) string {
	h := sha256.New()
	add := func(b []byte) { fmt.Fprintf(h, "%d:", len(b)); h.Write(b) }
	add([]byte(release))
	for _, p := range slices.Sorted(maps.Keys(s)) {
		add([]byte(p))
		add(s[p].raw)
		br := cmp.Or(s[p].br, sectionOf(nil))
		fmt.Fprintf(h, "%d:", br.Size())
		_, _ = io.Copy(h, io.NewSectionReader(br, 0, br.Size())) // of memory into memory
	}
	for _, k := range slices.Sorted(maps.Keys(env)) {
		add([]byte(k))
		add([]byte(env[k]))
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

func isAsset(p string) bool { return strings.HasPrefix(p, "/web/") }

// etagMatches compares weakly, as RFC 9110 §13.1.2 has it: a proxy that compresses
// makes tags weak.
func etagMatches(list, etag string) bool {
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// serveAsset answers with the smallest form the client takes.
func (s *Site) serveAsset(w http.ResponseWriter, r *http.Request, p string) {
	a, ok := s.assets[p]
	if !ok || !a.served {
		http.NotFound(w, r)
		return
	}
	h, etag := w.Header(), `"`+s.version+`"`
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	h.Set("Content-Type", a.kind)
	if a.compressible {
		h.Set("Vary", "Accept-Encoding")
	}
	if etagMatches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	coding, body := a.chooseEncoding(r.Header.Get("Accept-Encoding"))
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	size := int64(a.size)
	if body != nil {
		size = body.Size()
	}
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method == http.MethodHead {
		return
	}
	_ = a.writeEncoded(w, body) // the client is gone: nobody to tell
}

func (a asset) chooseEncoding(accept string) (coding string, body *io.SectionReader) {
	switch {
	case a.br != nil && acceptsEncoding(accept, "br"):
		return "br", a.br
	case a.gz != nil && acceptsEncoding(accept, "gzip"):
		return "gzip", a.gz
	case a.raw != nil:
		return "", sectionOf(a.raw)
	}
	return "", nil
}

// writeEncoded writes body or, where there is none, unpacks on the way.
func (a asset) writeEncoded(w io.Writer, body *io.SectionReader) error {
	if body != nil {
		_, err := io.Copy(w, io.NewSectionReader(body, 0, body.Size()))
		return err
	}
	raw, err := gzip.NewReader(io.NewSectionReader(a.gz, 0, a.gz.Size()))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, raw)
	return err
}

// acceptsEncoding reads Accept-Encoding (RFC 9110 §12.5.3) for one coding: named with a
// weight above zero, or not named while "*" is.
func acceptsEncoding(header, coding string) bool {
	star := false
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == coding:
			return qualityOf(params) > 0
		case name == "*":
			star = qualityOf(params) > 0
		}
	}
	return star
}

func qualityOf(params string) float64 {
	q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
	if !ok {
		return 1
	}
	v, err := strconv.ParseFloat(q, 64)
	if err != nil {
		return 0
	}
	return v
}
