package api_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/shared/rest"
)

// The generator and the compiler of a client's types, as of when this was written.
const (
	generator = "openapi-typescript@7.13.0"
	compiler  = "typescript@5.9.3"
)

// installTypeScript gives the folder of both tools, which npm keeps for the next
// run. Only a machine without npm, or from which no registry can be reached, has
// nothing to test with.
func installTypeScript(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm on this machine: nothing generates a client's types")
	}
	dir, err := filepath.Abs(filepath.Join("../../bin/tools", generator+"-"+compiler))
	must(t, 0, err)
	if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
		return dir
	}
	must(t, 0, os.MkdirAll(dir, 0o700))
	must(t, 0, os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private":true}`), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", generator, compiler)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "" && !hasRegistry(t, npm) {
			t.Skip("npm's registry can't be reached from this machine: nothing generates a client's types")
		}
		t.Fatalf("npm: %v\n%s", err, out)
	}
	must(t, 0, os.WriteFile(filepath.Join(dir, "installed"), nil, 0o600))
	return dir
}

// hasRegistry reports whether the registry that npm is set to answers.
func hasRegistry(t *testing.T, npm string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, npm, "ping", "--fetch-retries=0", "--fetch-timeout=10000").Run() == nil
}

// answerType is the type of what a GET answers, as the generated file has it.
const answerType = `import type { components, paths } from './schema';
type Answer<P extends keyof paths> =
	paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer A } } } } } ? A : never;
type Refusal<P extends keyof paths> =
	paths[P] extends { get: { responses: { default: { content: { 'application/problem+json': infer A } } } } } ? A :
	// OpenAI's clients know errors of OpenAI's form.
	paths[P] extends { get: { responses: { default: { content: { 'application/json': infer A } } } } } ? A : never;
// What a client does: reads, without a cast.
export const people = (page: Answer<'` + rest.PathActive + `'>): string[] => page.items.map((s) => s.user + (s.end_cause ?? ''));
export const cursor = (page: Answer<'` + rest.PathLogs + `'>): string | undefined => page.next_cursor ?? page.items[0]?.id;
export const refused = (p: Refusal<'` + rest.PathSocket + `'>): number => (p.code === 'cap_reached' ? (p.retry_after_s ?? 1) : 0);
// What a client does wrong is found.
// @ts-expect-error
export const wrong: Answer<'` + rest.PathMe + `'>['sub'] = 5;
// @ts-expect-error
export const unknown = (p: Refusal<'` + rest.PathMe + `'>) => p.cause;
export type Ticket = components['schemas']['Ticket'];
`

// readerOf is a program that takes each answer by its type, as a literal, in which
// the compiler finds what is missing, what is too much, and what is of another type.
func readerOf(answers []described) string {
	var b strings.Builder
	b.WriteString(answerType)
	for i, a := range answers {
		kind := "Answer"
		if a.status == "default" {
			kind = "Refusal"
		}
		fmt.Fprintf(&b, "export const answer%d: %s<'%s'> = %s;\n", i, kind, a.path, a.body)
	}
	return b.String()
}

// TestAGeneratedClientReadsEveryAnswer: openapi-typescript makes types of the
// description, and a program that takes every real answer to a GET by them
// compiles without a complaint, and what it takes wrongly doesn't.
func TestAGeneratedClientReadsEveryAnswer(t *testing.T) {
	tools := installTypeScript(t)
	var document []byte
	var answers []described
	synctest.Test(t, func(t *testing.T) { document, answers = answersOfAll(t) })
	dir := t.TempDir()
	write := func(name, text string) { must(t, 0, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
	run := func(tool string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(tools, "node_modules", ".bin", tool), args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	write("openapi.json", string(document))
	if out, err := run("openapi-typescript", "openapi.json", "--output", "schema.ts"); err != nil {
		t.Fatalf("openapi-typescript: %v\n%s", err, out)
	}
	write("reader.ts", readerOf(answers))
	out, err := run("tsc", "--strict", "--noEmit", "--skipLibCheck", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "es2022", "reader.ts")
	if err != nil {
		t.Fatalf("tsc: %v\n%s", err, out)
	}
}
