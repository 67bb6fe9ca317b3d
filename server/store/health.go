package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/server/fault"
)

// probeEvery bounds how often the disk is asked: well below the 10 s in which
// space that came back must be noticed.
const probeEvery = time.Second

// diskProbe is what the newest probe found, so that asking often costs nothing, and
// the one that is under way: a disk that hangs holds on to it, not to who asks.
type diskProbe struct {
	probes sync.WaitGroup

	mu      sync.Mutex
	at      time.Time
	err     error
	running chan struct{} // closed when it is done; nil if none is
}

func (h *diskProbe) close() error {
	h.probes.Wait()
	return nil
}

// Healthy reports whether the store can be written now: it writes, to both
// files, at most once a second, and answers within Patience.
func (s *Store) Healthy(ctx context.Context) error {
	done := s.health.startProbe(func() error {
		return errors.Join(s.probe(s.control), s.probe(s.telemetry))
	})
	late := time.NewTimer(Patience)
	defer late.Stop()
	select {
	case <-done:
		s.health.mu.Lock()
		defer s.health.mu.Unlock()
		return s.health.err
	case <-ctx.Done():
		return classify("probing", ctx.Err())
	case <-late.C:
		return fmt.Errorf("%w: a probe hangs", fault.Unavailable)
	}
}

// startProbe gives what is closed when there is news that is new enough.
func (h *diskProbe) startProbe(probe func() error) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running != nil {
		return h.running
	}
	done := make(chan struct{})
	if time.Since(h.at) < probeEvery {
		close(done)
		return done
	}
	h.running = done
	h.probes.Go(func() {
		err := probe()
		h.mu.Lock()
		h.at, h.err, h.running = time.Now(), err, nil
		h.mu.Unlock()
		close(done)
	})
	return done
}

func (s *Store) probe(d *database) error {
	return d.write(context.Background(), "probing "+d.name, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO probe (one, t) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET t = excluded.t",
			s.ids.now().UnixMilli())
		return err
	})
}
