// Package web owns the files that the page is made of, embedded in the binary:
// styles, icons and pictures, manifest, worker template, and the program once it is built.
// It serves nothing.
package web

import "embed"

//go:generate go run ./draw -dir icons

// Files are the embedded files. Of the two programs they hold only the compressed
// forms, such as app.wasm.br and app.wasm.gz, and none before `make wasm` has run:
// app.wasm.txt stands in, so that Go code compiles without them.
//
//go:embed *.css *.js *.html *.webmanifest robots.txt icons screenshots [a-z]*.wasm.*
var Files embed.FS
