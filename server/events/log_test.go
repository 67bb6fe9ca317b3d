package events_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/events"
)

func filled(size, entries int) *events.Log[int] {
	l := events.New[int](size)
	for n := range entries {
		l.Append(n + 1)
	}
	return l
}

func TestReplay(t *testing.T) {
	cases := map[string]struct {
		size, entries int
		cursor        uint64
		want          []int
		err           error
	}{
		"all":                   {5, 3, 0, []int{1, 2, 3}, nil},
		"the rest":              {5, 3, 2, []int{3}, nil},
		"a full ring":           {3, 3, 0, []int{1, 2, 3}, nil},
		"the oldest that is":    {3, 10, 7, []int{8, 9, 10}, nil},
		"the oldest that isn't": {3, 10, 6, nil, events.ErrCursorLost},
		"from the start, gone":  {3, 4, 0, nil, events.ErrCursorLost},
		"ahead of the log":      {3, 3, 4, nil, events.ErrCursorLost},
		"far ahead":             {3, 0, 1, nil, events.ErrCursorLost},
		"a ring of one":         {0, 4, 3, []int{4}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := filled(c.size, c.entries)
			got, next, err := l.Next(t.Context(), c.cursor)
			if !errors.Is(err, c.err) || !slices.Equal(got, c.want) {
				t.Fatalf("%v, %v; want %v, %v", got, err, c.want, c.err)
			}
			if err == nil && next != uint64(c.entries) {
				t.Errorf("cursor %d, want %d", next, c.entries)
			}
			if err != nil && next != c.cursor {
				t.Errorf("the cursor moved to %d", next)
			}
		})
	}
}

// A log that begins later knows nothing of cursors from before.
func TestALogMayBeginLater(t *testing.T) {
	l := events.NewAfter[string](3, 1000)
	if l.Last() != 1000 {
		t.Errorf("begins after %d", l.Last())
	}
	for _, cursor := range []uint64{0, 997, 999, 1001} {
		if _, _, err := l.Next(t.Context(), cursor); !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("cursor %d: %v", cursor, err)
		}
	}
	if n := l.Append("a"); n != 1001 {
		t.Errorf("the first is number %d", n)
	}
	for _, cursor := range []uint64{0, 998, 999} {
		if _, _, err := l.Next(t.Context(), cursor); !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("with an entry, cursor %d: %v", cursor, err)
		}
	}
	if got, next, err := l.Next(t.Context(), 1000); err != nil || next != 1001 || !slices.Equal(got, []string{"a"}) {
		t.Errorf("%v, %d, %v", got, next, err)
	}
}

func TestNextWaitsForWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := filled(4, 2)
		start := time.Now()
		go func() {
			time.Sleep(time.Minute)
			l.Append(3)
		}()
		got, next, err := l.Next(t.Context(), l.Last())
		if err != nil || !slices.Equal(got, []int{3}) || next != 3 {
			t.Errorf("%v %d %v", got, next, err)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := events.New[int](1)
		why := errors.New("the hour is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, why)
		defer cancel()
		if _, next, err := l.Next(ctx, 0); !errors.Is(err, why) || next != 0 {
			t.Errorf("%d, %v", next, err)
		}
	})
}

func TestEntriesKnowTheirNumber(t *testing.T) {
	l := events.New[uint64](2)
	for range 5 {
		l.AppendWith(func(seq uint64) uint64 { return seq })
	}
	got, _, err := l.Next(t.Context(), 3)
	if err != nil || !slices.Equal(got, []uint64{4, 5}) {
		t.Errorf("%v %v", got, err)
	}
}

// Who never reads holds nobody up and costs nothing; who reads sees every entry
// once, in order.
func TestReadersAreIndependent(t *testing.T) {
	const entries, readers = 5000, 8
	l := events.New[int](entries)
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			var cursor uint64
			for want := 1; want <= entries; {
				got, next, err := l.Next(t.Context(), cursor)
				if err != nil {
					t.Error(err)
					return
				}
				for _, n := range got {
					if n != want {
						t.Errorf("entry %d, want %d", n, want)
						return
					}
					want++
				}
				cursor = next
			}
		})
	}
	for n := range entries {
		l.Append(n + 1)
	}
	wg.Wait()
}

func TestASlowReaderIsToldSo(t *testing.T) {
	l := filled(10, 5)
	_, cursor, err := l.Next(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 11 {
		l.Append(n)
	}
	if _, _, err := l.Next(t.Context(), cursor); !errors.Is(err, events.ErrCursorLost) {
		t.Errorf("eleven behind in a ring of ten: %v", err)
	}
	if _, _, err := l.Next(t.Context(), cursor+1); err != nil {
		t.Errorf("ten behind: %v", err)
	}
}

func BenchmarkAppendWithIdleReaders(b *testing.B) {
	l := events.New[int](64)
	for b.Loop() {
		l.Append(1)
	}
}

// TestForget: no cursor of before is good, a reader who waits is told at once, and
// what comes is numbered on.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := events.New[string](4)
		l.Append("a")
		before := l.Last()
		waiting := make(chan error, 1)
		go func() { _, _, err := l.Next(t.Context(), before); waiting <- err }()
		synctest.Wait()
		l.Forget()
		if err := <-waiting; !errors.Is(err, events.ErrCursorLost) {
			t.Errorf("who waited gets %v", err)
		}
		for cursor := range before + 1 {
			if got, _, err := l.Next(t.Context(), cursor); !errors.Is(err, events.ErrCursorLost) {
				t.Errorf("cursor %d: %v %v", cursor, got, err)
			}
		}
		now := l.Last()
		l.Append("b")
		if got, next, err := l.Next(t.Context(), now); err != nil || len(got) != 1 || got[0] != "b" || next != now+1 {
			t.Errorf("%v %d %v", got, next, err)
		}
	})
}
