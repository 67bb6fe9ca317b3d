package rest

import (
	"slices"
	"strings"
	"time"
)

// Tokens are what a model used, each counted once and by its kind: cached tokens
// are not among the others of the input.
type Tokens struct {
	InputText        int64 `json:"input_text" doc:"text tokens read, those from the cache aside"`
	InputTextCached  int64 `json:"input_text_cached" doc:"text tokens read from the cache"`
	InputAudio       int64 `json:"input_audio" doc:"audio tokens read, those from the cache aside"`
	InputAudioCached int64 `json:"input_audio_cached" doc:"audio tokens read from the cache"`
	InputImage       int64 `json:"input_image" doc:"image tokens read, those from the cache aside"`
	InputImageCached int64 `json:"input_image_cached" doc:"image tokens read from the cache"`
	InputOther       int64 `json:"input_other" doc:"tokens read, of a kind that the provider did not tell"`
	OutputText       int64 `json:"output_text" doc:"text tokens written"`
	OutputAudio      int64 `json:"output_audio" doc:"audio tokens spoken"`
	OutputOther      int64 `json:"output_other" doc:"tokens written, of a kind that the provider did not tell"`
	Transcription    int64 `json:"transcription" doc:"tokens of transcripts, which are billed apart"`
}

// kinds are the counts of t, in the order of its fields.
func (t *Tokens) kinds() []*int64 {
	return []*int64{
		&t.InputText, &t.InputTextCached, &t.InputAudio, &t.InputAudioCached, &t.InputImage, &t.InputImageCached, &t.InputOther,
		&t.OutputText, &t.OutputAudio, &t.OutputOther, &t.Transcription,
	}
}

// Add adds the counts of v.
func (t *Tokens) Add(v Tokens) {
	of := v.kinds()
	for i, n := range t.kinds() {
		*n += *of[i]
	}
}

// Sum is how many tokens there are of all kinds.
func (t Tokens) Sum() (sum int64) {
	for _, n := range t.kinds() {
		sum += *n
	}
	return sum
}

// Usage is what agents used, and what it costs by the operator's prices.
type Usage struct {
	Tokens        Tokens `json:"tokens"`
	TranscribedMS int64  `json:"transcribed_ms" doc:"audio of transcripts that are billed by its length"`
	Responses     int64  `json:"responses" doc:"answers of the model"`
	Unconfirmed   int64  `json:"unconfirmed" doc:"answers of which the provider told no usage: what they cost is not in the cost"`
	CostMicros    int64  `json:"cost_micros" doc:"millionths of a unit of the currency"`
	Currency      string `json:"currency,omitempty" doc:"as the operator's prices name it; empty: no prices"`
}

// Add adds v. The currency is that of the first that has one.
func (u *Usage) Add(v Usage) {
	u.Tokens.Add(v.Tokens)
	u.TranscribedMS += v.TranscribedMS
	u.Responses += v.Responses
	u.Unconfirmed += v.Unconfirmed
	u.CostMicros += v.CostMicros
	if u.Currency == "" {
		u.Currency = v.Currency
	}
}

// Less returns what v lacks of u.
func (u Usage) Less(v Usage) Usage {
	of := v.Tokens.kinds()
	for i, n := range u.Tokens.kinds() {
		*n -= *of[i]
	}
	u.TranscribedMS -= v.TranscribedMS
	u.Responses -= v.Responses
	u.Unconfirmed -= v.Unconfirmed
	u.CostMicros -= v.CostMicros
	return u
}

// DayOf writes the day (UTC) that usage at a time counts for.
func DayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// UsageEntry is what one session used more on a day.
type UsageEntry struct {
	Session string
	UserKey string
	User    string // as it is shown
	Org     string
	Agent   string
	Day     string
	Usage
}

// UsageGroup is what sums are told apart by: some of UsageByDay, UsageByUser and
// UsageByAgent, with commas between.
type UsageGroup string

// What sums of usage are told apart by.
const (
	UsageByDay   UsageGroup = "day"
	UsageByUser  UsageGroup = "user"
	UsageByAgent UsageGroup = "agent"
)

// Has reports whether by is one of them.
func (g UsageGroup) Has(by UsageGroup) bool {
	return slices.Contains(strings.Split(string(g), ","), string(by))
}

// UsageQuery asks for sums of usage.
type UsageQuery struct {
	Group UsageGroup `query:"group" pattern:"^(day|user|agent)(,(day|user|agent)){0,2}$" doc:"what sums are told apart by, day, user or agent, with commas between; none: one sum for each currency"`
	Agent string     `query:"agent" maxLength:"64"`
	From  time.Time  `query:"from" doc:"RFC 3339; usage of the day (UTC) that it is in, and later"`
	To    time.Time  `query:"to" doc:"RFC 3339; usage before it, its own day whole"`

	Org    string // only of this organization
	Cursor string // NextCursor of the page before
	Limit  int    // DefaultLimit if it is 0, at most MaxLimit
}

// UsageRow is the sum of what was used: on a day, by a user, of an agent, as far as
// it is grouped by them.
type UsageRow struct {
	Day      string `json:"day,omitempty" doc:"UTC"`
	User     string `json:"user,omitempty" doc:"as it may be shown"`
	Agent    string `json:"agent,omitempty"`
	Sessions int64  `json:"sessions"`
	Usage    Usage  `json:"usage"`
}

// ToolUse says that a model called a function of the operator's, and how it went.
// Nothing of what was passed is kept.
type ToolUse struct {
	At            time.Time `json:"at"`
	Session       string    `json:"session_id"`
	Tool          string    `json:"tool" doc:"empty for a name that the agent has no tool of"`
	Result        string    `json:"result" doc:"ok, invalid_arguments, unknown_tool, too_large, wrong_type, busy, or a fault of the connection as webhooks have them"`
	TookMS        float64   `json:"took_ms"`
	ArgumentBytes int64     `json:"argument_bytes"`
	ResultBytes   int64     `json:"result_bytes"`
	// RequestSHA256 is of the body as it was sent: with its random call id in it,
	// nobody can guess what else was.
	RequestSHA256 string `json:"request_sha256,omitempty" doc:"of the request's body, to be compared with the endpoint's own record"`
}
