package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"slices"
	"time"
)

// scrubPages is how many pages one step of scrub looks at: a megabyte, some
// milliseconds.
const scrubPages = 256

// maxBusySteps is how many steps in a row may find that others write for as long as
// a step waits. What is left is overwritten when the upkeep comes again.
const maxBusySteps = 5

// scrub overwrites what deleted rows left behind in the pages of a file that is
// too large to be written anew: in short steps, between which others write. It
// changes no byte that SQLite reads (https://sqlite.org/fileformat2.html#b_tree_pages).
func (f *file) scrub(ctx context.Context) error {
	options := writing(0)
	options.Set("_defensive", "0") // which would refuse to have pages written
	db, err := f.connect(options)
	if err != nil {
		return classify("overwriting what was deleted", err)
	}
	defer db.Close()
	all, _, err := f.pages(ctx)
	busy := 0
	for first := int64(1); err == nil && first <= all; {
		start := time.Now()
		err = scrubStep(ctx, db, first, min(first+scrubPages-1, all))
		switch {
		case err == nil:
			first, busy = first+scrubPages, 0
		case isBusy(err) && busy < maxBusySteps:
			err, busy = nil, busy+1
		default:
			return classify("overwriting what was deleted", err)
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(max(leastPause, sweepPause*time.Since(start))):
		}
	}
	return classify("overwriting what was deleted", err)
}

// scrubStep overwrites what is unused in some pages, in one transaction.
func scrubStep(ctx context.Context, db *sql.DB, first, last int64) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of what was committed it is nothing
	for number := first; number <= last; number++ {
		var page []byte
		if err := tx.QueryRowContext(ctx, "SELECT data FROM sqlite_dbpage WHERE pgno = ?", number).Scan(&page); err != nil {
			return err
		}
		if !clearUnused(page, number == 1) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?", page, number); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Types of the pages of a b-tree: the first byte of their header.
const (
	interiorIndex = 0x02
	interiorTable = 0x05
	leafIndex     = 0x0a
	leafTable     = 0x0d
)

// clearUnused overwrites the bytes of a page of a b-tree that no cell has, and
// reports whether there were any: between the pointers and the cells, and in the
// blocks that were freed. A page of another kind, or one that contradicts itself,
// stays as it is.
func clearUnused(page []byte, isFirst bool) (changed bool) {
	at := 0
	if isFirst {
		at = 100 // after the header of the file
	}
	if len(page) != pageSize {
		return false
	}
	header := 8
	switch page[at] {
	case interiorIndex, interiorTable:
		header = 12
	case leafIndex, leafTable:
	default:
		return false
	}
	number := func(i int) int { return int(binary.BigEndian.Uint16(page[i:])) }
	pointersEnd, cells := at+header+2*number(at+3), number(at+5)
	if pointersEnd > cells || cells > len(page) {
		return false
	}
	changed = clearBytes(page[pointersEnd:cells])
	for block, before := number(at+1), cells-1; block > before && block+4 <= len(page); {
		size := number(block + 2)
		if size < 4 || block+size > len(page) {
			break
		}
		changed = clearBytes(page[block+4:block+size]) || changed
		block, before = number(block), block
	}
	return changed
}

func clearBytes(b []byte) (changed bool) {
	changed = slices.ContainsFunc(b, func(b byte) bool { return b != 0 })
	clear(b)
	return changed
}
