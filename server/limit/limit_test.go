package limit_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"parley/server/limit"
)

// take counts n events that have to be allowed.
func take(t *testing.T, l *limit.Limiter, key string, n int) {
	t.Helper()
	for i := range n {
		if wait := l.Take(key); wait != 0 {
			t.Fatalf("event %d of %q: wait %v", i+1, key, wait)
		}
	}
}

func TestSlidingAllowsNInAnySpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewSliding(3, time.Minute)
		take(t, l, "a", 1)
		time.Sleep(59 * time.Second)
		take(t, l, "a", 2)
		if wait := l.Take("a"); wait != time.Second {
			t.Fatalf("the fourth: wait %v", wait)
		}
		take(t, l, "b", 3)
		time.Sleep(time.Second - time.Nanosecond)
		if wait := l.Take("a"); wait != time.Nanosecond {
			t.Fatalf("a nanosecond before: wait %v", wait)
		}
		time.Sleep(time.Nanosecond)
		take(t, l, "a", 1)
		if wait := l.Take("a"); wait != 59*time.Second {
			t.Fatalf("2n across a boundary: wait %v", wait)
		}
	})
}

func TestARefusedEventCountsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewSliding(1, time.Minute)
		take(t, l, "a", 1)
		for range 59 {
			time.Sleep(time.Second)
			if l.Take("a") == 0 {
				t.Fatal("let in too early")
			}
		}
		time.Sleep(time.Second)
		take(t, l, "a", 1)
	})
}

func TestABucketFillsOneEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewBucket(3, 10*time.Second)
		take(t, l, "a", 3)
		if wait := l.Take("a"); wait != 10*time.Second {
			t.Fatalf("the fourth: wait %v", wait)
		}
		time.Sleep(10*time.Second - time.Millisecond)
		if wait := l.Take("a"); wait == 0 || wait > 2*time.Millisecond {
			t.Fatalf("a millisecond before: wait %v", wait)
		}
		time.Sleep(time.Millisecond)
		take(t, l, "a", 1)
		time.Sleep(time.Hour)
		take(t, l, "a", 3)
		if l.Take("a") == 0 {
			t.Fatal("a bucket that rested holds more than n")
		}
	})
}

// A limit that is lowered or raised at run time holds at once.
func TestAnotherNumberHoldsAtOnce(t *testing.T) {
	now := time.Now()
	for name, l := range map[string]*limit.Limiter{
		"sliding": limit.NewSliding(1, time.Hour), "bucket": limit.NewBucket(1, time.Hour),
	} {
		for i := range 2 {
			if l.TakeAt("a", 2, now) != 0 {
				t.Fatalf("%s: event %d", name, i+1)
			}
		}
		if wait := l.TakeAt("a", 2, now); wait <= 0 || wait > time.Hour {
			t.Fatalf("%s, the third: wait %v", name, wait)
		}
		if l.TakeAt("a", 1, now) == 0 {
			t.Fatalf("%s: lowered, and let in", name)
		}
	}
}

// MaxKeys of them are remembered, each of them; one more makes one forgotten.
func TestMemoryIsBounded(t *testing.T) {
	now := time.Now()
	for name, l := range map[string]*limit.Limiter{
		"sliding": limit.NewSliding(1, time.Hour), "bucket": limit.NewBucket(1, time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			fill := func(n int) {
				for i := range n {
					l.TakeAt(strconv.Itoa(i), 1, now)
				}
			}
			fill(limit.MaxKeys)
			if n := l.Len(); n != limit.MaxKeys || l.TakeAt("0", 1, now) == 0 {
				t.Fatalf("%d keys, or the first is forgotten", n)
			}
			if l.TakeAt("one more", 1, now) != 0 {
				t.Fatal("a newcomer was refused")
			}
			if n := l.Len(); n != limit.MaxKeys {
				t.Fatalf("%d keys", n)
			}
			now = now.Add(time.Hour)
			l.TakeAt("much later", 1, now)
			if n := l.Len(); n != 1 {
				t.Fatalf("%d keys when all but one rest", n)
			}
		})
	}
}

func TestConcurrency(t *testing.T) {
	c := limit.NewConcurrency(2)
	for i, step := range []struct {
		key  string
		want bool
	}{{"a", true}, {"a", true}, {"a", false}, {"b", true}} {
		if got := c.Enter(step.key); got != step.want {
			t.Fatalf("step %d: %s enters: %v, want %v", i, step.key, got, step.want)
		}
	}
	c.Leave("a")
	if !c.Enter("a") || c.Enter("a") {
		t.Fatal("a place that was given back is one, and no more")
	}
}

func TestSecondsRoundUp(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		0: 0, time.Nanosecond: 1, time.Second: 1, time.Second + time.Nanosecond: 2, 30 * time.Second: 30,
	} {
		if got := limit.Seconds(wait); got != want {
			t.Errorf("%v: %d, want %d", wait, got, want)
		}
	}
}
