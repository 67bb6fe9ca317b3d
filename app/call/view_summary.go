package call

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/client"
	"parley/app/ui"
	"parley/shared/quality"
	"parley/shared/rest"
)

// Summary is a call that is over: why it ended, how it was, what was kept of it. It has
// an address of its own, and stands on the call page when a call has just ended.
type Summary struct {
	app.Compo

	Engine *Engine
	ID     string // of the session; "": it never began
	// Just is the call that this page has just made; the zero value is none.
	Just Picture

	kept    review // by the record
	err     error
	loaded  bool
	rated   *rest.Rating // as the caller pressed
	unsaved bool         // the last press could not be kept
	stop    context.CancelFunc
}

// NewSummary makes the page of a call's own address.
func NewSummary(e *Engine, id string) *Summary {
	s := &Summary{Engine: e, ID: id}
	if p := e.Picture(); p.Phase == Over && p.Talk.SessionID == id {
		s.Just = p
	}
	return s
}

// summaryPath is the address of a call's summary.
func summaryPath(id string) string { return "/call/" + url.PathEscape(id) + "/summary" }

// OnMount asks the server for what it kept.
func (s *Summary) OnMount(ctx app.Context) {
	ctx.Handle(ui.ZoneChanged, func(ctx app.Context, _ app.Action) { ctx.Update() })
	s.load(ctx)
}

// OnDismount gives up asking.
func (s *Summary) OnDismount() {
	if s.stop != nil {
		s.stop()
	}
}

func (s *Summary) load(ctx app.Context) {
	if s.Engine.client == nil || s.ID == "" {
		return
	}
	asking, stop := context.WithCancel(ctx)
	s.stop, s.err = stop, nil
	id, limits := s.ID, s.Engine.Picture().Talk.Limits
	ctx.Async(func() {
		found, err := s.Engine.loadReview(asking, id)
		ctx.Dispatch(func(app.Context) {
			if asking.Err() != nil {
				return
			}
			s.err, s.loaded = err, err == nil
			if err == nil {
				s.kept = reviewOfRecord(found.session, found.connection, limits)
				if kept, waits := s.Engine.keptSeconds(id); kept != nil {
					s.kept.Seconds, s.kept.Waits, s.kept.NoVoices = kept, waits, false
				}
				if r, _ := s.review(); s.Just.Phase == Over {
					s.Engine.keepLastCall(r)
				}
			}
		})
	})
}

// keptCall is what the server kept of a call.
type keptCall struct {
	session    rest.OwnSession
	connection rest.Connection
}

func (e *Engine) loadReview(ctx context.Context, id string) (keptCall, error) {
	session, err := e.client.OwnSession(ctx, id)
	if err != nil {
		return keptCall{}, err
	}
	step := time.Duration(session.DurationS/mostColumns+1) * time.Second
	connection, err := e.client.Connection(ctx, id, client.Span{Step: step.Truncate(time.Second)})
	return keptCall{session, connection}, err
}

// review is what is known by now; ok is false while that is nothing.
func (s *Summary) review() (r review, ok bool) {
	isJust := s.Just.Phase == Over
	switch {
	case isJust && s.loaded:
		return reviewOfPicture(s.Just).with(s.kept), true
	case isJust:
		return reviewOfPicture(s.Just), true
	}
	return s.kept, s.loaded
}

// Render draws the summary, or why there is none.
func (s *Summary) Render() app.UI {
	r, ok := s.review()
	switch {
	case s.err != nil && !ok:
		return app.Div().Class("page").Body(ui.PageHead("Call summary"), loadFailure(s.err, "this call", s.again))
	case !ok:
		return app.Div().Class("page").Body(ui.PageHead("Call summary"), ui.Skeleton(ui.SkeletonCard, 4))
	}
	body := []app.UI{ui.Heading(r.Words.Title), app.P().Class("end-text").Text(r.Words.Text)}
	if !r.StartedAt.IsZero() {
		body = append(body, app.P().Class("summary-when").Text(s.when(r)), s.card(r))
	}
	panel := app.Div().Class("call-panel", "summary-page").Body(append(body, s.actions(r)...)...)
	if !r.StartedAt.IsZero() {
		panel = panel.Class("has-card")
	}
	if s.Just.Phase == Over {
		return panel
	}
	return app.Div().Class("page").Body(panel)
}

func (s *Summary) again(ctx app.Context, e app.Event) { s.load(ctx) }

// when says whom the call was with, and when.
func (s *Summary) when(r review) string {
	return agentTitle(s.Engine.Picture(), r.Agent) + " · " + dayOf(r.StartedAt, time.Now()) + " " +
		r.StartedAt.Local().Format("15:04") + "–" + r.Ended.Local().Format("15:04")
}

// dayOf names a day as one would say it now.
func dayOf(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "today"
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "yesterday"
	}
	return at.Format("2 Jan 2006")
}

