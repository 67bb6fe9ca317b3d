package main

import (
	"context"
	"log/slog"
	"time"

	"parley/server/audit"
	"parley/server/bridge"
	"parley/server/demodata"
	"parley/server/privacy"
	"parley/server/store"
)

// recordPath returns the folder that the record lies in: demo data has one of its own,
// which a server without it removes.
func (c *serveCommand) recordPath(dir *dataDir) (path string, folder *demodata.Folder, err error) {
	if !c.DemoData {
		return dir.path, nil, demodata.RemoveFolder(dir.path)
	}
	if folder, err = demodata.OpenFolder(dir.path); err != nil {
		return "", nil, err
	}
	return folder.Path(), folder, nil
}

// newDemo makes demo data up, and keeps of it what has to be there before the server is
// up; nil where there is none.
func newDemo(ctx context.Context, folder *demodata.Folder, live int, s *store.Store, guard *privacy.Privacy, log *slog.Logger) (*demodata.Demo, error) {
	if folder == nil {
		return nil, nil
	}
	at := func(now func() time.Time) *store.Store { return s.Backdated(demodata.NodeID, now) }
	demo := demodata.New(demodata.Config{
		Folder: folder, Mask: guard, Live: live, Logger: log,
		Store: func(now func() time.Time) demodata.Store { return at(now) },
		Audit: func(now func() time.Time) demodata.Audit {
			return audit.New(audit.Config[*store.Tx]{Store: at(now), Mask: guard, Node: demodata.Node, Now: now})
		},
	}, time.Now())
	return demo, demo.KeepActs(ctx)
}

// madeUpMedia are the legs of calls that are made up, on a server that has any.
func (s *storage) madeUpMedia() bridge.MadeUpMedia {
	if s.demo == nil {
		return nil
	}
	return demodata.Media{}
}

// runDemo keeps calls that are made up alive until ctx is done.
func (s *Server) runDemo(ctx context.Context) {
	if s.demo != nil {
		s.demo.Run(ctx, s.bridge.Sessions())
	}
}
