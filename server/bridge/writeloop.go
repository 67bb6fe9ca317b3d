package bridge

import (
	"context"
	"time"
)

// recordRetry is how long a store that failed is left alone.
const recordRetry = time.Second

// writeLoop writes to the store in a goroutine of its own, so that no call waits for it,
// and tries again what the store refused.
type writeLoop struct {
	writeWaiting func(context.Context) bool // all that waits; false: not all of it is kept
	wake         chan struct{}
}

func newWriteLoop(write func(context.Context) bool) *writeLoop {
	return &writeLoop{writeWaiting: write, wake: make(chan struct{}, 1)}
}

// notify says that something waits.
func (l *writeLoop) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx is done, then what is left.
func (l *writeLoop) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
		for !l.writeWaiting(context.WithoutCancel(ctx)) && ctx.Err() == nil {
			select {
			case <-time.After(recordRetry):
			case <-ctx.Done():
			}
		}
	}
}
