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
