// Package web owns the files that the page is made of, embedded in the binary:
// styles, icons, manifest, worker template, and the program once it is built.
// It serves nothing.
package web

import "embed"

//go:generate go run ./draw -dir icons

// Files are the embedded files. Of the program they hold only the compressed
// forms, app.wasm.br and app.wasm.gz, and neither before `make wasm` has run:
// app.wasm.txt stands in, so that Go code compiles without it.
//
//go:embed *.css *.js *.html *.webmanifest robots.txt icons app.wasm.*
var Files embed.FS
