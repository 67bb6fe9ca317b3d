package peer_test

import (
	"testing"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
	"parley/wasm/peer"
)

// cut breaks path and socket at once, as a cable does: the path's end is
// noticed by silence, the socket's (after) by the operating system.
func (s *script) cut(after time.Duration) (last time.Duration) {
	s.t.Helper()
	last = s.pulse()
	s.set(func() { s.noDial, s.mute = errNoNetwork, true })
	wait(after)
	s.newest().drop(1006)
	return last
}

// The time that is left is one clock, whatever breaks and in which order: it
// begins once, never grows, and the call is given up when it has run out.
func TestOneClockCountsTheGraceDown(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"both at once": 0, "the socket 9 s later": 9 * time.Second, "the socket at the end": 28 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			play(t, s, func(_ *peer.Call, done <-chan peer.CallEnded) {
				s.live()
				last := s.cut(after)
				end := <-done
				began := last + peer.DropAfter
				if after == 0 {
					began = last + time.Nanosecond // the socket told first
				}
				if got, want := s.since(), began+30*time.Second; got != want || end.Failure != peer.Lost {
					t.Errorf("gave up at %v with %+v, want %v", got, end, want)
				}
				for _, d := range happened[peer.ConnectionDropped](s) {
					if got := d.what.Until.Sub(s.start); got != began+30*time.Second || d.what.HasMedia {
						t.Errorf("at %v: kept until %v (media: %v), want %v", d.at, got, d.what.HasMedia, began+30*time.Second)
					}
				}
			})
		})
	}
}

// Only the socket is gone, then the path too, then the path is back alone: each
// is told, and the clock goes on.
func TestWhatIsGoneIsTold(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.set(func() { s.noDial = errNoNetwork })
		s.newest().drop(1006)
		until := time.Now().Add(30 * time.Second)
		wait(3 * time.Second)
		s.set(func() { s.deadPath = true })
		wait(5 * time.Second)
		s.set(func() { s.deadPath = false })
		wait(2 * time.Second)
		var media []bool
		for _, d := range happened[peer.ConnectionDropped](s) {
			media = append(media, d.what.HasMedia)
			if !d.what.Until.Equal(until) {
				t.Errorf("at %v: kept until %v, want %v", d.at, d.what.Until, until)
			}
		}
		if len(media) != 3 || !media[0] || media[1] || !media[2] {
			t.Errorf("told of media: %v, want with, without, with", media)
		}
	})
}

// A level falls within two seconds of the last sign of the far end, and is not
// the line's fault when it is back.
func TestTheLevelOfAnOutage(t *testing.T) {
	s := &script{heals: true}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		wait(5 * time.Second)
		last := s.pulse()
		s.set(func() { s.heals = false })
		wait(12 * time.Second)
		s.set(func() { s.heals = true })
		wait(15 * time.Second)
		back := happened[peer.ConnectionRecovered](s)
		if len(back) != 1 {
			t.Fatalf("recovered %d times", len(back))
		}
		for _, look := range happened[peer.SampleMeasured](s) {
			q := look.what.Quality
			switch {
			case look.at > last+2*time.Second && look.at < back[0].at:
				if q.Level != quality.Poor || !look.what.IsSilent {
					t.Errorf("%v after the last sign: %+v", look.at-last, q)
				}
			case look.at > back[0].at+wire.SampleInterval:
				if q.Cause != quality.CauseNone || look.what.IsSilent {
					t.Errorf("%v after it is back: %+v", look.at-back[0].at, q)
				}
			}
		}
	})
}

// Seconds are lost in both directions, each by itself.
func TestSilentSecondsOfACall(t *testing.T) {
	s := &script{}
	play(t, s, func(_ *peer.Call, _ <-chan peer.CallEnded) {
		s.live()
		s.pulse()
		wait(5 * time.Second)
		looks := happened[peer.SampleMeasured](s)
		in := looks[len(looks)-1].what.Ratings[quality.ToCaller]
		if loss := in.Second.EffectiveLossRatio; loss == nil || *loss != 1 {
			t.Errorf("a silent second lost %v", loss)
		}
		if in.Verdict.Cause != quality.CauseLoss || in.Verdict.Value != 100 {
			t.Errorf("verdict %+v", in.Verdict)
		}
	})
}