func (s *Summary) card(r review) app.UI {
	body := []app.UI{s.verdict(r)}
	if len(r.Seconds) > 0 {
		body = append(body, wholeRibbon(r))
	}
	isPending := !s.loaded && s.err == nil // what comes keeps its room: nothing moves under a pointer
	if r.Turns == nil && isPending {
		r.Turns = &rest.TurnSummary{}
	}
	body = append(body, summaryFacts(r), answersOf(r), whatHappened(r, s.loaded && r.Rated > 0, isPending))
	if r.Receipt != nil {
		body = append(body, receiptText(receiptWords(*r.Receipt)))
	} else if isPending {
		body = append(body, receiptText("Privacy receipt: on its way…"))
	}
	if s.loaded || isPending {
		body = append(body, s.rating(r))
	}
	return app.Section().Class("summary").Aria("label", "How the call was").Body(body...)
}

func (s *Summary) verdict(r review) app.UI {
	rating := app.P().Class("end-rating").Text(ui.Copy("too_short").Text)
	if r.Level != quality.None && r.Level != "" {
		rating = app.P().Class("end-rating").Body(
			ui.Badge(quality.Verdict{Level: r.Level, MOS: r.MOS}, false),
			app.Span().Text("for "+percentOf(r.Share)+" of "+r.measured()),
		)
	}
	return app.Div().Class("summary-main").Body(app.Div().Class("talk-timer").Body(ui.Timer(r.length())), rating)
}

func wholeRibbon(r review) app.UI {
	columns := squeeze(r.Seconds, mostColumns)
	waits := waitsFrom(r.Waits, 0, float64(columnSeconds(len(r.Seconds), mostColumns)))
	body := []app.UI{
		ui.Ribbon{Seconds: columns, Waits: waits, Span: max(len(columns), tooShort), Label: wholeSentence(r)}.UI(),
		app.P().Class("ribbon-scale").Aria("hidden", true).Body(
			app.Span().Text(r.StartedAt.Local().Format("15:04:05")), app.Span().Text(r.Ended.Local().Format("15:04:05"))),
	}
	if r.NoVoices {
		body = append(body, app.P().Class("summary-note").Text(ui.Copy("no_voices").Text))
	}
	return app.Div().Class("summary-ribbon").Body(body...)
}

func wholeSentence(r review) string {
	if r.Level == quality.None || r.Level == "" {
		return "The whole call, " + ui.DurationWords(r.length()) + "."
	}
	return "The whole call, " + ui.DurationWords(r.length()) + ": " + lowerFirst(ui.LevelWord(r.Level)) + " for " + percentOf(r.Share) + " of it."
}

// fact is one line of figures.
type fact struct{ name, value string }

// factList draws facts; a value of "" is missing.
func factList(facts []fact) app.UI {
	body := make([]app.UI, 0, 2*len(facts))
	for _, f := range facts {
		value := app.Dd().Class("num").Text(f.value)
		if f.value == "" {
			value = app.Dd().Body(ui.NoData())
		}
		body = append(body, app.Dt().Text(f.name), value)
	}
	return app.Dl().Class("call-facts").Body(body...)
}

func summaryFacts(r review) app.UI {
	var facts []fact
	if t := r.Turns; t != nil {
		facts = append(facts, fact{"First word", firstWordText(t.FirstWord)}, fact{"Turns", turnsText(*t)})
	}
	facts = append(facts,
		fact{"You → agent", directionText(r, quality.ToAgent)},
		fact{"Agent → you", directionText(r, quality.ToCaller)},
		fact{"Estimated MOS", mosWords(r)})
	if u := r.Usage; u != nil {
		facts = append(facts, fact{"Agent's answers", usageText(*u)})
	}
	return factList(facts)
}

// mostAnswers is how many of a call's answers the summary lists, the first ones.
const mostAnswers = 100

// answersOf lists how long each answer took to begin, for who opens it.
func answersOf(r review) app.UI {
	if len(r.Answers) == 0 {
		return app.Div().Class("is-empty")
	}
	listed := r.Answers[:min(len(r.Answers), mostAnswers)]
	title := "First word, turn by turn"
	if len(listed) < len(r.Answers) {
		title += ": the first " + ui.Count(mostAnswers)
	}
	return app.Details().Class("summary-answers").Body(app.Summary().Text(title), ui.WaitLegend(), answerRows(listed))
}

func firstWordText(f rest.FirstWord) string {
	if f.Turns == 0 {
		return ""
	}
	return ui.Seconds(f.P50MS) + " typical · " + ui.Seconds(f.P95MS) + " slowest"
}

func turnsText(t rest.TurnSummary) string {
	if t.FirstWord.Turns == 0 {
		return ""
	}
	return ui.Count(int64(t.FirstWord.Turns)) + ", " + ui.Count(int64(t.Silenced.Interruptions)) + " interrupted"
}

