package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"parley/server/store"
)

// version and commit are set at build time by -ldflags "-X main.version=…".
var version, commit = "dev", "unknown"

type versionCommand struct{}

// Run prints what this binary is made of.
func (versionCommand) Run(out io.Writer) error {
	pion := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/pion/webrtc/v4" {
				pion = dep.Version
			}
		}
	}
	_, err := fmt.Fprintf(out, "parley %s\ncommit %s\ngo     %s\nsqlite %s\npion   %s\n",
		version, commit, runtime.Version(), strings.TrimPrefix(store.Engine, "SQLite "), pion)
	return err
}
