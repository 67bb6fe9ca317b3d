package call

import (
	"context"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/shared/rest"
	"parley/shared/wire"
)

// What the tests reach of the inside.
var (
	Apply          = apply
	Title          = title
	OrbShape       = orbShape
	EndWords       = endWords
	RefusalWords   = refusalWords
	AgentTitle     = agentTitle
	PathWord       = pathWord
	Diagnose       = diagnose
	MetricsOf      = metricsOf
	PathOf         = pathOf
	Loudness       = loudness
	Predict        = predict
	TokenFrom      = tokenFrom
	TokenExpired   = tokenExpired
	NextPath       = nextPath
	SignInWords    = signInWords
	EnterDemoWords = enterDemoWords
	ApplyLevel     = applyLevel
	ApplyTick      = applyTick

	WasSignedIn    = wasSignedIn
	RememberSignIn = rememberSignIn
)

const (
	RibbonSpan = ribbonSpan
	TooShort   = tooShort
	SlowStep   = slowStep
	ProbeCount = probeCount
	NoticeFor  = noticeFor
	ShoutedFor = shoutedFor
	LevelWait  = levelWait
)

// SpeechDetector is the listener to a microphone's level.
type SpeechDetector struct{ speechDetector }

// ObserveLevel takes one level.
func (d *SpeechDetector) ObserveLevel(dBFS float64, now time.Time) (loud, open time.Duration) {
	return d.speechDetector.observeLevel(dBFS, now)
}

// Narrator is the voice for screen readers.
type Narrator struct{ narrator }

// Narrate compares two pictures.
func (n *Narrator) Narrate(before, after Picture) (string, bool) {
	return n.narrator.narrate(before, after)
}

// PageOf is the page as it shows a picture.
func PageOf(p Picture, details, asking, help bool) app.UI {
	return &Page{Engine: NewEngine(Config{}), p: p, details: details, asking: asking, help: help}
}

// LeaveEnd is a link to the call page, followed on it, and where the engine stands then.
func LeaveEnd(e *Engine) Phase {
	e.leaveEnd()
	return e.Picture().Phase
}

// BarOf is the bar as it shows a picture.
func BarOf(p Picture, here bool) app.UI { return &Bar{Engine: NewEngine(Config{}), Here: here, p: p} }

// SignInByLink is the sign-in page of a link, before and after the program runs.
func SignInByLink(ready bool) app.UI {
	return &SignIn{ready: ready, byLink: ready, busy: ready}
}

// SignInOf is the sign-in page with a problem.
func SignInOf(problem string, over, busy, demo bool) app.UI {
	return &SignIn{ready: true, problem: problem, over: over, busy: busy, Demo: demo}
}

// EnterDemoOf is a demo's sign-in page with a problem of one of its two ways in.
func EnterDemoOf(problem, field string, asks bool) app.UI {
	return &SignIn{ready: true, Demo: true, problem: problem, field: field, asks: asks}
}

// Enter signs in by a token and finds where to go.
func Enter(ctx context.Context, c *client.Client, token, next string) (string, error) {
	return signInAndRoute(ctx, c, func(ctx context.Context, c *client.Client) error { return c.SignIn(ctx, token) }, next)
}

// MaxCaptions is how many turns the page keeps.
const MaxCaptions = maxCaptions

// ShownText is a caption's text as it is read.
func (c Caption) ShownText() string { return c.shownText() }

// AgentToCall names the agent that is called.
func (p Picture) AgentToCall() string { return p.agentToCall() }

// MayHaveCaptions reports whether the agent to call has captions.
func (p Picture) MayHaveCaptions() bool { return p.mayHaveCaptions() }

// SummaryOf is the summary of a call of the record.
func SummaryOf(s rest.OwnSession, c rest.Connection) app.UI { return summaryOf(s, c) }

// SummaryDiagnostics is what its button copies.
func SummaryDiagnostics(s rest.OwnSession, c rest.Connection) string {
	return summaryOf(s, c).diagnostics()
}

// SummaryOfBoth is the summary of a call that the page has just seen end, with its record.
func SummaryOfBoth(p Picture, s rest.OwnSession, c rest.Connection) *Summary {
	both := summaryOf(s, c)
	both.Just = p
	return both
}

func summaryOf(s rest.OwnSession, c rest.Connection) *Summary {
	return &Summary{Engine: NewEngine(Config{}), ID: s.ID, loaded: true, kept: reviewOfRecord(s, c, wire.Limits{})}
}

// HistoryOf is the list of calls, or why there is none.
func HistoryOf(calls []rest.SessionRecord, cursor string, err error) app.UI {
	return &History{Engine: NewEngine(Config{}), calls: calls, cursor: cursor, err: err, loaded: err == nil}
}

// How a ribbon is kept, and drawn in few columns.
var (
	ColumnsOf  = columnsOf
	RibbonText = ribbonText
	ReadRibbon = readRibbon
	Squeeze    = squeeze
)

// ChimeOf names the chime of a change.
func ChimeOf(before, after Picture) string { return string(chimeOf(before, after)) }

// SoundOfTest is what the test of the speaker plays.
func SoundOfTest() []byte { return chimeTest.wav() }

// SettingsOf is the page of a caller's settings.
func SettingsOf(p Picture) app.UI { return &SettingsPage{Engine: NewEngine(Config{}), p: p} }
