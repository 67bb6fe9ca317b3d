package wire_test

import (
	"testing"
	"time"

	"parley/shared/wire"
)

func TestTimesHaveMillisecondsAlways(t *testing.T) {
	for at, want := range map[time.Time]string{
		time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC):                 `{"type":"warning","code":"idle","ends_at":"2026-03-04T05:06:07.000Z"}`,
		time.Date(2026, 3, 4, 5, 6, 7, 120_999_999, time.UTC):       `{"type":"warning","code":"idle","ends_at":"2026-03-04T05:06:07.120Z"}`,
		time.Date(2026, 3, 4, 7, 6, 7, 0, time.FixedZone("", 7200)): `{"type":"warning","code":"idle","ends_at":"2026-03-04T05:06:07.000Z"}`,
		{}: `{"type":"warning","code":"idle"}`,
	} {
		frame, err := wire.Encode(wire.Warning{Code: wire.WarnIdle, EndsAt: at})
		if err != nil {
			t.Fatal(err)
		}
		if string(frame) != want {
			t.Errorf("%v goes out as %s, want %s", at, frame, want)
		}
	}
}
