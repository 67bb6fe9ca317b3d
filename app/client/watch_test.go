package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/app/client"
	"parley/shared/rest"
)

func TestWatchTellsWhatTheStreamSays(t *testing.T) {
	stats := encode(rest.EventStats, 9, rest.StatsFrame{Seq: 9})
	activity := encode(rest.EventActivity, 10, rest.ActivityFrame{Seq: 10})
	unknown := encode("alert", 11, map[string]any{"seq": 11, "what": "new to this client"})
	cases := map[string]struct {
		acts []act
		want []string
	}{
		"frames in order": {
			[]act{sends(snapshot(7, "a", "b"), upsert(8, "a"), stats, activity, unknown, upsert(12, "b"))},
			[]string{"connecting", "live", "snapshot 7 of 2 polled=false", "sessions 8", "counts 9", "activities 10", "sessions 12"},
		},
		"several events of one step share its number": {
			[]act{sends(snapshot(8), upsert(9, "a"), stats)},
			[]string{"connecting", "live", "snapshot 8 of 0 polled=false", "sessions 9", "counts 9"},
		},
		"nothing before the snapshot counts": {
			[]act{sends(upsert(6, "a"), snapshot(7), upsert(8, "b"))},
			[]string{"connecting", "live", "snapshot 7 of 0 polled=false", "sessions 8"},
		},
		"resync: a snapshot follows": {
			[]act{sends(snapshot(7), "event: resync\ndata: {}\n\n", upsert(90, "a"), snapshot(99, "a"), upsert(100, "a"))},
			[]string{"connecting", "live", "snapshot 7 of 0 polled=false", "snapshot 99 of 1 polled=false", "sessions 100"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := watching(t, &server{acts: c.acts}, func(_ *client.Watch, heard *said) {
					if got := heard.all(); !slices.Equal(got, c.want) {
						t.Errorf("told\n%q, want\n%q", got, c.want)
					}
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Run = %v, want the context's cause", err)
				}
			})
		})
	}
}

// TestASnapshotOfAnotherStart: what a server counts begins anew with it.
func TestASnapshotOfAnotherStart(t *testing.T) {
	of := func(epoch string, seq uint64) string {
		return strings.Replace(snapshot(seq), "id: c", "id: "+epoch+".", 1)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &server{acts: []act{sends(of("first", 7), of("first", 99), of("second", 100), of("second", 101))}}
		_ = watching(t, s, func(_ *client.Watch, heard *said) {
			if want := []bool{false, false, true, false}; !slices.Equal(heard.anew, want) {
				t.Errorf("anew: %v, want %v", heard.anew, want)
			}
		})
	})
}

func TestWatchAsksAgainAfterAGap(t *testing.T) {
	cases := map[string]string{
		"frames are missing":      upsert(9, "a"),
		"the server began anew":   upsert(3, "a"),
		"an event can't be read":  "id: c8\nevent: sessions\ndata: {\"seq\":\n\n",
		"a field of another kind": "id: c8\nevent: sessions\ndata: {\"seq\":8,\"upsert\":7}\n\n",
	}
	for name, broken := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				late := func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error) {
					open()
					chunk([]byte(snapshot(7)))
					time.Sleep(11 * time.Second)
					chunk([]byte(broken))
					<-ctx.Done()
					return client.Response{}, ctx.Err()
				}
				s := &server{acts: []act{late, sends(snapshot(20, "a"))}}
				watching(t, s, func(_ *client.Watch, heard *said) {
					time.Sleep(13 * time.Second)
					got := heard.all()
					if last := got[len(got)-1]; last != "snapshot 20 of 1 polled=false" {
						t.Errorf("last told %q, want the new snapshot", last)
					}
					if len(s.opened()) != 2 || s.opened()[1].lastID != "" {
						t.Errorf("opened %+v, want a second one without Last-Event-ID", s.opened())
					}
				})
			})
		})
	}
}

func TestWatchBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		watching(t, s, func(*client.Watch, *said) {
			time.Sleep(3 * time.Minute)
			for i, want := range []time.Duration{1, 2, 4, 8, 15, 30, 30} {
				want *= time.Second
				// Polls that nobody answers take no time here.
				if got := s.opened()[i+1].at.Sub(s.opened()[i].at); got < want*8/10 || got > want*12/10 {
					t.Errorf("wait %d was %v, want %v ± 20 %%", i+1, got, want)
				}
			}
		})
	})
}

func TestWatchStartsOverAfterAStreamThatLived(t *testing.T) {
	lives := func(d time.Duration) act {
		return func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error) {
			open()
			chunk([]byte(snapshot(1)))
			time.Sleep(d)
			return client.Response{Status: 200}, nil
		}
	}
	cases := map[string]struct {
		lived     time.Duration
		low, high time.Duration // of the wait after the third stream
	}{
		"just long enough": {10 * time.Second, 800 * time.Millisecond, 1200 * time.Millisecond},
		"not quite":        {10*time.Second - 1, 3200 * time.Millisecond, 4800 * time.Millisecond},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{acts: []act{lives(c.lived), lives(c.lived), lives(c.lived)}}
				watching(t, s, func(*client.Watch, *said) {
					time.Sleep(time.Minute)
					got := s.opened()[3].at.Sub(s.opened()[2].at) - c.lived
					if got < c.low || got > c.high {
						t.Errorf("waited %v, want %v to %v", got, c.low, c.high)
					}
					if s.opened()[1].lastID != "c1" {
						t.Errorf("Last-Event-ID %q, want c1", s.opened()[1].lastID)
					}
				})
			})
		})
	}
}

func TestWatchPollsAfterThreeFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: pollAnswer}
		watching(t, s, func(_ *client.Watch, heard *said) {
			time.Sleep(25 * time.Second)
			want := []string{
				"connecting", "reconnecting", "reconnecting", "reconnecting",
				"snapshot 0 of 1 polled=true", "reconnecting polling",
			}
			if got := heard.all(); !slices.Equal(got[:len(want)], want) {
				t.Errorf("told\n%q, want\n%q", got[:len(want)], want)
			}
			for i := 1; i < len(s.polled()); i++ {
				if got := s.polled()[i].Sub(s.polled()[i-1]); got != client.PollEvery {
					t.Errorf("poll %d after %v, want %v", i, got, client.PollEvery)
				}
			}
			if len(s.polled()) < 2 {
				t.Errorf("asked %d times in 25 s", len(s.polled()))
			}
		})
	})
}

func pollAnswer(r client.Request) (client.Response, error) {
	if r.Path == rest.PathStats {
		return client.Response{Status: 200, Body: []byte(`{"live":1}`)}, nil
	}
	return client.Response{Status: 200, Body: []byte(`{"items":[{"id":"a"}]}`)}, nil
}

func TestWatchSaysOfflineWhenNothingAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{acts: []act{sends(snapshot(1))}}
		watching(t, s, func(w *client.Watch, heard *said) {
			w.Hidden() // a stream that sleeps is no failure
			time.Sleep(2 * client.HideAfter)
			w.Visible()
			time.Sleep(60 * time.Second)
			got := heard.all()
			at := slices.Index(got, "offline")
			if at < 0 {
				t.Fatalf("never said offline: %q", got)
			}
			for _, line := range got[at:] {
				if line != "offline" {
					t.Errorf("said %q though nothing had changed: %q", line, got)
				}
			}
			opened := len(s.opened())
			w.Retry()
			synctest.Wait()
			if len(s.opened()) != opened+1 {
				t.Errorf("a hint that the network is back opened %d streams, want 1", len(s.opened())-opened)
			}
		})
	})
}

func TestWatchHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{acts: []act{refuses(429, 24), sends(snapshot(1))}, answer: pollAnswer}
		watching(t, s, func(w *client.Watch, heard *said) {
			w.Retry() // must not shorten the server's wish
			time.Sleep(24*time.Second - 1)
			if len(s.opened()) != 1 {
				t.Errorf("opened %d times before the 24 s were over", len(s.opened()))
			}
			if len(s.polled()) != 3 {
				t.Errorf("asked %d times meanwhile, want 3 (at 0, 10, 20 s)", len(s.polled()))
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if len(s.opened()) != 2 {
				t.Errorf("opened %d times at 24 s, want 2", len(s.opened()))
			}
			if got := heard.all(); got[1] != "rate_limited" || got[3] != "rate_limited polling" {
				t.Errorf("told %q", got)
			}
		})
	})
}

func TestWatchEndsWhereItMayNot(t *testing.T) {
	for _, status := range []int{401, 403} {
		t.Run(fmt.Sprint("stream ", status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := watching(t, &server{acts: []act{refuses(status, 0)}}, func(*client.Watch, *said) {})
				wantProblem(t, err, status)
			})
		})
		t.Run(fmt.Sprint("poll ", status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{answer: func(client.Request) (client.Response, error) { return refusal(status, 0), nil }}
				err := watching(t, s, func(*client.Watch, *said) { time.Sleep(time.Minute) })
				wantProblem(t, err, status)
			})
		})
	}
}

func TestWatchRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hour := func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error) {
			open()
			chunk([]byte(snapshot(7)))
			chunk([]byte("event: renew\ndata: {}\n\n"))
			return client.Response{Status: 200}, nil
		}
		s := &server{acts: []act{hour, sends(upsert(8, "a"))}}
		watching(t, s, func(_ *client.Watch, heard *said) {
			time.Sleep(5 * time.Second)
			synctest.Wait()
			want := []string{"connecting", "live", "snapshot 7 of 0 polled=false", "live renewed", "sessions 8"}
			if got := heard.all(); !slices.Equal(got, want) {
				t.Errorf("told\n%q, want\n%q", got, want)
			}
			if s.opened()[1].lastID != "c7" {
				t.Errorf("Last-Event-ID %q, want c7", s.opened()[1].lastID)
			}
		})
	})
}

func TestWatchClosesTheStreamOfAHiddenPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed time.Time
		first := func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error) {
			defer func() { closed = time.Now() }()
			return sends(snapshot(7))(ctx, open, chunk)
		}
		s := &server{acts: []act{first, sends()}}
		watching(t, s, func(w *client.Watch, _ *said) {
			w.Hidden()
			time.Sleep(client.HideAfter - 1)
			w.Visible() // seen again just in time
			w.Hidden()
			hidden := time.Now()
			time.Sleep(client.HideAfter + 1)
			synctest.Wait()
			if got := closed.Sub(hidden); got != client.HideAfter {
				t.Errorf("closed after %v hidden, want %v", got, client.HideAfter)
			}
			time.Sleep(time.Hour)
			if len(s.opened()) != 1 {
				t.Errorf("opened %d streams while hidden", len(s.opened())-1)
			}
			w.Visible()
			synctest.Wait()
			if len(s.opened()) != 2 || s.opened()[1].lastID != "c7" {
				t.Errorf("opened %+v, want a second one after c7", s.opened())
			}
		})
	})
}

func TestWatchLeavesASilentStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(ctx context.Context, open func(), chunk func([]byte)) (client.Response, error) {
			open()
			chunk([]byte(snapshot(7)))
			<-ctx.Done()
			return client.Response{}, ctx.Err()
		}
		s := &server{acts: []act{silent, sends()}}
		watching(t, s, func(*client.Watch, *said) {
			time.Sleep(40*time.Second + 1500*time.Millisecond)
			if len(s.opened()) != 2 {
				t.Errorf("opened %d streams, want a second after 40 s of silence", len(s.opened()))
			}
		})
	})
}

func wantProblem(t *testing.T, err error, status int) {
	t.Helper()
	var p *rest.Problem
	if !errors.As(err, &p) || p.Status != status || p.RequestID != "req_8F3K" {
		t.Errorf("error %v, want the problem with status %d", err, status)
	}
}
