package demodata

import (
	"context"
	"testing"
	"time"
)

// Fill fills the past.
func (d *Demo) Fill(ctx context.Context) error { return d.fill(ctx) }

// NoteFilled notes that the past is filled until a time.
func (d *Demo) NoteFilled(t *testing.T, until time.Time) {
	t.Helper()
	if err := d.cfg.Folder.noteFilled(until); err != nil {
		t.Fatal(err)
	}
}

// CallAll keeps calls alive until ctx is done.
func (d *Demo) CallAll(ctx context.Context, sessions Sessions) { d.callAll(ctx, sessions) }
