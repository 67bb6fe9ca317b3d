package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"parley/server/settings"
)

// days is a retention: 30d, 720h, or just 30.
type days time.Duration

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (d *days) UnmarshalText(text []byte) error {
	s := string(text)
	if n, err := strconv.Atoi(strings.TrimSuffix(s, "d")); err == nil {
		*d = days(time.Duration(n) * settings.Day)
		return nil
	}
	span, err := time.ParseDuration(s)
	if err != nil || span%settings.Day != 0 {
		return fmt.Errorf("%q is no number of days", s)
	}
	*d = days(span)
	return nil
}

func (d days) span() time.Duration { return time.Duration(d) }

// byteSize is an amount of disk: 1GiB, 512MiB, 64KiB, or bytes.
type byteSize int64

// minLogSize is the least that an access log is of use with: some 3,000 lines.
const minLogSize = 1 << 20

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (b *byteSize) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), int64(1)
	for suffix, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, found := strings.CutSuffix(number, suffix); found {
			number, unit = strings.TrimSpace(rest), size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is no size: write 1GiB, 512MiB or a number of bytes", text)
	}
	if *b = byteSize(n * unit); *b < minLogSize {
		return fmt.Errorf("%q is too small: 1MiB or more", text)
	}
	return nil
}

func (b byteSize) bytes() int64 { return int64(b) }

// toggle is a switch: on or off, or as a script would say it.
type toggle string

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (t *toggle) UnmarshalText(text []byte) error {
	switch s := strings.ToLower(string(text)); s {
	case "on", "off":
		*t = toggle(s)
	case "true", "1", "yes":
		*t = "on"
	case "false", "0", "no":
		*t = "off"
	default:
		return fmt.Errorf("%q is neither on nor off", s)
	}
	return nil
}
