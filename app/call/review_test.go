package call_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/call"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/rtcstats"
	"parley/shared/wire"
)

// series is one direction of the caller's leg: R and loss, a second each.
func series(d quality.Direction, by rtcstats.MeasuredBy, rs ...float64) rest.StreamQuality {
	s := rest.StreamQuality{Leg: rtcstats.LegCaller, Direction: d, MeasuredBy: by,
		Summary: rest.Summary{LossRatio: &rest.Range{Avg: 0.01}, DelayMS: &rest.Range{Avg: 90}}}
	for i, r := range rs {
		p := rest.Point{At: noon.Add(time.Duration(i) * time.Second), Gap: r == 0}
		if r != 0 {
			p.Metrics = rest.Metrics{R: new(r), LossRatio: new((100 - r) / 1000), DelayMS: new(100.0), JitterMS: new(5.0)}
		}
		s.Series = append(s.Series, p)
	}
	return s
}

func keptCall() (rest.OwnSession, rest.Connection) {
	s := rest.OwnSession{SessionRecord: rest.SessionRecord{
		ID: "sess_1", User: "a•••", Email: "a•••@x", Phone: "+90•••", Remote: "192.0.2.•", Agent: "echo", StartedAt: noon, EndedAt: new(noon.Add(761 * time.Second)), DurationS: 761,
		EndCause: "admin_ended", EndReason: "maintenance",
		Quality: rest.RecordQuality{Level: quality.Excellent, Seconds: map[quality.Level]int{quality.Excellent: 94, quality.Fair: 6},
			Summary: rest.Summary{MOS: &rest.Range{Avg: 4.21, Min: 3.4}},
			Turns:   rest.TurnSummary{FirstWord: rest.FirstWord{Turns: 18, P50MS: 620, P95MS: 1400}, Silenced: rest.Silenced{Interruptions: 3}}},
		Receipt: rest.Receipt{StorageAttempts: 1, LogKeptUntil: new(time.Date(2026, 12, 21, 12, 0, 0, 0, time.Local))},
		Rating:  &rest.Rating{Score: 0, Tags: []rest.RatingTag{rest.TagEcho}},
	}, Usage: &rest.Usage{Responses: 7, Tokens: rest.Tokens{InputAudio: 1200, OutputAudio: 800}}}
	bad := []float64{90, 90, 65, 55, 65, 65, 65, 90, 0, 66, 90}
	return s, rest.Connection{Streams: []rest.StreamQuality{
		series(quality.ToAgent, rtcstats.ByServer, bad...),
		series(quality.ToCaller, rtcstats.ByClient, 90, 90, 90, 90, 90, 90, 90, 90, 0, 90, 90),
	}}
}

