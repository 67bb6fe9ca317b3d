package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxStep is how many bytes a program may grow before somebody says why.
const maxStep = 30_000

// heaviest is how many packages are named.
const heaviest = 10

// written is the line of a program in the file of weights.
type written struct {
	budget, weight int64
	reason         string
}

// readWeights reads lines of name, budget, weight and reason.
func readWeights(r io.Reader) (map[string]written, error) {
	lines := map[string]written{}
	for in := bufio.NewScanner(r); in.Scan(); {
		fields := strings.Fields(in.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 4 {
			return nil, fmt.Errorf("%q: a line is name, budget, weight and reason", in.Text())
		}
		budget, budgetErr := strconv.ParseInt(fields[1], 10, 64)
		weight, weightErr := strconv.ParseInt(fields[2], 10, 64)
		if budgetErr != nil || weightErr != nil {
			return nil, fmt.Errorf("%q: budget and weight are whole numbers of bytes", in.Text())
		}
		lines[fields[0]] = written{budget, weight, strings.Join(fields[3:], " ")}
	}
	return lines, nil
}

// checkWeight holds a packed program against its line.
func checkWeight(o options, path string) error {
	f, err := os.Open(o.weights)
	if err != nil {
		return err
	}
	defer f.Close()
	lines, err := readWeights(f)
	if err != nil {
		return fmt.Errorf("%s: %w", o.weights, err)
	}
	packed, err := os.Stat(path + ".br")
	if err != nil {
		return err
	}
	return judge(o.out, filepath.Base(path), packed.Size(), lines)
}

func judge(out io.Writer, name string, size int64, lines map[string]written) error {
	line, ok := lines[name]
	fmt.Fprintf(out, "%s: %d bytes after Brotli (budget %d, written down %d)\n", name, size, line.budget, line.weight)
	switch step := size - line.weight; {
	case !ok:
		return fmt.Errorf("%s has no line among the weights", name)
	case size > line.budget:
		return fmt.Errorf("%s is %d bytes over its budget of %d", name, size-line.budget, line.budget)
	case step > maxStep:
		return fmt.Errorf("%s is %d bytes heavier than written down: find out why, then write down the new weight and the reason", name, step)
	case step < -maxStep:
		fmt.Fprintf(out, "%s is %d bytes lighter than written down: write down the new weight, so that it stays\n", name, -step)
	}
	return nil
}

// tellHeaviest names the packages with the most code.
func tellHeaviest(out io.Writer, name string, module []byte) error {
	weights, err := packageWeights(module)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	packages := make([]string, 0, len(weights))
	for p := range weights {
		packages = append(packages, p)
	}
	slices.SortFunc(packages, func(a, b string) int { return cmp.Or(weights[b]-weights[a], strings.Compare(a, b)) })
	var line strings.Builder
	fmt.Fprintf(&line, "%s, KB of code:", name)
	for _, p := range packages[:min(heaviest, len(packages))] {
		fmt.Fprintf(&line, " %s %d", p, weights[p]/1000)
	}
	_, err = fmt.Fprintln(out, line.String())
	return err
}

// packageWeights sums the bytes of code of each package, by the names that Go's
// linker gives to functions. It is empty for a program without names.
func packageWeights(module []byte) (map[string]int, error) {
	var bodies []int
	var names map[int]string
	imported := 0
	err := eachSection(module, func(kind byte, body []byte) error {
		r := reader{body}
		switch kind {
		case importSection:
			imported = r.unsigned() // Go's programs import nothing but functions
		case codeSection:
			for range r.unsigned() {
				bodies = append(bodies, len(r.bytes(r.unsigned())))
			}
		case customSection:
			if string(r.bytes(r.unsigned())) == nameSection {
				names = functionNames(&r)
			}
		}
		return nil
	})
	weights := map[string]int{}
	for i, size := range bodies {
		if name, ok := names[imported+i]; ok {
			weights[packageOf(name)] += size
		}
	}
	return weights, err
}

// functionNames reads the names of functions, the subsection 1 of the names.
func functionNames(r *reader) map[int]string {
	names := map[int]string{}
	for len(r.rest) > 0 {
		kind := r.bytes(1)
		body := reader{r.bytes(r.unsigned())}
		if len(kind) == 1 && kind[0] == 1 {
			for range body.unsigned() {
				i := body.index()
				names[i] = string(body.bytes(body.unsigned()))
			}
		}
	}
	return names
}

// packageOf cuts a function's name, in which the linker writes all but letters,
// digits and dots as _: github.com_pion_ice_v4.__Agent_.run.
func packageOf(function string) string {
	host := 0
	for _, known := range []string{"github.com_", "golang.org_"} {
		if strings.HasPrefix(function, known) {
			host = len(known)
		}
	}
	path, _, _ := strings.Cut(function[host:], ".")
	return function[:host] + path
}