// directionText is loss and delay of one way.
func directionText(r review, d quality.Direction) string {
	loss, delay := r.Loss[d], r.DelayMS[d]
	switch {
	case loss == nil && delay == nil:
		return ""
	case delay == nil:
		return ui.Ratio(*loss) + " lost"
	case loss == nil:
		return ui.Millis(*delay)
	}
	return ui.Ratio(*loss) + " lost · " + ui.Millis(*delay)
}

func usageText(u rest.Usage) string {
	t := u.Tokens
	heard := t.InputAudio + t.InputAudioCached + t.InputText + t.InputTextCached + t.InputOther
	said := t.OutputAudio + t.OutputText + t.OutputOther
	return ui.Count(u.Responses) + " · " + ui.Count(heard) + " tokens heard, " + ui.Count(said) + " said"
}

func whatHappened(r review, isWhole, isPending bool) app.UI {
	lines := []app.UI{}
	for _, i := range r.Incidents {
		lines = append(lines, app.Li().Text(i.sentence()))
	}
	if r.Outage >= time.Second {
		lines = append(lines, app.Li().Text("The connection was cut for the last "+triedFor(r.Outage)+"."))
	}
	if len(lines) == 0 && isWhole {
		lines = append(lines, app.Li().Text(ui.Copy("nothing_happened").Text))
	}
	if isPending && r.Rated > 0 {
		lines = append(lines, app.Li().Class("is-waiting").Text("On its way…"))
	}
	if len(lines) == 0 {
		return app.Div().Class("is-empty")
	}
	return app.Div().Class("summary-events").Body(app.H2().Class("summary-title").Text("What happened"), app.Ul().Body(lines...))
}

// measured names what levels are shares of: a server that was cut off, too, has seen
// nothing of the outage at the end.
func (r review) measured() string {
	if r.Outage >= time.Second {
		return "what was measured"
	}
	return "the call"
}

// receiptWords say what was kept of the call.
func receiptWords(of rest.Receipt) string {
	audio := "no audio stored"
	if of.AudioBytesStored > 0 {
		audio = ui.Bytes(of.AudioBytesStored) + " of audio stored"
	}
	text := "Privacy receipt: " + audio + " · " + ui.Plural(int(of.StorageAttempts), "storage attempt")
	switch {
	case of.LogDeletedAt != nil:
		text += " · the log lines were deleted on " + of.LogDeletedAt.Local().Format("2 Jan 2006")
	case of.LogKeptUntil != nil:
		text += " · the log lines are deleted on " + of.LogKeptUntil.Local().Format("2 Jan 2006")
	}
	return text + "."
}

func receiptText(text string) app.UI {
	return app.P().Class("receipt").Body(ui.Icon(ui.IconLock), app.Span().Text(text))
}

// actions are what comes after a call: the one that most want, if there is one, which a
// phone has at hand, and the others.
func (s *Summary) actions(r review) []app.UI {
	var first, body []app.UI
	switch {
	case s.Just.Phase == Over:
		first, body = s.afterCall()
	case r.Ended.IsZero():
		first = []app.UI{app.A().Class("button", "button-primary", "button-big").Href("/call").Text("Return to the call")}
	default:
		first = []app.UI{ui.Button(ui.Primary, ui.IconPhone, "Start another call").Class("button-big").ID("start-again").OnClick(s.start)}
	}
	body = append(body, &ui.CopyButton{Label: "Copy diagnostics", Said: "Diagnostics copied.", Text: s.diagnostics})
	if s.loaded {
		body = append(body, app.A().Class("button", "button-quiet").Href(ownPath(r.ID)).Download("parley-call-"+r.ID+".json").Body(
			ui.Icon(ui.IconDownload), app.Span().Class("button-label").Text("Download my data (JSON)")))
	}
	return append(first, app.Div().Class("end-actions").Body(body...))
}

// ownPath is where the record of one's own call is.
func ownPath(id string) string {
	return rest.PathOwnSessions + "/" + url.PathEscape(id)
}

func (s *Summary) start(ctx app.Context, e app.Event) {
	s.Engine.Start()
	if s.Just.Phase != Over {
		ctx.Navigate("/call")
	}
}

// diagnostics of a call of another page are what the record has of it, without a word
// of who it was or from where.
func (s *Summary) diagnostics() string {
	if s.Just.Phase == Over {
		return diagnose(s.Just)
	}
	r := s.kept
	text, err := json.MarshalIndent(map[string]any{
		"session_id": r.ID, "started_at": r.StartedAt.UTC(), "seconds": int(r.length() / time.Second), "level": r.Level,
		"mos": r.MOS, "mos_lowest": r.MOSLowest, "loss_ratio": r.Loss, "delay_ms": r.DelayMS, "turns": r.Turns,
	}, "", "  ")
	if err != nil { // a figure that JSON can't write
		return "{}"
	}
	return string(text)
}