// TestASummaryOfTheRecordSaysAll: why it ended, how it was, what happened, what was kept,
// what it used and how it was rated.
func TestASummaryOfTheRecordSaysAll(t *testing.T) {
	s, c := keptCall()
	html := app.HTMLString(call.SummaryOf(s, c))
	for _, want := range []string{
		"An admin ended this call", "Reason: maintenance.", "12:41", "Excellent", "for 94 % of the call", "4.2, lowest 3.4",
		"0.6 s typical · 1.4 s slowest", "18, 3 interrupted", "1.0 % lost · 90 ms",
		"poor for 5 s: loss 4.5 % from you to the agent.",
		"no audio stored · 1 storage attempt · the log lines are deleted on 21 Dec 2026.",
		"7 · 1\u202f200 tokens heard, 800 said", "Cut out", "Thanks, noted.",
		"Start another call", "Copy diagnostics", "Download my data (JSON)", `download="parley-call-sess_1.json"`, "/api/v1/sessions/sess_1",
		"No turns were measured, so only the line is drawn.",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	if strings.Count(html, "aria-pressed") != 5 || strings.Count(html, `aria-pressed="false"`) != 3 { // two thumbs, three tags
		t.Errorf("what is pressed: %s", html)
	}
	if strings.Count(html, "<h1") != 1 || strings.Contains(html, "fair for 1 s") {
		t.Errorf("headings, or a second that is no incident: %s", html)
	}
	diagnostics := call.SummaryDiagnostics(s, c)
	if !json.Valid([]byte(diagnostics)) || !strings.Contains(diagnostics, "sess_1") {
		t.Error(diagnostics)
	}
	for _, never := range []string{"192.0.2", "+90", "@x", "a•••"} {
		if strings.Contains(diagnostics, never) {
			t.Errorf("diagnostics have %q: %s", never, diagnostics)
		}
	}
}

// TestAnOutageThatOnlyThePageSawIsTold: a server that stood still for as long keeps a
// perfect line, and no incident.
func TestAnOutageThatOnlyThePageSawIsTold(t *testing.T) {
	s, c := keptCall()
	c.Streams = c.Streams[1:]
	s.EndCause, s.Quality.Seconds = wire.ConnectionLost, map[quality.Level]int{quality.Excellent: 100}
	for tried, words := range map[time.Duration][2]string{
		30 * time.Second: {"The connection was cut for the last 30 s.", "for 100 % of what was measured"},
		0:                {"On the line, nothing out of the ordinary.", "for 100 % of the call"},
	} {
		p := with(talking(), func(p *call.Picture) {
			p.Phase, p.Talk.SessionID = call.Over, s.ID
			p.End = call.End{At: noon, Ended: wire.Ended{Cause: wire.ConnectionLost}, Tried: tried}
		})
		html := app.HTMLString(call.SummaryOfBoth(p, s, c))
		for _, want := range words {
			if !strings.Contains(html, want) {
				t.Errorf("tried for %v: no %q in %s", tried, want, html)
			}
		}
		if hasBoth := strings.Contains(html, "was cut") && strings.Contains(html, "nothing out of"); hasBoth {
			t.Errorf("tried for %v: %s", tried, html)
		}
	}
}

// TestAnIncidentIsNamedByWhatCostsMost, and not by what stands beside it.
func TestAnIncidentIsNamedByWhatCostsMost(t *testing.T) {
	for want, m := range map[string]rest.Metrics{
		"delay 348 ms from the agent": {R: new(55.0), LossRatio: new(0.012), RTTMS: new(500.0), DelayMS: new(348.0), JitterMS: new(3.0), BufferMS: new(45.0)},
		"loss 9.0 % from the agent":   {R: new(55.0), LossRatio: new(0.09), RTTMS: new(320.0), DelayMS: new(260.0), JitterMS: new(3.0)},
		"jitter 45 ms from the agent": {R: new(55.0), LossRatio: new(0.0), RTTMS: new(40.0), DelayMS: new(320.0), JitterMS: new(45.0), BufferMS: new(260.0)},
	} {
		s, c := keptCall()
		worst := series(quality.ToCaller, rtcstats.ByClient, 90, 55, 55, 55, 55, 55)
		for i := range worst.Series[1:] {
			worst.Series[1+i].Metrics = m
		}
		c.Streams = []rest.StreamQuality{worst}
		if html := app.HTMLString(call.SummaryOf(s, c)); !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}

// TestAnIncidentIsToldByItsWorst: a cut begins with a second that lost little.
func TestAnIncidentIsToldByItsWorst(t *testing.T) {
	for want, losses := range map[string][]float64{
		"loss 12 % from you to the agent.":            {0.1, 0.12, 0.1, 0.1, 0.08},
		"nothing came through from you to the agent.": {0.1, 0.9, 1, 1, 1, 0.4},
		"loss 90 % from you to the agent.":            {0.7, 0.7, 0.8, 0.9, 0.8, 0.7},
	} {
		s, c := keptCall()
		cut := series(quality.ToAgent, rtcstats.ByServer, 90)
		for i, loss := range losses {
			cut.Series = append(cut.Series, rest.Point{At: noon.Add(time.Duration(i+1) * time.Second),
				Metrics: rest.Metrics{R: new(max(18, 50-49*loss)), LossRatio: new(loss), JitterMS: new(3.0)}})
		}
		c.Streams = []rest.StreamQuality{cut}
		if html := app.HTMLString(call.SummaryOf(s, c)); !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}

// TestAShortCallIsNotRated, and one that goes on says so.
func TestAShortCallIsNotRated(t *testing.T) {
	s, c := keptCall()
	s.Quality.Seconds = map[quality.Level]int{quality.Good: call.TooShort - 1}
	if html := app.HTMLString(call.SummaryOf(s, c)); !strings.Contains(html, "Too short to rate.") {
		t.Error(html)
	}
	s.EndedAt = nil
	if html := app.HTMLString(call.SummaryOf(s, c)); !strings.Contains(html, "This call goes on") || !strings.Contains(html, "Return to the call") {
		t.Error(html)
	}
}

// TestARibbonIsKeptForAReload, in as few characters as it is drawn in columns.
func TestARibbonIsKeptForAReload(t *testing.T) {
	seconds := []ui.RibbonSecond{{You: 1, Level: quality.Excellent}, {Waiting: true, Level: quality.Poor}, {Agent: 1, Gap: true}, {Muted: true}, {}}
	read := call.ReadRibbon(call.RibbonText(seconds))
	if len(read) != len(seconds) {
		t.Fatalf("%d of %d", len(read), len(seconds))
	}
	for i, s := range seconds {
		s.Level = map[bool]quality.Level{true: quality.None, false: s.Level}[s.Level == "" || s.Gap]
		if read[i].Gap {
			read[i].Level = quality.None
		}
		if read[i].Level == "" {
			read[i].Level = quality.None
		}
		if read[i] != s {
			t.Errorf("second %d: %+v, want %+v", i, read[i], s)
		}
	}
	for _, garbage := range []string{"", "x", "zzz", "é99", strings.Repeat("?", 300)} {
		_ = call.ReadRibbon(garbage) // none ends the page
	}
}

// TestALongCallKeepsItsSpikes when it is drawn in few columns.
func TestALongCallKeepsItsSpikes(t *testing.T) {
	long := make([]ui.RibbonSecond, 3600)
	for i := range long {
		long[i].Level = quality.Excellent
	}
	long[1801] = ui.RibbonSecond{You: 1, Level: quality.Poor}
	columns := call.Squeeze(long, 240)
	poor, loud := 0, 0
	for _, c := range columns {
		if c.Level == quality.Poor {
			poor++
		}
		if c.You == 1 {
			loud++
		}
	}
	if len(columns) != 240 || poor != 1 || loud != 1 {
		t.Errorf("%d columns, %d poor, %d loud", len(columns), poor, loud)
	}
	if short := call.Squeeze(long[:240], 240); len(short) != 240 {
		t.Errorf("%d columns of 240 seconds", len(short))
	}
}

var endedBecause = regexp.MustCompile(`data-label="Ended because"[^>]*>\s*<span[^>]*>\s*([^<]*?)\s*<`)

// TestHistoryShowsOnesOwnCalls, or that there are none yet, or why they can't be shown.
func TestHistoryShowsOnesOwnCalls(t *testing.T) {
	s, _ := keptCall()
	live := s.SessionRecord
	live.ID, live.EndedAt, live.EndCause, live.Quality = "sess_2", nil, "", rest.RecordQuality{}
	html := app.HTMLString(call.HistoryOf([]rest.SessionRecord{live, s.SessionRecord}, "c_1", nil))
	for _, want := range []string{"/call/sess_1/summary", "12:41", "ended by an admin", "0.6 s", ", still going on</a>", "Load more", "Excellent"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
	if cause := endedBecause.FindAllStringSubmatch(html, -1); len(cause) != 2 || cause[0][1] != ui.Missing || cause[1][1] != "ended by an admin" {
		t.Errorf("of two calls, one of which goes on, the causes are %q", cause)
	}
	if html := app.HTMLString(call.HistoryOf(nil, "", nil)); !strings.Contains(html, "Your calls will show here, without audio.") {
		t.Error(html)
	}
	problem := &rest.Problem{Status: 500, Code: rest.CodeServerError, RequestID: "req_8F3K"}
	for want, err := range map[string]error{
		"req_8F3K":                         problem,
		"You can try again in 3 s.":        &rest.Problem{Code: rest.CodeRateLimited, RetryAfterS: 3},
		"Sign in again":                    &rest.Problem{Code: rest.CodeUnauthorized},
		"We couldn&#39;t load your calls.": context.DeadlineExceeded,
		"This call isn&#39;t here":         &rest.Problem{Code: rest.CodeNotFound},
	} {
		if html := app.HTMLString(call.HistoryOf(nil, "", err)); !strings.Contains(html, want) {
			t.Errorf("no %q in %s", want, html)
		}
	}
}
