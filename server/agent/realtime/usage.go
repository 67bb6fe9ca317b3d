package realtime

import (
	"time"

	"parley/shared/rest"
)

// maxTokens is more than any answer of any model uses. A count beyond it is a
// defect or a lie, and counts as this much.
const maxTokens = 100_000_000

// Usage is what one answer, or one transcript, used.
type Usage struct {
	Tokens rest.Tokens
	// Transcribed is the audio of a transcript that is billed by its length.
	Transcribed time.Duration
	// Connected is how long the call has lasted, as far as it is billed.
	Connected time.Duration
}

// newUsage reads the whole usage object. Cached tokens are part of the input's, and
// so are taken out of it: each is counted once. Some servers call the details by
// the plural, some tell totals only.
func newUsage(o object) *Usage {
	if o == nil {
		return nil
	}
	var u Usage
	u.readInput(o.tokens("input_tokens"), o.details("input_token"))
	u.readOutput(o.tokens("output_tokens"), o.details("output_token"))
	if total := o.tokens("total_tokens"); total > u.Tokens.Sum() {
		u.Tokens.InputOther += total - u.Tokens.Sum()
	}
	return &u
}

// newTranscriptUsage reads the usage of a transcript, which is billed apart from the
// answers: by tokens, or by the length of what was heard.
func newTranscriptUsage(o object) *Usage {
	if o.string("type") == "duration" {
		return &Usage{Transcribed: time.Duration(o.decimal("seconds", maxSeconds) * float64(time.Second))}
	}
	u := newUsage(o)
	if u != nil {
		u.Tokens = rest.Tokens{Transcription: u.Tokens.Sum()}
	}
	return u
}

func (u *Usage) readInput(total int64, details object) {
	t := &u.Tokens
	text, audio, image := details.tokens("text_tokens"), details.tokens("audio_tokens"), details.tokens("image_tokens")
	cached := details.tokens("cached_tokens")
	by := details.details("cached_token")
	if by == nil {
		by = object{} // of what kind the cached ones are isn't told: text is what is cached first
		by = by.with("text_tokens", details.get("cached_tokens"))
	}
	t.InputTextCached, t.InputText = split(text, by.tokens("text_tokens"))
	t.InputAudioCached, t.InputAudio = split(audio, by.tokens("audio_tokens"))
	t.InputImageCached, t.InputImage = split(image, by.tokens("image_tokens"))
	// Cached tokens that are more than their kind's are some other kind's.
	rest := cached - t.InputTextCached - t.InputAudioCached - t.InputImageCached
	t.InputAudioCached, t.InputAudio = move(t.InputAudioCached, t.InputAudio, &rest)
	t.InputTextCached, t.InputText = move(t.InputTextCached, t.InputText, &rest)
	t.InputImageCached, t.InputImage = move(t.InputImageCached, t.InputImage, &rest)
	t.InputOther = max(0, total-text-audio-image)
}

func (u *Usage) readOutput(total int64, details object) {
	t := &u.Tokens
	t.OutputText, t.OutputAudio = details.tokens("text_tokens"), details.tokens("audio_tokens")
	t.OutputOther = max(0, total-t.OutputText-t.OutputAudio)
}

// split divides the tokens of a kind into the cached and the others.
func split(all, cached int64) (fromCache, fresh int64) {
	fromCache = min(all, cached)
	return fromCache, all - fromCache
}

// move counts fresh tokens as cached ones, as far as left says.
func move(cached, fresh int64, left *int64) (int64, int64) {
	n := max(0, min(fresh, *left))
	*left -= n
	return cached + n, fresh - n
}

func (o object) tokens(name string) int64 { return int64(min(max(o.float(name), 0), maxTokens)) }

// details returns the object of a prefix: input_token_details, or the plural that
// some servers write.
func (o object) details(prefix string) object {
	if d := o.object(prefix + "_details"); d != nil {
		return d
	}
	return o.object(prefix + "s_details")
}

// Add adds what v used.
func (u *Usage) Add(v Usage) {
	u.Tokens.Add(v.Tokens)
	u.Transcribed += v.Transcribed
}
