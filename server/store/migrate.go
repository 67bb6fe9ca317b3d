package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// One folder an engine, in it one a file. Versions are the same in all engines;
// a migration that was released is never edited.
//
//go:embed migrations
var migrations embed.FS

func migrationFiles(engine, name string) (fs.FS, error) {
	return fs.Sub(migrations, "migrations/"+engine+"/"+name)
}

// Steps of PostgreSQL only add: nodes of the version before go on while the first one of a
// later version takes them. What is needed no more is taken away a version later.

// migrate brings a database up to date. Each step and the note that it was
// taken are one transaction, so that a process that dies in between leaves the
// step before. A database that knows steps we don't is left alone.
func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, files fs.FS) error {
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return classify("reading the schema's version", err)
	}
	if err := checkKnownVersion(version, newestOf(p.ListSources())); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			err = fmt.Errorf("migration %d: %w", partial.Failed.Source.Version, partial.Err)
		}
		return classify("migrating", err)
	}
	return nil
}

func newestOf(sources []*goose.Source) int64 { return sources[len(sources)-1].Version }

// newestIn is the newest version of a folder of migrations.
func newestIn(files fs.FS) (newest int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, err
}

// checkKnownVersion refuses a version that we have no step for, and says the way back:
// there are no steps down, for what they took away would be lost.
func checkKnownVersion(version, newest int64) error {
	if version > newest {
		return fmt.Errorf("%w: its schema is %d, this one knows up to %d; install the newer version again, or restore a backup from before the upgrade (parley restore) into another directory",
			ErrNewerSchema, version, newest)
	}
	return nil
}
