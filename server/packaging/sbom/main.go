// Command sbom prints what a Go program is made of, as a CycloneDX 1.5 document. It
// reads that from the program itself, so that it can't differ from what was built,
// and prints the same for the same program.
package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom: "+err.Error())
		os.Exit(1)
	}
}

// A component is one of CycloneDX.
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl,omitempty"`
}

type document struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

// run takes the program's file and its version.
func run(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("write the file of the program and its version")
	}
	info, err := buildinfo.ReadFile(args[0])
	if err != nil {
		return err
	}
	doc := document{
		Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata:   metadata{component{Type: "application", Name: info.Main.Path, Version: args[1]}},
		Components: []component{{Type: "platform", Name: "go", Version: info.GoVersion}},
	}
	for _, dep := range info.Deps {
		used := cmp.Or(dep.Replace, dep)
		doc.Components = append(doc.Components, component{
			Type: "library", Name: used.Path, Version: used.Version, PURL: "pkg:golang/" + used.Path + "@" + used.Version,
		})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
