package config

import (
	"regexp"

	"parley/server/agent/realtime"
)

var currency = regexp.MustCompile(`^[A-Z]{3}$`)

// checkPrices reads what the operator pays, and what a call and a user's day may cost.
func (c *checker) checkPrices() (p realtime.Prices, call, userDay realtime.Micros, err error) {
	p.Currency = c.Prices.Currency
	for _, price := range []struct {
		field, text string
		to          *realtime.Micros
	}{
		{"prices.input_text", c.Prices.InputText, &p.InputText},
		{"prices.input_text_cached", c.Prices.InputTextCached, &p.InputTextCached},
		{"prices.input_audio", c.Prices.InputAudio, &p.InputAudio},
		{"prices.input_audio_cached", c.Prices.InputAudioCached, &p.InputAudioCached},
		{"prices.input_image", c.Prices.InputImage, &p.InputImage},
		{"prices.input_image_cached", c.Prices.InputImageCached, &p.InputImageCached},
		{"prices.output_text", c.Prices.OutputText, &p.OutputText},
		{"prices.output_audio", c.Prices.OutputAudio, &p.OutputAudio},
		{"prices.transcription", c.Prices.Transcription, &p.Transcription},
		{"prices.transcription_minute", c.Prices.TranscriptionMinute, &p.TranscriptionMinute},
		{"prices.call_minute", c.Prices.CallMinute, &p.CallMinute},
		{"budgets.call", c.Budgets.Call, &call},
		{"budgets.user_day", c.Budgets.UserDay, &userDay},
	} {
		if price.text == "" {
			continue
		}
		if *price.to, err = realtime.ParsePrice(price.text); err != nil {
			return p, 0, 0, c.faultAt(price.field, "%s", err)
		}
	}
	switch {
	case p != (realtime.Prices{}) && !currency.MatchString(p.Currency):
		return p, 0, 0, c.faultAt("prices.currency", "write the three letters of a currency, like USD")
	case p == (realtime.Prices{}) && (call > 0 || userDay > 0):
		return p, 0, 0, c.faultAt("budgets", "a budget needs prices: write them too")
	}
	return p, call, userDay, nil
}
