package ui_test

import (
	"math"
	"testing"
	"time"

	"parley/app/ui"
)

func TestFigures(t *testing.T) {
	cases := map[string]struct{ got, want string }{
		"whole milliseconds":         {ui.Millis(184.4), "184 ms"},
		"zero milliseconds":          {ui.Millis(0), "0 ms"},
		"just below ten seconds":     {ui.Millis(9999.4), "9\u202f999 ms"},
		"milliseconds below none":    {ui.Millis(-1234), "−1\u202f234 ms"},
		"many seconds":               {ui.Millis(12_345_678), "12\u202f345.7 s"},
		"a fast line":                {ui.Bitrate(1_234_567), "1\u202f235 kbit/s"},
		"a large file":               {ui.Bytes(1_234_567_890), "1\u202f234.6 MB"},
		"a day of this year":         {ui.Day(time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local), time.Date(2026, 12, 31, 12, 0, 0, 0, time.Local)), "4 Mar"},
		"a day of another year":      {ui.Day(time.Date(2025, 3, 4, 12, 0, 0, 0, time.Local), time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)), "4 Mar 2025"},
		"ten seconds":                {ui.Millis(9999.5), "10.0 s"},
		"seconds":                    {ui.Millis(12_400), "12.4 s"},
		"no figure":                  {ui.Millis(math.NaN()), "–"},
		"seconds of a turn":          {ui.Seconds(1900), "1.9 s"},
		"percent, exact zero":        {ui.Percent(0), "0 %"},
		"percent, hardly any":        {ui.Percent(0.049), "< 0.1 %"},
		"percent, a little":          {ui.Percent(0.05), "0.1 %"},
		"percent, one decimal":       {ui.Percent(9.94), "9.9 %"},
		"percent, no decimal at ten": {ui.Percent(9.95), "10 %"},
		"percent, many":              {ui.Percent(42.4), "42 %"},
		"ratio":                      {ui.Ratio(0.042), "4.2 %"},
		"percent of infinity":        {ui.Percent(math.Inf(1)), "–"},
		"mos":                        {ui.MOS(4.08), "4.1"},
		"mos in a tooltip":           {ui.MOSExact(4.08), "4.08"},
		"no mos is not zero":         {ui.MOS(0), "–"},
		"bitrate":                    {ui.Bitrate(31_900), "32 kbit/s"},
		"bytes":                      {ui.Bytes(999), "999 B"},
		"kilobytes":                  {ui.Bytes(1000), "1.0 kB"},
		"just below a megabyte":      {ui.Bytes(999_949), "999.9 kB"},
		"megabytes":                  {ui.Bytes(999_950), "1.0 MB"},
		"count, short":               {ui.Count(999), "999"},
		"count, grouped":             {ui.Count(1_234_567), "1\u202f234\u202f567"},
		"count, below zero":          {ui.Count(-1200), "−1\u202f200"},
		"one thing":                  {ui.Plural(1, "call"), "1 call"},
		"no things":                  {ui.Plural(0, "call"), "0 calls"},
		"many things":                {ui.Plural(1200, "call"), "1\u202f200 calls"},
		"count in a tile":            {ui.CountShort(9_999), "9\u202f999"},
		"count in a tile, long":      {ui.CountShort(12_400), "12.4 k"},
		"id, cut":                    {ui.ShortID("sess_7Q2MK0AA"), "sess_7Q2M…"},
		"id, short":                  {ui.ShortID("sess_7Q2MK"), "sess_7Q2MK"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %q, want %q", c.got, c.want)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	east := time.FixedZone("", 5*3600+30*60)
	west := time.FixedZone("", -3*3600)
	cases := map[string]struct{ got, want string }{
		"no time":             {ui.Duration(0), "0:00"},
		"below zero":          {ui.Duration(-time.Second), "0:00"},
		"minutes":             {ui.Duration(4*time.Minute + 12*time.Second), "4:12"},
		"hours":               {ui.Duration(time.Hour + 4*time.Minute + 12*time.Second), "1:04:12"},
		"not yet a second":    {ui.Duration(999 * time.Millisecond), "0:00"},
		"spoken":              {ui.DurationWords(time.Hour + 4*time.Minute + time.Second), "1 hour 4 minutes 1 second"},
		"spoken, nothing":     {ui.DurationWords(0), "0 seconds"},
		"a limit in minutes":  {ui.Span(30 * time.Minute), "30 minutes"},
		"a limit of an hour":  {ui.Span(time.Hour), "60 minutes"},
		"a limit in hours":    {ui.Span(2 * time.Hour), "2 hours"},
		"a limit in seconds":  {ui.Span(45 * time.Second), "45 seconds"},
		"a limit, mixed":      {ui.Span(90 * time.Second), "1 minute 30 seconds"},
		"age in seconds":      {ui.Age(59 * time.Second), "59 s"},
		"age in minutes":      {ui.Age(time.Minute), "1 min"},
		"age in hours":        {ui.Age(3 * time.Hour), "3 h"},
		"age in days":         {ui.Age(49 * time.Hour), "2 d"},
		"age of what's ahead": {ui.Age(-time.Second), "0 s"},
		"zone, none":          {ui.Zone(time.Unix(0, 0).UTC()), "UTC"},
		"zone, with minutes":  {ui.Zone(time.Unix(0, 0).In(east)), "UTC+5:30"},
		"zone, west":          {ui.Zone(time.Unix(0, 0).In(west)), "UTC−3"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %q, want %q", c.got, c.want)
			}
		})
	}
}
