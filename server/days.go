package main

import (
	"fmt"
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
