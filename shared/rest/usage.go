package rest

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
