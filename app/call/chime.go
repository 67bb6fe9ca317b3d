package call

import (
	"encoding/binary"
	"math"
)

// chime is a short sound of the page's own.
type chime string

// The chimes. Each has a visible counterpart.
const (
	noChime      chime = ""
	chimeTest    chime = "test"
	chimeConnect chime = "connect"
	chimeEnd     chime = "end"
	chimeMuted   chime = "muted"   // speaking while muted
	chimeWarning chime = "warning" // the call is about to end
)

// notes are a chime's tones in Hz, one after the other.
func (c chime) notes() []float64 {
	switch c {
	case chimeTest:
		return []float64{523, 659, 784}
	case chimeConnect:
		return []float64{523, 784}
	case chimeEnd:
		return []float64{523, 392}
	case chimeMuted:
		return []float64{330, 330}
	}
	return []float64{659, 659, 659}
}

// chimeOf is the chime of a change; none while the agent speaks, but for a warning and
// the end, which can't wait.
func chimeOf(before, after Picture) chime {
	was, is := before.Talk, after.Talk
	switch {
	case after.Choice.SoundsOff:
		return noChime
	case before.Phase == Connecting && after.Phase == Live:
		return chimeConnect
	case before.Phase == Live && after.Phase == Over:
		return chimeEnd
	case after.Phase != Live:
		return noChime
	case was.Warning.EndsAt.IsZero() && !is.Warning.EndsAt.IsZero():
		return chimeWarning
	case is.Shouting && !was.Shouting && is.Measured.AgentDBFS <= silenceDBFS:
		return chimeMuted
	}
	return noChime
}

// Of the sounds.
const (
	chimeRate   = 16000 // samples a second
	noteSamples = chimeRate * 14 / 100
	noteGain    = 0.5
	wavHead     = 44 // bytes before the samples
)

// wav is the chime as a WAV file: 16 bit, one channel. Each note swells and fades, so
// that nothing clicks.
func (c chime) wav() []byte {
	notes := c.notes()
	size := 2 * noteSamples * len(notes)
	out := make([]byte, 0, wavHead+size)
	le := binary.LittleEndian
	out = append(out, "RIFF"...)
	out = le.AppendUint32(out, uint32(wavHead-8+size))
	out = append(out, "WAVEfmt "...)
	out = le.AppendUint32(out, 16)
	out = le.AppendUint16(out, 1) // PCM
	out = le.AppendUint16(out, 1)
	out = le.AppendUint32(out, chimeRate)
	out = le.AppendUint32(out, 2*chimeRate)
	out = le.AppendUint16(out, 2)
	out = le.AppendUint16(out, 16)
	out = append(out, "data"...)
	out = le.AppendUint32(out, uint32(size))
	for _, hz := range notes {
		for i := range noteSamples {
			swell := math.Sin(math.Pi * float64(i) / noteSamples)
			v := noteGain * swell * math.Sin(2*math.Pi*hz*float64(i)/chimeRate)
			out = le.AppendUint16(out, uint16(int16(v*math.MaxInt16)))
		}
	}
	return out
}
