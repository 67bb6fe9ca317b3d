package realtime

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Micros is money in millionths of a unit of its currency. Money is never a
// floating-point number.
type Micros int64

// maxPrice is more than anything is sold for: a million units a million tokens,
// or a minute. It keeps every product within what an int64 holds.
const maxPrice Micros = 1_000_000 * 1_000_000

// Prices is what an operator pays: for a million tokens of each kind, and for a
// minute. The zero value is free.
type Prices struct {
	Currency string // ISO 4217, for people; nothing is converted

	InputText, InputTextCached   Micros
	InputAudio, InputAudioCached Micros
	InputImage, InputImageCached Micros
	OutputText, OutputAudio      Micros
	Transcription                Micros

	TranscriptionMinute Micros // of audio, where transcripts are billed by it
	CallMinute          Micros // where calls are billed by their length
}

// ParsePrice reads a price as people write it: 32, 0.40. More than six decimals
// can't be billed.
func ParsePrice(text string) (Micros, error) {
	whole, part, _ := strings.Cut(text, ".")
	digits := whole + part
	if whole == "" || len(part) > 6 || strings.Trim(digits, "0123456789") != "" || strings.HasSuffix(text, ".") {
		return 0, fmt.Errorf("%q is no price: write it like 0.40, with six decimals at most", text)
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", 6-len(part)), 10, 64)
	if err != nil || Micros(n) > maxPrice {
		return 0, errors.New("a price is at most 1000000")
	}
	return Micros(n), nil
}

// String writes the amount in units, with as many decimals as it takes, at least
// two.
func (m Micros) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	decimals := fmt.Sprintf("%06d", m%1_000_000)
	for len(decimals) > 2 && strings.HasSuffix(decimals, "0") {
		decimals = decimals[:len(decimals)-1]
	}
	return sign + strconv.FormatInt(int64(m/1_000_000), 10) + "." + decimals
}

// Cost is what u costs, rounded to the nearest millionth once, of the sum. Tokens
// of a kind that the provider does not tell cost as much as audio, the dearest:
// a budget must not be passed unseen.
func (p Prices) Cost(u Usage) Micros {
	t := u.Tokens
	var sum amount
	for _, of := range []struct {
		count int64
		price Micros
	}{
		{t.InputText, p.InputText}, {t.InputTextCached, p.InputTextCached},
		{t.InputAudio, p.InputAudio}, {t.InputAudioCached, p.InputAudioCached},
		{t.InputImage, p.InputImage}, {t.InputImageCached, p.InputImageCached},
		{t.InputOther, max(p.InputAudio, p.InputText)}, {t.OutputText, p.OutputText}, {t.OutputAudio, p.OutputAudio},
		{t.OutputOther, max(p.OutputAudio, p.OutputText)}, {t.Transcription, p.Transcription},
	} {
		sum.add(of.count, of.price)
	}
	tokens := sum.dividedBy(1_000_000)
	var spoken amount
	spoken.add(u.Transcribed.Milliseconds(), p.TranscriptionMinute)
	var connected amount
	connected.add(u.Connected.Milliseconds(), p.CallMinute)
	minute := uint64(time.Minute.Milliseconds())
	return tokens + spoken.dividedBy(minute) + connected.dividedBy(minute)
}

// amount is a sum of products in 128 bits.
type amount struct{ hi, lo uint64 }

func (a *amount) add(count int64, price Micros) {
	hi, lo := bits.Mul64(uint64(max(count, 0)), uint64(min(max(price, 0), maxPrice)))
	var carry uint64
	a.lo, carry = bits.Add64(a.lo, lo, 0)
	a.hi, _ = bits.Add64(a.hi, hi, carry)
}

// dividedBy rounds to the nearest.
func (a amount) dividedBy(by uint64) Micros {
	lo, carry := bits.Add64(a.lo, by/2, 0)
	if a.hi+carry >= by {
		return maxPrice // more than there is; a sum of real counts never gets here
	}
	quotient, _ := bits.Div64(a.hi+carry, lo, by)
	return Micros(min(quotient, uint64(1)<<62))
}
