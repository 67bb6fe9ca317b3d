package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

// firstSharedStep are the steps of PostgreSQL by which nodes could first share a database.
var firstSharedStep = map[string]int64{"control": 11, "telemetry": 6}

// takesAway is what a step may not do while nodes of the version before run: they would
// read what is gone, or write what is refused.
var takesAway = regexp.MustCompile(`(?i)\bDROP\s+(TABLE|COLUMN|VIEW)|\bRENAME\b|\bALTER\s+(COLUMN\s+)?\w+\s+(TYPE|SET\s+NOT\s+NULL)|ADD\s+(COLUMN\s+)?\w+[^,;]*\bNOT\s+NULL(?:[^,;]*)[,;]`)

// isTakenAway reports whether a step takes something from nodes of the version before.
func isTakenAway(step string) bool {
	for _, found := range takesAway.FindAllString(step, -1) {
		if !strings.Contains(strings.ToUpper(found), " DEFAULT ") {
			return true
		}
	}
	return false
}

// TestStepsOnlyAdd: nodes of two versions run over one database while they are replaced.
func TestStepsOnlyAdd(t *testing.T) {
	for step, want := range map[string]bool{
		"CREATE TABLE a (id BIGINT NOT NULL);": false, "ALTER TABLE a ADD COLUMN b TEXT NOT NULL DEFAULT '';": false, "ALTER TABLE a ADD COLUMN b TEXT;": false,
		"CREATE INDEX i ON a (b);": false, "ALTER TABLE a ADD COLUMN b TEXT NOT NULL;": true, "ALTER TABLE a DROP COLUMN b;": true, "drop table a;": true,
		"ALTER TABLE a RENAME TO b;": true, "ALTER TABLE a ALTER COLUMN b TYPE BIGINT;": true, "ALTER TABLE a ALTER COLUMN b SET NOT NULL;": true,
	} {
		if got := isTakenAway(step); got != want {
			t.Errorf("%s: %t", step, got)
		}
	}
	for folder, first := range firstSharedStep {
		files, err := filepath.Glob(filepath.Join("migrations", "postgres", folder, "*.sql"))
		if err != nil || len(files) < 2 {
			t.Fatalf("%s has %d steps: %v", folder, len(files), err)
		}
		for _, file := range files {
			version, err := goose.NumericComponent(file)
			must(t, err)
			text, err := os.ReadFile(file)
			must(t, err)
			up, _, _ := strings.Cut(string(text), "-- +goose Down")
			if version > first && isTakenAway(up) {
				t.Errorf("%s takes something from nodes of the version before", file)
			}
		}
	}
}
